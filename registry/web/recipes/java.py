"""Java with the stubs of Apache Axis 1.4's wsdl2java."""

from __future__ import annotations

from registry.web.parts import Told
from registry.web.recipes.given import Given, Service, given, quoted, wrapped

ZH = (
    "Axis 1.4，JDK 1.4 起可用。ref 参数是 StringHolder；应答中的 dateTime 被当作 UTC，"
    "须按 UTC 读回，见 docs/legacy.md。"
)
EN = (
    "Axis 1.4, for JDK 1.4 and later. A ref parameter is a StringHolder; a dateTime in an answer "
    "is taken for UTC and must be read back as such, see docs/legacy.md."
)


def write(service: Service, operation: Told) -> str:
    package = service.name.lower()
    arguments = given(operation)
    locator, port = f"{service.name}_ServiceLocator", f"{service.name}_PortType"
    method = operation.name[:1].lower() + operation.name[1:]
    wsdl = "".join(one for one in service.wsdl if one.isprintable() and one != '"')
    lines = [
        f'// java org.apache.axis.wsdl.WSDL2Java -p {package} "{wsdl}"',
        f"import {package}.*;",
        "",
        "public class Call {",
        "    public static void main(String[] a) throws Exception {",
        f"        {port} port = new {locator}().get{service.name}Soap(",
        f"            new java.net.URL({quoted(service.address)}));",
    ]
    if operation.delimited and operation.columns:
        texts = "".join(f"{quoted(one.text)}, " for one in arguments if one.part.name != "str")
        lines += [
            "        javax.xml.rpc.holders.StringHolder str =",
            '            new javax.xml.rpc.holders.StringHolder("");',
            f"        int count = port.{method}({texts}str);",
            "        if (count < 0)",
            '            throw new Exception(count + ": " + str.value);',
            '        String[] rows = str.value.split("\\\\?");',
            "        for (int i = 0; i < count; i++) {",
            "            // -1: 末尾的空字段也保留 / keeps empty fields at the end",
            '            String[] fields = rows[i].split("\\\\|", -1);',
            *wrapped([part.name for part in operation.columns], "            // "),
            "            System.out.println(java.util.Arrays.asList(fields));",
            "        }",
        ]
    else:
        made: list[str] = []
        values = ", ".join(_value(one, made) for one in arguments)
        lines += [f"        {line}" for line in made]
        lines += [f"        Object answer = port.{method}({values});"]
        lines += ["        System.out.println(answer);"]
    lines += ["    }"]
    if any("calendar(" in line for line in lines):
        lines += _CALENDAR
    return "\n".join([*lines, "}"])


_CALENDAR = [
    "",
    "    static java.util.Calendar calendar(String text) throws Exception {",
    "        java.util.Calendar made = java.util.Calendar.getInstance();",
    "        made.setTime(new java.text.SimpleDateFormat(\"yyyy-MM-dd'T'HH:mm:ss\").parse(text));",
    "        return made;",
    "    }",
]


def _value(one: Given, made: list[str]) -> str:
    """The argument as an expression; records are ``made`` in lines of their own before it."""
    if one.absent:
        return "null"
    if one.is_array:
        (items,) = one.inside
        values = [_value(item, made) for item in items.items]
        return f"new {items.part.record}[] {{{', '.join(values)}}}"
    if not one.part.kind:
        fields = [(i.part.name, _value(i, made)) for i in one.inside if not i.absent]
        name = one.part.name[:1].lower() + one.part.name[1:]
        made.append(f"{one.part.record} {name} = new {one.part.record}();")
        made += [f"{name}.set{field[:1].upper()}{field[1:]}({value});" for field, value in fields]
        return name
    text = quoted(one.text)
    match one.part.kind:
        case "date":
            return f"java.sql.Date.valueOf({text})"
        case "dateTime":
            return f"calendar({text})"
        case "decimal":
            return f"new java.math.BigDecimal({text})"
        case "int":
            return one.text if one.part.required else f"Integer.valueOf({one.text})"
        case "boolean":
            return one.text
    return text
