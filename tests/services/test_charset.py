"""Every encoding that a legacy client sends, and none that is guessed."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.faults import MalformedMessage
from services.soap.charset import to_utf8
from services.soap.envelope import parse

NAME = "朱镕喆"


def soap(declaration: str = "") -> str:
    return (
        f'{declaration}<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        f"<op>{NAME}</op></s:Body></s:Envelope>"
    )


def declared(encoding: str) -> str:
    return soap(f'<?xml version="1.0" encoding="{encoding}"?>')


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (soap().encode(), None),
        (soap().encode(), "text/xml"),
        (soap().encode(), 'text/xml; charset="UTF-8"'),
        (soap().encode(), "text/xml;charset=utf8"),
        (declared("utf-8").encode(), "text/xml"),
        (b"\xef\xbb\xbf" + declared("utf-8").encode(), "text/xml; charset=utf-8"),
        (declared("GB2312").encode("gbk"), "text/xml"),
        (declared("gbk").encode("gbk"), None),
        (declared("GB18030").encode("gb18030"), "text/xml"),
        (soap().encode("gbk"), "text/xml; charset=GB2312"),
        (soap().encode("gb18030"), "text/xml; charset=GB18030"),
        (declared("gb2312").encode(), "text/xml; charset=utf-8"),  # converted on its way
        (soap().encode("utf-16"), "text/xml"),
        (soap().encode("utf-16"), "text/xml; charset=utf-16"),
        (declared("utf-16").encode("utf-16-le"), None),
        (soap().encode("utf-16-be"), None),
        (soap().encode() + b"\0", "text/xml; charset=utf-8"),
        (b"\r\n " + declared("utf-8").encode(), "text/xml"),
    ],
)
def test_the_name_arrives(body: bytes, content_type: str | None) -> None:
    assert parse(body, content_type).body.text == NAME


@pytest.mark.parametrize(
    ("body", "content_type", "word"),
    [
        (soap().encode("gbk"), "text/xml; charset=utf-8", "utf-8"),
        (soap().encode("gbk"), None, "utf-8"),
        (soap().encode(), "text/xml; charset=klingon", "klingon"),
        (declared("klingon").encode(), None, "klingon"),
        (soap().encode("utf-16"), "text/xml; charset=gbk", "gbk"),
        (b"\xef\xbb\xbf" + soap().encode(), "text/xml; charset=gb2312", "gb2312"),
        (soap().encode("utf-16")[:-1], None, "utf-16"),
        (b"\xc0\xbc" + soap().encode(), None, "utf-8"),  # an overlong '<'
        # Another reader would find the declaration, however far off its encoding is.
        (soap(f'<?xml version="1.0"{" " * 500}encoding="utf-7"?>').encode(), None, "utf-7"),
        (soap(f'<?xml version="1.0"{" " * 900}encoding="gbk"?>').encode("utf-16"), None, "gbk"),
        (soap().encode(), "text/xml; charset=utf-8; charset=utf-16", "one charset"),
        (soap().encode(), "text/xml; charset=utf-8; CHARSET*=gbk''x", "one charset"),
        (soap().encode(), "text/xml" + ";" * 30_000, "longer than"),  # seconds of parsing
    ],
)
def test_a_charset_that_disagrees_with_the_bytes_is_refused(
    body: bytes, content_type: str | None, word: str
) -> None:
    with pytest.raises(MalformedMessage) as refused:
        parse(body, content_type)
    assert word in refused.value.en


@given(st.binary(max_size=60), st.sampled_from([None, "text/xml", "text/xml; charset=gbk", ";"]))
def test_any_bytes_are_utf8_or_a_fault(body: bytes, content_type: str | None) -> None:
    with contextlib.suppress(MalformedMessage):
        to_utf8(body, content_type).decode("utf-8")
