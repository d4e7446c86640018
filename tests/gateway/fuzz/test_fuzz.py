"""Any bytes end in a message within the limits or in a Fault: Hypothesis, and what was found."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.soap.version import SOAP_1_1, SOAP_1_2
from tests.gateway.fuzz.properties import check

CORPUS = sorted((Path(__file__).parent / "corpus").iterdir())
LAB = "urn:yilian:LabResults:1"

_pieces = st.sampled_from(
    [
        *("<a>", "</a>", "<a/>", "<b c='1'>", "</b>", '<a b="1" c="2"/>', "<a xmlns='urn:1'/>"),
        *("<!-- x -->", "<![CDATA[<a>]]>", "<![CDATA[", "]]>", "<?x?>", "<!DOCTYPE a>", "&lt;"),
        *("&#65;", "&#xD842;&#xDFB7;", "&b;", "text ", "中", "=", '"', "'", ">", "<", "\0", "\t"),
        *("x" * 300, "<" + "n" * 301 + "/>", "<a " + "q" * 301 + "='1'/>", "<a b='" + "v" * 300),
        *(
            "<PatientId>1</PatientId>",
            "<RequestId>1</RequestId>",
            "<a b=' > '/>",
            "<a\n b\t=\n'c'/>",
        ),
        " ".join(f"<a xmlns:p{n}='urn:{n}'/>" for n in range(9)),
        "<a " + " ".join(f"a{n}='1'" for n in range(11)) + "/>",
        "<a " + " ".join(f"a{n} = '{'>' * 40}'" for n in range(11)) + "/>",
        '<i:include xmlns:i="http://www.w3.org/2001/XInclude"/>',
    ]
)
_contents = st.lists(_pieces, max_size=14).map("".join)


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """Envelopes that are nearly right."""
    version = draw(st.sampled_from([SOAP_1_1, SOAP_1_2]))
    header = draw(st.one_of(st.just(""), _contents.map(lambda c: f"<s:Header>{c}</s:Header>")))
    body = draw(_contents)
    before = draw(st.sampled_from(["", "<?xml version='1.0'?>", " ", "<!-- -->"]))
    behind = draw(st.sampled_from(["", chr(0), " ", "<!-- -->", "<?x?>", "<a/>"]))
    text = (
        f'{before}<s:Envelope xmlns:s="{version.envelope}">{header}<s:Body>'
        f'<GetLabResult xmlns="{LAB}">{body}</GetLabResult></s:Body></s:Envelope>{behind}'
    )
    encoding = draw(st.sampled_from(["utf-8", "utf-8", "utf-8", "gb18030", "utf-16", "utf-16-le"]))
    data = bytes([draw(st.integers(0, 6))]) + text.encode(encoding)
    at = draw(st.integers(0, len(data)))
    cut = draw(st.sampled_from([0, 0, 0, 1, 5]))
    return data[:at] + draw(st.binary(max_size=2)) + data[at + cut :]


@settings(max_examples=400, deadline=None)
@given(messages())
def test_nearly_right_messages(data: bytes) -> None:
    check(data)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    check(data)


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name[:12])
def test_the_corpus(path: Path) -> None:
    """What fuzzing has found to go a way of its own, and mutations of it."""
    data = path.read_bytes()
    check(data)
    chance = random.Random(path.name)
    for _ in range(5):
        at = chance.randrange(len(data) + 1)
        check(data[:at] + bytes([chance.randrange(256)]) + data[at + chance.randrange(3) :])


def test_some_of_the_corpus_passes() -> None:
    assert sum(check(path.read_bytes()) is not None for path in CORPUS) >= 3
