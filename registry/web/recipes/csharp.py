"""C# with the proxy that wsdl.exe makes."""

from __future__ import annotations

from registry.web.parts import Part, Told
from registry.web.recipes.given import Given, Service, given, quoted, wrapped

ZH = (
    "wsdl.exe 在 Windows SDK 里，Mono 的叫 wsdl。"
    "可省略的数值和时间另有 XxxSpecified，false 即无值。"
)
EN = (
    "wsdl.exe is in the Windows SDK; Mono's is called wsdl. An optional number or time has an "
    "XxxSpecified beside it; false: absent."
)

_TYPES = {"int": "int", "date": "DateTime", "dateTime": "DateTime", "decimal": "decimal"}


def write(service: Service, operation: Told) -> str:
    proxy = "proxy"
    arguments = given(operation)
    lines = [
        f'// wsdl.exe /out:{service.name}.cs "{_inside_comment(service.wsdl)}"',
        f"// csc Program.cs {service.name}.cs /r:System.Web.Services.dll",
        "using System;",
        "",
        "class Program",
        "{",
        "    static void Main()",
        "    {",
        f"        var {proxy} = new {service.name}();",
        f"        {proxy}.Url = {quoted(service.address)};",
    ]
    lines += [f"        {line}" for line in _call(proxy, operation, arguments)]
    return "\n".join([*lines, "    }", "}"])


def _inside_comment(text: str) -> str:
    """A URL that ends no line and no quotation."""
    return "".join(one for one in text if one.isprintable() and one != '"')


def _call(proxy: str, operation: Told, arguments: list[Given]) -> list[str]:
    if operation.delimited and operation.columns:
        texts = ", ".join(quoted(one.text) for one in arguments if one.part.name != "str")
        return [
            'string str = "";',
            f"int count = {proxy}.{operation.name}({texts}{', ' if texts else ''}ref str);",
            "if (count < 0)",
            '    throw new Exception(count + ": " + str);',
            "foreach (string row in str.Split('?'))",
            "    if (row.Length > 0)",
            *wrapped([part.name for part in operation.columns], "        // "),
            "        Console.WriteLine(string.Join(\" ; \", row.Split('|')));",
        ]
    values = [text for one in arguments for text in _argument(one)]
    call = f"{proxy}.{operation.name}(" + ", ".join(values) + ")"
    if len(call) > 80:
        call = f"{proxy}.{operation.name}(\n            " + ",\n            ".join(values) + ")"
    result = operation.response[0] if len(operation.response) == 1 else None
    if result is None:
        return [f"{call};"]
    if len(result.parts) == 1 and result.parts[0].many:
        item = result.parts[0]
        shown = next((part.name for part in item.parts if part.kind), "")
        return [
            f"foreach ({item.record} row in {call})",
            f"    Console.WriteLine(row{f'.{shown}' if shown else ''});",
        ]
    return [f"var answer = {call};", *[f"Console.WriteLine(answer{_first(result)});"]]


def _first(part: Part) -> str:
    shown = next((one.name for one in part.parts if one.kind), "")
    return f".{shown}" if shown else ""


def _argument(one: Given) -> list[str]:
    """The argument, and beside an optional number or time whether it is given."""
    value = _TYPES.get(one.part.kind, "bool" if one.part.kind == "boolean" else "")
    if value and not one.part.required:
        return [f"default({value})" if one.absent else _value(one), str(not one.absent).lower()]
    return [f"default({value})" if value and one.absent else _value(one)]


def _value(one: Given) -> str:
    if one.absent:
        return "null"
    if one.is_array:
        (items,) = one.inside
        inner = ", ".join(map(_value, items.items))
        return f"new {items.part.record}[] {{ {inner} }}"
    if not one.part.kind:
        fields = ", ".join(f"{i.part.name} = {_value(i)}" for i in one.inside if not i.absent)
        return f"new {one.part.record} {{ {fields} }}"
    match one.part.kind:
        case "date" | "dateTime":
            return f"DateTime.Parse({quoted(one.text)})"
        case "decimal":
            return f"{one.text}m"
        case "int" | "boolean":
            return one.text
    return quoted(one.text)
