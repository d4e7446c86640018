"""Two WSDLs compared: what breaks a client that was made from the old one.

    compare(old, new).breaking      must not be published under the same namespace
    compare(old, new).compatible    changes that no such client notices

The rule: whatever the old document lets a caller send is still accepted, and whatever the new one
lets a service answer could be read by the old one's callers. So an optional element may be added
to a request and not to an answer; a longer text may be accepted and not answered. A type that is
narrowed breaks both: values that could be said can no longer be. Names that no message carries
(of types, ports, prefixes), addresses and documentation do not matter. What is not understood
(groups, wildcards, unions, restrictions of complex types) must stay as it is, letter by letter.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from services.soap.schema_model import (
    UNBOUNDED,
    Attribute,
    Complex,
    Element,
    Group,
    Name,
    NotWsdl,
    Opaque,
    Simple,
    Type,
    global_element,
    local,
)
from services.soap.simple_types import differences
from services.soap.soap_ports import SoapPort, soap_ports, whole
from services.soap.wsdl_reading import Message, Operation, Wsdl

__all__ = ["Change", "Comparison", "NotWsdl", "compare"]

#: who reads what is compared: the service (a request) or its callers (an answer)
Direction = Literal["request", "answer"]
Member = Element | Group | Opaque
#: types within types that are followed at once; what is further in comes afterwards, as a
#: publisher could nest more of them than Python's stack holds
_DEEPEST = 50


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. ``where`` is the way to it: service, operation, message, element."""

    zh: str
    en: str
    where: str


@dataclass(frozen=True, slots=True)
class Comparison:
    breaking: list[Change] = field(default_factory=list)
    compatible: list[Change] = field(default_factory=list)


def compare(old: bytes, new: bytes) -> Comparison:
    """What a client of the old document meets at a service of the new one. A document of another
    namespace is compared as if it had the old one's, after saying so. NotWsdl."""
    comparing = _Comparing(whole(old), whole(new))
    comparing.documents()
    comparing.waiting()
    return comparing.found


class _Comparing:
    def __init__(self, old: Wsdl, new: Wsdl) -> None:
        self.old = old
        self.new = new
        self.found = Comparison()
        self._seen: set[tuple[int, int, Direction]] = set()
        self._waiting: list[tuple[str, Complex, Complex, Direction]] = []
        self._depth = 0

    def breaks(self, where: str, zh: str, en: str) -> None:
        self.found.breaking.append(Change(zh, en, where))

    def notes(self, where: str, zh: str, en: str) -> None:
        self.found.compatible.append(Change(zh, en, where))

    def says(self, breaking: bool, where: str, zh: str, en: str) -> None:
        (self.breaks if breaking else self.notes)(where, zh, en)

    def moved(self, name: Name) -> Name:
        """An old name as it is called in the new document's namespace."""
        old = f"{{{self.old.namespace}}}"
        if name.startswith(old):
            return f"{{{self.new.namespace}}}{name.removeprefix(old)}"
        return name

    # --- ports and operations ----------------------------------------------------------------

    def documents(self) -> None:
        old, new = self.old, self.new
        if old.namespace != new.namespace:
            self.breaks(
                "targetNamespace",
                f"命名空间由 {old.namespace} 改为 {new.namespace}：这是另一个版本的契约",
                f"the namespace changed from {old.namespace} to {new.namespace}: "
                "this is another version of the contract",
            )
        before, after = soap_ports(old), soap_ports(new)
        gone = [port for key, port in before.items() if key not in after]
        added = [port for key, port in after.items() if key not in before]
        for key, port in before.items():
            if key in after:
                self.ports(port, after[key])
        if len(gone) == len(added) == 1:
            (was,), (now,) = gone, added
            self.changed(was.service, "服务名", "the service's name", was.service, now.service)
            self.changed(was.service, "协议", "the protocol", was.protocol, now.protocol)
            self.ports(was, now)
            return
        for port in gone:
            where = f"{port.service} ({port.protocol})"
            self.breaks(where, "服务或其端口没有了", "the service, or its port, is gone")
        for port in added:
            where = f"{port.service} ({port.protocol})"
            self.notes(where, "新增服务或端口", "a service, or a port, was added")

    def changed(self, where: str, zh: str, en: str, old: str, new: str, bad: bool = True) -> None:
        if old != new:
            self.says(
                bad,
                where,
                f"{zh}由 {old or '（空）'} 改为 {new or '（空）'}",
                f"{en} changed from {old or '(empty)'} to {new or '(empty)'}",
            )

    def ports(self, old: SoapPort, new: SoapPort) -> None:
        where, was, now = old.service, old.binding, new.binding
        types = local(was.port_type), local(now.port_type)
        self.changed(where, "portType 名", "the portType's name", *types)
        self.changed(where, "传输", "the transport", was.transport, now.transport)
        self.changed(where, "端口名", "the port's name", old.name, new.name, False)
        self.changed(where, "binding 名", "the binding's name", was.name, now.name, False)
        for name, operation in old.operations.items():
            if name in new.operations:
                self.operations(f"{where}/{name}", operation, new.operations[name])
            else:
                self.breaks(f"{where}/{name}", "操作没有了", "the operation is gone")
        for name in new.operations:
            if name not in old.operations:
                self.notes(f"{where}/{name}", "新增操作", "an operation was added")

    def operations(self, where: str, old: Operation, new: Operation) -> None:
        action = self.moved_action(old)
        self.changed(where, "SOAPAction", "the SOAPAction", action, new.action)
        self.changed(where, "样式", "the style", old.style, new.style)
        for label, message in old.messages.items():
            fault = label.startswith("fault")
            if label in new.messages:
                direction: Direction = "request" if label == "input" else "answer"
                self.messages(f"{where}/{label}", message, new.messages[label], direction)
            else:
                self.says(not fault, f"{where}/{label}", "消息没有了", "the message is gone")
        for label in new.messages:
            if label not in old.messages:
                fault = label.startswith("fault")
                self.says(not fault, f"{where}/{label}", "新增消息", "a message was added")

    def moved_action(self, operation: Operation) -> str:
        """An action usually is the namespace with the operation's name behind it."""
        old = self.old.namespace
        if old and operation.action.startswith(old):
            return self.new.namespace + operation.action.removeprefix(old)
        return operation.action

    def messages(self, where: str, old: Message, new: Message, direction: Direction) -> None:
        self.changed(where, "编码 use", "its use", old.use, new.use)
        parts, others = self.old.parts(old), self.new.parts(new)
        if len(parts) != len(others):
            self.breaks(where, "消息的 part 数目变了", "the number of message parts changed")
            return
        for before, after in zip(parts, others, strict=True):
            if before.element and after.element:
                if self.moved(before.element) != after.element:
                    self.renamed(where, before.element, after.element)
                else:
                    one = global_element(self.old.schema, before.element)
                    other = global_element(self.new.schema, after.element)
                    self.elements(where, one, other, direction, False)
                # With elements the part's name is nowhere in the message.
                self.changed(where, "part 名", "a part's name", before.name, after.name, False)
            elif not before.element and not after.element:
                self.changed(where, "part 名", "a part's name", before.name, after.name)
                self.named_types(f"{where}/{before.name}", before.type, after.type,
                                 direction, old.use == "encoded")  # fmt: skip
            else:
                self.breaks(
                    where,
                    "part 在 element 与 type 之间改变",
                    "a part changed between an element and a type",
                )

    def named_types(
        self, where: str, old: Name, new: Name, direction: Direction, encoded: bool
    ) -> None:
        if encoded:  # an encoded message says the type's name
            self.changed(where, "类型名", "the type's name", self.moved(old), new)
        self.types(where, self.old.schema.named(old), self.new.schema.named(new), direction)

    def renamed(self, where: str, old: Name, new: Name) -> None:
        self.breaks(where, f"元素由 {old} 改为 {new}", f"the element changed from {old} to {new}")

    # --- elements ----------------------------------------------------------------------------

    def elements(
        self, where: str, old: Element, new: Element, direction: Direction, inside: bool
    ) -> None:
        where = f"{where}/{local(old.name)}" if inside else where
        self.occurrence(where, old, new, direction)
        if old.nillable != new.nillable:
            bad = old.nillable if direction == "request" else new.nillable
            zh = "现在可以为 nil" if new.nillable else "现在不可为 nil"
            en = "it may be nil now" if new.nillable else "it must not be nil now"
            self.says(bad, where, zh, en)
        was, now = old.default or "", new.default or ""
        self.changed(where, "默认值或固定值", "the default or fixed value", was, now)
        self.types(where, self.old.schema.type_of(old), self.new.schema.type_of(new), direction)

    def occurrence(
        self, where: str, old: Element | Group, new: Element | Group, direction: Direction
    ) -> None:
        request = direction == "request"
        if old.least != new.least:
            more = new.least > old.least
            zh = f"最少出现次数由 {old.least} 改为 {new.least}"
            en = f"it must occur {new.least} times at least, not {old.least}"
            self.says(more if request else not more, where, zh, en)
        if old.most != new.most:
            fewer = new.most < old.most
            zh = f"最多出现次数由 {_many(old.most)} 改为 {_many(new.most)}"
            en = f"it may occur {_many(new.most)} times at most, not {_many(old.most)}"
            self.says(fewer if request else not fewer, where, zh, en)

    # --- types -------------------------------------------------------------------------------

    def types(self, where: str, old: Type, new: Type, direction: Direction) -> None:
        if isinstance(old, Complex) and isinstance(new, Complex):
            # A type that several messages share is told where it is met first; one that contains
            # itself would never end.
            met = (id(old), id(new), direction)
            if met not in self._seen:
                self._seen.add(met)
                self._waiting.append((where, old, new, direction))
                if self._depth < _DEEPEST:
                    self.waiting()
        elif isinstance(old, Simple) and isinstance(new, Simple):
            self.simples(where, old, new, direction)
        elif type(old) is not type(new) or old != new:
            self.breaks(where, "类型改变", "the type changed")

    def waiting(self) -> None:
        """Compare the types that were met and not followed yet."""
        while self._waiting:
            self._depth += 1
            self.complexes(*self._waiting.pop())
            self._depth -= 1

    def simples(self, where: str, old: Simple, new: Simple, direction: Direction) -> None:
        for kind, zh, en in differences(old, new):
            bad = kind != "widened" or direction == "answer"
            self.says(bad, where, zh, en)

    def complexes(self, where: str, old: Complex, new: Complex, direction: Direction) -> None:
        if old.mixed != new.mixed or (new.abstract and not old.abstract):
            self.breaks(where, "内容模型改变", "the content model changed")
        if old.text is not None and new.text is not None:
            self.types(where, old.text, new.text, direction)
        elif (old.text is None) != (new.text is None):
            self.breaks(where, "类型改变", "the type changed")
        empty = Group("sequence", 1, 1, ())
        self.groups(where, old.content or empty, new.content or empty, direction)
        self.attributes(where, old.attributes, new.attributes, direction)

    def attributes(
        self,
        where: str,
        old: tuple[Attribute, ...],
        new: tuple[Attribute, ...],
        direction: Direction,
    ) -> None:
        after = {one.name: one for one in new}
        known = set()
        for one in old:
            name = self.moved(one.name)
            known.add(name)
            place = f"{where}/@{local(name)}"
            if name not in after:
                self.breaks(place, "属性没有了", "the attribute is gone")
                continue
            other = after[name]
            if one.required != other.required:
                bad = other.required if direction == "request" else one.required
                zh, en = ("必填", "required") if other.required else ("可选", "optional")
                self.says(bad, place, f"属性现在{zh}", f"the attribute is {en} now")
            self.types(place, one.type, other.type, direction)
        for name, one in after.items():
            if name not in known:
                bad = one.required or direction == "answer"
                self.says(bad, f"{where}/@{local(name)}", "新增属性", "an attribute was added")

    # --- content -----------------------------------------------------------------------------

    def groups(self, where: str, old: Group, new: Group, direction: Direction) -> None:
        if old.kind != new.kind and (len(old.members) > 1 or len(new.members) > 1):
            self.breaks(
                where,
                f"内容由 {old.kind} 改为 {new.kind}",
                f"the content changed from {old.kind} to {new.kind}",
            )
            return
        self.occurrence(where, old, new, direction)
        before = self.keyed(old.members, moved=True)
        after = self.keyed(new.members, moved=False)
        for key, member in before.items():
            if key not in after:
                self.breaks(f"{where}/{_called(member)}", "元素没有了", "the element is gone")
        common = [key for key in before if key in after]
        if old.kind == "sequence":
            order = [key for key in after if key in before]
            if common != order:
                names = "、".join(_called(after[key]) for key in order)
                self.breaks(where, f"元素的顺序改变：{names}", f"the order changed: {names}")
        for key in common:
            self.members(where, before[key], after[key], direction)
        for key, member in after.items():
            if key not in before:
                self.added(where, member, direction, choice=new.kind == "choice")

    def members(self, where: str, old: Member, new: Member, direction: Direction) -> None:
        if isinstance(old, Element) and isinstance(new, Element):
            self.elements(where, old, new, direction, True)
        elif isinstance(old, Group) and isinstance(new, Group):
            self.groups(where, old, new, direction)

    def added(self, where: str, member: Member, direction: Direction, *, choice: bool) -> None:
        place = f"{where}/{_called(member)}"
        if not choice and not _may_be_left_out(member):
            self.breaks(place, "新增必填元素", "a required element was added")
        elif direction == "answer":
            self.breaks(
                place,
                "应答中新增元素，旧客户端可能不认",
                "an element was added to the answer, which older clients may refuse",
            )
        else:
            self.notes(place, "请求中新增可选元素", "an optional element was added to the request")

    def keyed(self, members: tuple[Member, ...], *, moved: bool) -> dict[tuple[str, int], Member]:
        """The members by what tells them apart; the second of the same by its number."""
        counted: Counter[str] = Counter()
        found: dict[tuple[str, int], Member] = {}
        for member in members:
            if isinstance(member, Element):
                key = self.moved(member.name) if moved else member.name
            else:
                key = f"({member.kind})" if isinstance(member, Group) else f"={member.text}"
            found[key, counted[key]] = member
            counted[key] += 1
        return found


def _may_be_left_out(member: Member) -> bool:
    match member:
        case Element():
            return member.least == 0
        case Group():
            each = [_may_be_left_out(one) for one in member.members]
            inside = any(each) if member.kind == "choice" and each else all(each)
            return member.least == 0 or inside
    return False


def _called(member: Member) -> str:
    if isinstance(member, Element):
        return local(member.name)
    return f"({member.kind})" if isinstance(member, Group) else "(xs:…)"


def _many(times: int) -> str:
    return "∞" if times == UNBOUNDED else str(times)
