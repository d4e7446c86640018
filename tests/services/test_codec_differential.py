"""The codec against the published schema (lxml) and spyne's own Soap11: the same verdicts and the
same values, on valid envelopes and on broken ones.

YILIAN_THOROUGH=5 in the environment makes five times as many envelopes, as CI does once.
"""

from __future__ import annotations

import os
from dataclasses import asdict, is_dataclass
from datetime import datetime, timedelta, timezone
from typing import Any
from xml.sax.saxutils import escape

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from spyne import MethodContext
from spyne.server import ServerBase

from services.catalogue import CONTRACTS
from services.contract import Code, Field, ListOf, RecordType
from services.faults import ClientFault, InvalidArgument
from services.soap import envelope
from services.soap.codec import codecs
from services.soap.interface import Interface, WireOperation, typed_interface
from services.soap.version import SOAP_1_1
from services.soap.wsdl import schema, spyne_application
from tests.services.sample import Sample

INTERFACES = [typed_interface(contract) for contract in (*CONTRACTS.values(), Sample)]
CASES = [(interface, op) for interface in INTERFACES for op in interface.operations]
THOROUGH = int(os.environ.get("YILIAN_THOROUGH", "1"))
ANY_PACE: Any = {"suppress_health_check": [HealthCheck.too_slow], "deadline": None}
XSI = "http://www.w3.org/2001/XMLSchema-instance"
LOCAL = timezone(timedelta(hours=8))

# --- texts that a client might send ---------------------------------------------------------

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=40) | (
    st.sampled_from(["", " ", "  a ", "张伟", "𠮷㐂喆", "a\nb", "<&>\"'", "x" * 40, "x" * 600, "R"])
)
VALUES: dict[str, st.SearchStrategy[str]] = {
    "str": TEXT,
    "int": st.integers(-5, 120).map(str)
    | st.sampled_from(["", " 7\n", "+7", "1.0", "x", "99999999999", "٣", "1 2"]),
    "bool": st.sampled_from(["true", "false", "1", "0", " true ", "True", "yes", ""]),
    "Decimal": st.sampled_from(
        ["1", "1.25", " 2.50 ", "-1.1", "1.234", "123456.7", "1e3", "NaN", "", ".5", "000001.1000"]
    ),
    # No white space around dates: XML Schema collapses it, and so do we; libxml2 does not.
    "date": st.sampled_from(
        [
            "2026-11-21",
            "2026-11-21Z",
            "2026-11-21+08:00",
            "2026-02-29",
            "",
            "x",
            "20261121",
            "2026-1-1",
        ]
    ),
    "datetime": st.sampled_from(
        [
            "2026-11-21T08:00:00",
            "2026-11-21T00:00:00Z",
            "2026-11-21T08:00:00.5+08:00",
            "2026-11-21",
            "2026-11-21 08:00:00",
            "2026-13-01T00:00:00",
            "",
        ]
    ),
}


def _leaf(kind: Any) -> st.SearchStrategy[str]:
    """The inside of an element: text, in any of the ways in which XML can write it."""

    def write(pair: tuple[str, int]) -> str:
        text, how = pair
        middle = len(text) // 2
        written = escape(text)
        if how == 1 and "]]>" not in text:
            return f"<![CDATA[{text}]]>"
        if how == 2:
            return escape(text[:middle]) + "<!-- | -->" + escape(text[middle:])
        if how == 3:
            return "".join(f"&#{ord(c)};" for c in text)
        if how == 4:
            return written + "<inner/>"
        return written

    values = VALUES[kind.python.__name__]
    if isinstance(kind.facet, Code):
        values = st.sampled_from([*kind.facet.table, "?", "", "RR"])
    return st.tuples(values, st.sampled_from([0, 0, 0, 0, 1, 2, 3, 4])).map(write)


def _element(field: Field, ns: str = "") -> st.SearchStrategy[str]:
    inside = _content(field)
    attribute = st.sampled_from(
        [""] * 12
        + [' x="1"', f' xmlns:xsi="{XSI}" xsi:nil="true"', f' xmlns:xsi="{XSI}" xsi:nil="false"']
        + [f' xmlns:xsi="{XSI}" xsi:schemaLocation="urn:a b"', ' xml:lang="zh"']
    )
    return st.tuples(attribute, inside).map(
        lambda pair: f"<{field.name}{ns}{pair[0]}>{pair[1]}</{field.name}>"
    )


def _content(field: Field) -> st.SearchStrategy[str]:
    kind = field.type
    if isinstance(kind, ListOf):
        item = _element(Field(kind.item.name, kind.item, True, field.doc))
        return st.lists(item, max_size=3).map("".join)
    if isinstance(kind, RecordType):
        return _sequence(kind.fields)
    return _leaf(kind)


@st.composite
def _sequence(draw: st.DrawFn, fields: tuple[Field, ...]) -> str:
    parts = [
        draw(_element(field))
        for field in fields
        if draw(st.integers(0, 19)) >= (1 if field.required else 6)
    ]
    trouble = draw(st.sampled_from([""] * 10 + ["swap", "twice", "unknown", "ns", "text", "space"]))
    if trouble == "swap":
        parts = draw(st.permutations(parts))
    elif trouble == "twice" and parts:
        parts.insert(draw(st.integers(0, len(parts))), draw(st.sampled_from(parts)))
    elif trouble == "unknown":
        parts.insert(draw(st.integers(0, len(parts))), "<Unknown>1</Unknown>")
    elif trouble == "ns" and fields:
        parts.append(
            draw(_element(fields[0], draw(st.sampled_from([' xmlns=""', ' xmlns="u:x"']))))
        )
    elif trouble == "text":
        parts.insert(draw(st.integers(0, len(parts))), "stray")
    elif trouble == "space":
        parts.insert(draw(st.integers(0, len(parts))), "\n <!-- comment --> <?pi x?>\t")
    return "".join(parts)


@st.composite
def wrappers(draw: st.DrawFn, interface: Interface, operation: WireOperation) -> str:
    inside = draw(_sequence(operation.request))
    prefix = draw(st.sampled_from(["", "", "", ' a="1"']))
    return f'<{operation.name} xmlns="{interface.namespace}"{prefix}>{inside}</{operation.name}>'


def _enveloped(wrapper: str) -> bytes:
    return envelope.wrap(SOAP_1_1, wrapper)


def _decoded(interface: Interface, body: bytes) -> dict[str, Any] | ClientFault:
    try:
        message = envelope.parse(body, "text/xml; charset=utf-8")
        return codecs(interface)[str(message.body.tag)].decode(message.body, message.others)
    except ClientFault as fault:
        return fault


SCHEMAS = {interface.name: etree.XMLSchema(schema(interface)) for interface in INTERFACES}


@pytest.mark.parametrize(
    ("interface", "operation"), CASES, ids=[f"{i.name}.{o.name}" for i, o in CASES]
)
def test_same_verdict_as_the_published_schema(
    interface: Interface, operation: WireOperation
) -> None:
    @settings(max_examples=40 * THOROUGH, **ANY_PACE)
    @given(wrappers(interface, operation))
    def check(wrapper: str) -> None:
        decoded = _decoded(interface, _enveloped(wrapper))
        valid = SCHEMAS[interface.name].validate(etree.fromstring(wrapper))
        if isinstance(decoded, InvalidArgument) and "code table" in decoded.en:
            return  # stated: the schema publishes no enumeration
        if (
            not valid
            and not isinstance(decoded, ClientFault)
            and _only_datetimes_for_dates(wrapper)
        ):
            return  # stated: a dateTime is taken for a date
        assert valid == (not isinstance(decoded, ClientFault)), decoded

    check()


def _only_datetimes_for_dates(wrapper: str) -> bool:
    return "T" in wrapper and "Day" in wrapper


# --- spyne, as it would have run the call ---------------------------------------------------


class _Direct(ServerBase):
    transport = "direct"


def _by_spyne(interface: Interface, body: bytes) -> list[Any] | str:
    """The arguments that spyne would have passed, or why it refused. One application a call: its
    lxml validator keeps errors on the shared schema."""
    application = _APPLICATIONS[interface.name]
    server = _Direct(application)
    initial = MethodContext(server, MethodContext.SERVER)
    initial.in_string = [body]
    (context,) = server.generate_contexts(initial, "utf-8")
    if not context.in_error:
        server.get_in_object(context)
    if context.in_error:
        return str(context.in_error)
    return list(context.in_object)


_APPLICATIONS = {
    interface.name: spyne_application(interface, lambda name, arguments: None, validator="lxml")
    for interface in INTERFACES
}


def _plain(value: Any) -> Any:
    """A value without what only one side keeps: classes, zones, None for an empty string."""
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, datetime):
        return value.astimezone(LOCAL).replace(tzinfo=None) if value.tzinfo else value
    if is_dataclass(value) and not isinstance(value, type):
        return {key: _plain(one) for key, one in asdict(value).items()}
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if hasattr(type(value), "_type_info"):
        return {key: _plain(getattr(value, key)) for key in type(value)._type_info}
    return value


@pytest.mark.parametrize(
    ("interface", "operation"), CASES, ids=[f"{i.name}.{o.name}" for i, o in CASES]
)
def test_same_verdict_and_values_as_spyne(interface: Interface, operation: WireOperation) -> None:
    @settings(max_examples=20 * THOROUGH, **ANY_PACE)
    @given(wrappers(interface, operation))
    def check(wrapper: str) -> None:
        body = _enveloped(wrapper)
        ours, theirs = _decoded(interface, body), _by_spyne(interface, body)
        if isinstance(ours, ClientFault):
            assert isinstance(theirs, str) or "code table" in ours.en, ours
            return
        assert not isinstance(theirs, str), theirs
        if "> true <" in wrapper:
            return  # spyne's mistake: its own validator accepts it, and then it reads false
        assert _plain(list(ours.values())) == _plain(theirs)

    check()
