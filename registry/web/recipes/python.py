"""Python with zeep."""

from __future__ import annotations

from registry.web.parts import Told
from registry.web.recipes.given import Given, Service, given, present, quoted, wrapped

ZH = "pip install zeep。zeep 把空字符串读成 None。"
EN = "pip install zeep. It gives an empty string as None."


def write(service: Service, operation: Told) -> str:
    arguments = present(given(operation))
    call = f"client.service.{operation.name}({_arguments(arguments)})"
    imports = _imports(arguments)
    head = [*imports, "from zeep import Client", "from zeep.exceptions import Fault", ""]
    lines = [*head, f"client = Client({quoted(service.wsdl)})", "try:", f"    answer = {call}"]
    lines += [
        "except Fault as fault:",
        '    raise SystemExit(f"{fault.code}: {fault.message}")',
        "",
    ]
    if operation.delimited and operation.columns:
        lines += [
            f"if answer.{operation.name}Result < 0:",
            f'    raise SystemExit(f"{{answer.{operation.name}Result}}: {{answer.str}}")',
            "names = [",
            *wrapped([quoted(part.name) for part in operation.columns], "    "),
            "]",
            'for row in (answer.str or "").split("?")[:-1]:',
            '    print(dict(zip(names, row.split("|"))))',
        ]
    else:
        lines += ["print(answer)"]
    return "\n".join(lines)


def _imports(arguments: list[Given]) -> list[str]:
    names = sorted(_types(arguments))
    return [f"from datetime import {', '.join(names)}"] * bool(names) + (
        ["from decimal import Decimal"] if _has(arguments, "decimal") else []
    )


def _types(arguments: list[Given]) -> set[str]:
    kinds = {"date": "date", "dateTime": "datetime"}
    return {name for kind, name in kinds.items() if _has(arguments, kind)}


def _has(arguments: list[Given], kind: str) -> bool:
    return any(
        one.part.kind == kind or _has([*one.inside, *one.items], kind)
        for one in arguments
        if not one.absent
    )


def _arguments(arguments: list[Given]) -> str:
    text = ", ".join(f"{one.part.name}={_value(one)}" for one in arguments)
    if len(text) < 60:
        return text
    inner = "".join(f"\n        {one.part.name}={_value(one)}," for one in arguments)
    return f"{inner}\n    "


def _value(one: Given) -> str:
    if one.items:
        return f"[{', '.join(map(_value, one.items))}]"
    if one.part.kind:
        return _simple(one.part.kind, one.text)
    inside = [f"{quoted(i.part.name)}: {_value(i)}" for i in one.inside if not i.absent]
    return f"{{{', '.join(inside)}}}"


def _simple(kind: str, text: str) -> str:
    if kind == "date":
        return f"date.fromisoformat({quoted(text)})"
    if kind == "dateTime":
        return f"datetime.fromisoformat({quoted(text)})"
    if kind == "decimal":
        return f"Decimal({quoted(text)})"
    if kind == "boolean":
        return "True" if text == "true" else "False"
    if kind in ("int", "long", "short", "integer") and text.lstrip("-").isdigit():
        return text
    return quoted(text)
