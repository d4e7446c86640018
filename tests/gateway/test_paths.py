"""Which spellings of a path are canonical."""

from __future__ import annotations

import posixpath
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.binding import Binding, origin, route_of
from gateway.paths import NotCanonical, canonical

segments = st.from_regex(r"[A-Za-z0-9~_-][A-Za-z0-9._~-]{0,20}", fullmatch=True)
hostile = st.text(alphabet="ab/.%2eEfF;\\?#:@ \x00\t华", max_size=20)


@given(st.lists(segments, min_size=1, max_size=8))
def test_plain_paths_are_canonical(parts: list[str]) -> None:
    path = "/" + "/".join(parts)
    assert canonical(path.encode()) == path


@given(st.one_of(st.binary(max_size=40), hostile.map(str.encode), hostile))
def test_what_is_canonical_reads_the_same_however_it_is_read(raw: bytes | str) -> None:
    try:
        path = canonical(raw)
    except NotCanonical:
        return
    assert path == (raw if isinstance(raw, str) else raw.decode("ascii"))
    assert urllib.parse.unquote(path) == path
    assert urllib.parse.quote(path) == path
    assert posixpath.normpath(path) == path
    assert urllib.parse.urlsplit(f"http://h{path}").path == path
    assert ";" not in path and "\\" not in path and "//" not in path


@pytest.mark.parametrize("path", ["", "/", "hx", "/.", "/..", "/a/..", "/a\n", "/a/b\r", "/a b"])
def test_these_are_not(path: str) -> None:
    with pytest.raises(NotCanonical):
        canonical(path)


@pytest.mark.parametrize("path", ["/hx/LabResults", "/hx/HisService.asmx", "/a-1/...x", "/a/b..c"])
def test_these_are(path: str) -> None:
    assert canonical(path) == path


def test_the_route_is_the_access_points_path() -> None:
    binding = Binding("hx", "HisService", "http://10.0.0.1:8082/hx/HisService.asmx")
    assert route_of(binding) == "/hx/HisService.asmx"


@pytest.mark.parametrize(
    "access_point",
    [
        "ftp://n/hx/LabResults",
        "http:///hx/LabResults",
        "http://u:p@n/hx/LabResults",
        "http://n/hx/LabResults?wsdl",
        "http://n/hx/LabResults#x",
        "http://n/sq/LabResults",  # another hospital's
        "http://n/LabResults",
        "http://n/soap/hx/LabResults",
        "http://n/hx/../hx/LabResults",
        "http://n/hx/Lab%52esults",
        "http://n:99999/hx/LabResults",
        "http://n:x/hx/LabResults",
        "http://[::1/hx/LabResults",
        "http://n/hx/Lab Results",
        "http://169.254.169.254/hx/LabResults",  # a cloud's keys
        "http://[fe80::1]/hx/LabResults",
        "http://[::ffff:169.254.169.254]/hx/LabResults",
        "http://0.0.0.0:8080/hx/LabResults",
        "http://224.0.0.1/hx/LabResults",
        "http://2130706433/hx/LabResults",  # 127.0.0.1 to a C library
        "http://127.1/hx/LabResults",
        "http://0x7f.1/hx/LabResults",
        "http://0x7f000001/hx/LabResults",
        "",
    ],
)
def test_a_binding_that_is_not_fit_is_refused(access_point: str) -> None:
    with pytest.raises(ValueError):
        route_of(Binding("hx", "LabResults", access_point))


def test_an_origin_has_one_spelling() -> None:
    assert origin("HTTP://Node/x") == origin("http://node:80/") == "http://node:80"
    assert origin("https://node/") == "https://node:443"
