"""Arguments of a SOAP call written as text, ``Patient.Name=张伟``, against a WSDL's types.

A dot goes into a record; a number after one chooses an item of a list, from 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from services.soap.schema_model import (
    Opaque,
    Schema,
    Simple,
    Type,
    elements_of,
    global_element,
    local,
)
from services.soap.wsdl_reading import NotWsdl, read
from yilian.refused import Refused

# A record may contain its own kind; nobody types deeper than this.
_DEEPEST = 6

Tree = dict[str, Any]


@dataclass(frozen=True)
class Argument:
    """One argument of an operation, or a field inside one: ``name`` is then dotted. ``kind``: its
    schema type's local name, such as ``date``. ``longest``: characters, 0 where it is not said."""

    name: str
    kind: str
    required: bool
    longest: int = 0

    def __str__(self) -> str:
        bound = f" ≤{self.longest}" if self.longest else ""
        return f"{self.name}{'' if self.required else '?'}: {self.kind}{bound}"


class Lengths:
    """The maxLength of elements, from the WSDL's own schemas, which zeep does not keep. What zeep
    takes and is not read here has none."""

    def __init__(self, wsdl: bytes) -> None:
        try:
            self._schema = read(wsdl).schema
        except NotWsdl:
            self._schema = Schema([])

    def message(self, element: str) -> Type:
        """The type of an element that is a message's, {namespace}local."""
        try:
            return self._schema.type_of(global_element(self._schema, element))
        except NotWsdl:
            return Opaque("")

    def inside(self, owner: Type) -> dict[str, Type]:
        """The types of a record's fields."""
        try:
            return {local(one.name): self._schema.type_of(one) for one in elements_of(owner)}
        except NotWsdl:
            return {}


def _longest(kind: Type) -> int:
    bound = kind.facets.get("maxLength", "") if isinstance(kind, Simple) else ""
    return int(bound) if bound.isdecimal() else 0


def kind_of(kind: Any) -> str:
    """A type's local name; of a restricted one, that of what it restricts."""
    for base in type(kind).__mro__:
        qname = vars(base).get("_default_qname")
        if base.__module__ == "zeep.xsd.types.builtins" and qname is not None:
            return str(qname.localname)
    return str(kind.name or "?")


def is_record(kind: Any) -> bool:
    return hasattr(kind, "elements")


def leaves(
    owner: Type,
    elements: Mapping[str, Any],
    lengths: Lengths,
    *,
    above: str = "",
    required: bool = True,
) -> Iterator[Argument]:
    """Everything that can be written, dotted, in the schema's order. ``elements``: zeep's, of
    what is ``owner`` in the schema."""
    inside = lengths.inside(owner)
    for name, element in elements.items():
        path = f"{above}{name}"
        needed = required and not element.is_optional
        if element.accepts_multiple:
            path += ".0"
        kind = inside.get(name, Opaque(""))
        if is_record(element.type) and path.count(".") < _DEEPEST:
            fields = dict(element.type.elements)
            yield from leaves(kind, fields, lengths, above=f"{path}.", required=needed)
        else:
            yield Argument(path, kind_of(element.type), needed, _longest(kind))


def typed(
    operation: str, elements: Mapping[str, Any], texts: Mapping[str, str], takes: str
) -> dict[str, Any]:
    """The values of ``texts`` by the types of the schema, as dicts and lists. Refused where one
    is unknown, missing or not of its type; ``takes`` lists what there is."""
    return _record(operation, "", elements, _tree(texts), takes)


def _tree(texts: Mapping[str, str]) -> Tree:
    tree: Tree = {}
    for path, text in texts.items():
        *above, last = path.split(".")
        node = tree
        for part in above:
            node = node.setdefault(part, {})
            if not isinstance(node, dict):
                break
        if not isinstance(node, dict) or last in node:
            raise Refused(
                f"参数 {path} 与另一个参数冲突：一个既有值，又有下级。",
                f"The argument {path} clashes with another: one has a value and parts as well.",
            )
        node[last] = text
    return tree


def _record(
    operation: str, above: str, elements: Mapping[str, Any], tree: Tree, takes: str
) -> dict[str, Any]:
    for name in tree:
        if name not in elements:
            raise Refused(
                f"{operation} 没有参数 {above}{name}；它的参数：{takes}。",
                f"{operation} has no argument {above}{name}; it takes: {takes}.",
            )
    for name, element in elements.items():
        if not element.is_optional and name not in tree:
            raise Refused(
                f"{operation} 缺少参数 {above}{name}；它的参数：{takes}。",
                f"{operation} lacks the argument {above}{name}; it takes: {takes}.",
            )
    return {
        name: _element(operation, f"{above}{name}", elements[name], node, takes)
        for name, node in tree.items()
    }


def _element(operation: str, path: str, element: Any, node: Any, takes: str) -> Any:
    if not element.accepts_multiple:
        return _one(operation, path, element.type, node, takes)
    wanted = [str(number) for number in range(len(node))] if isinstance(node, dict) else []
    if not wanted or set(node) != set(wanted):
        raise Refused(
            f"参数 {path} 是列表，各项从 0 起连续编号：{path}.0、{path}.1 …。",
            f"{path} is a list; its items are numbered from 0: {path}.0, {path}.1 and so on.",
        )
    return [
        _one(operation, f"{path}.{number}", element.type, node[number], takes) for number in wanted
    ]


def _one(operation: str, path: str, kind: Any, node: Any, takes: str) -> Any:
    if is_record(kind):
        fields = dict(kind.elements)
        if isinstance(node, dict):
            return _record(operation, f"{path}.", fields, node, takes)
        example = next(iter(fields), "…")
        raise Refused(
            f"参数 {path} 由几个字段组成，请逐个写，如 {path}.{example}=…；它的参数：{takes}。",
            f"{path} has fields, each written by itself, such as {path}.{example}=…; "
            f"{operation} takes: {takes}.",
        )
    if isinstance(node, dict):
        raise Refused(
            f"参数 {path} 是 {kind_of(kind)}，没有下级。",
            f"{path} is {kind_of(kind)} and has no parts.",
        )
    return _value(path, kind, node)


_EXAMPLES = {
    "date": "2026-11-21",
    "dateTime": "2026-11-21T08:30:00",
    "int": "12",
    "decimal": "12.50",
    "boolean": "true",
}


def _value(name: str, kind: Any, text: str) -> Any:
    base = kind_of(kind)
    try:
        value = kind.pythonvalue(text)
        if base == "boolean" and text not in ("true", "false", "0", "1"):
            raise ValueError(text)
    except (ValueError, ArithmeticError) as error:
        example = _EXAMPLES.get(base, "")
        raise Refused(
            f"参数 {name} 应为 {base}，例如 {name}={example}；收到的是“{text}”。",
            f"{name} must be {base}, such as {name}={example}; it is {text!r}.",
        ) from error
    return value
