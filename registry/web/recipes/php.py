"""PHP's ext-soap."""

from __future__ import annotations

from registry.web.parts import Told
from registry.web.recipes.given import Given, Service, given, present, wrapped

ZH = "需要 php-soap。无值的字段在对象上没有该属性，用 ?? 取。"
EN = "Needs php-soap. An absent field is a property that is not there: read it with ??."


def write(service: Service, operation: Told) -> str:
    arguments = "".join(
        f"        {_quoted(one.part.name)} => {_value(one)},\n" for one in present(given(operation))
    )
    lines = [
        "<?php",
        "// SOAP_SINGLE_ELEMENT_ARRAYS: 只有一条记录的列表也是数组 / a list of one is a list",
        f"$client = new SoapClient({_quoted(service.wsdl)}, [",
        "    'features' => SOAP_SINGLE_ELEMENT_ARRAYS,",
        "]);",
        "try {",
        f"    $answer = $client->{operation.name}([",
        f"{arguments}    ]);",
        "} catch (SoapFault $fault) {",
        '    exit("$fault->faultcode: " . $fault->getMessage() . "\\n");',
        "}",
    ]
    if operation.delimited and operation.columns:
        result = f"$answer->{operation.name}Result"
        lines += [
            f"if ({result} < 0) {{",
            f'    exit("{{{result}}}: $answer->str\\n");',
            "}",
            "$names = [",
            *wrapped([_quoted(part.name) for part in operation.columns], "    "),
            "];",
            "foreach (array_slice(explode('?', $answer->str), 0, -1) as $row) {",
            "    print_r(array_combine($names, explode('|', $row)));",
            "}",
        ]
    else:
        name = operation.response[0].name if operation.response else ""
        lines += [f"print_r($answer{f'->{name} ?? null' if name else ''});"]
    return "\n".join(lines)


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _value(one: Given) -> str:
    if one.items:
        return f"[{', '.join(map(_value, one.items))}]"
    if one.part.kind:
        return "true" if (one.part.kind, one.text) == ("boolean", "true") else _quoted(one.text)
    inside = [f"{_quoted(i.part.name)} => {_value(i)}" for i in one.inside if not i.absent]
    return f"[{', '.join(inside)}]"
