"""Request bytes, in whichever encoding a client sends, to UTF-8.

What counts, in this order: a byte order mark; the charset of the HTTP Content-Type; the XML
declaration; UTF-8. The charset outranks the declaration, as RFC 7303 says, because transports
convert a body and leave its declaration behind. Bytes that are not text in that encoding are a
fault: nothing is replaced and nothing is guessed.

GB2312 and GBK are read as GB18030, their superset: clients declare gb2312 and send names (喆) that
only GBK has.
"""

from __future__ import annotations

import re
from email.message import Message
from functools import lru_cache

from services.faults import MalformedMessage

_GB = "gb18030"
_CODECS = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "utf-8",
    "ascii": "utf-8",
    "utf-16": "utf-16",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
    "unicode": "utf-16",
    "gb2312": _GB,
    "gbk": _GB,
    "cp936": _GB,
    "ms936": _GB,
    "windows-936": _GB,
    "x-gbk": _GB,
    "gb18030": _GB,
    "iso-8859-1": "latin-1",
    "latin1": "latin-1",
    "windows-1252": "cp1252",
}
_MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
    # No mark, but only UTF-16 begins a document like this.
    (b"<\x00", "utf-16-le"),
    (b"\x00<", "utf-16-be"),
)
_DECLARATION = re.compile(rb"""^\s*<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
#: characters of a Content-Type: what is longer only keeps the parser of it busy
_LONGEST = 1024
_CHARSET = re.compile(r";\s*charset\*?(?:\d+\*?)?\s*=", re.IGNORECASE)


def to_utf8(body: bytes, content_type: str | None) -> bytes:
    """The body as UTF-8 without byte order mark or trailing NULs (an ASMX server takes those).

    Its XML declaration may still name another encoding: a parser must be told to read UTF-8.
    MalformedMessage: an unknown charset, or bytes that disagree with it.
    """
    charset, codec = _declared(content_type) if content_type else (None, None)
    mark = None
    if body[:1] != b"<" or body[1:2] == b"\0":
        mark = next((entry for entry in _MARKS if body.startswith(entry[0])), None)
    if mark is not None:
        prefix, marked = mark
        if codec is not None and not _same(codec, marked):
            raise _mixed(f"HTTP 声明的字符集 {charset}", f"charset {charset}", marked)
        if codec is None:
            _declaration_agrees(body, marked)
        codec = marked
        if prefix[0] not in (0x00, 0x3C):
            body = body[len(prefix) :]
    elif codec is None:
        # Not a piece of it: another reader would find the declaration, however long it is.
        declared = _DECLARATION.match(body)
        codec = _codec(declared[1].decode("ascii"), "XML encoding") if declared else "utf-8"
    if codec == "utf-8" and body.isascii():
        return body.rstrip(b"\0")
    text = _decoded(body, codec)
    return body.rstrip(b"\0") if codec == "utf-8" else text.rstrip("\0").encode()


def to_text(document: bytes, charset: str | None = None) -> str:
    """A document's text without byte order mark. What documents begin as outranks ``charset`` and
    declaration, which may be left from before they were converted. MalformedMessage."""
    codec = next((codec for mark, codec in _MARKS if document.startswith(mark)), "")
    if not codec:
        declared = _DECLARATION.match(document[:256])
        name = charset or (declared[1].decode("ascii") if declared else "utf-8")
        codec = _codec(name, "encoding")
    return _decoded(document, codec).removeprefix("\ufeff")


def _decoded(body: bytes, codec: str) -> str:
    try:
        return body.decode(codec)
    except UnicodeDecodeError as error:
        raise MalformedMessage(
            f"内容不是有效的 {codec} 文本（第 {error.start + 1} 字节），请核对 charset 与实际编码",
            f"the body is not {codec} text at byte {error.start + 1}; check charset and encoding",
            rule="charset",
        ) from None


def _declaration_agrees(body: bytes, marked: str) -> None:
    """Where no charset outranks it, the XML declaration must fit what the body begins as: GBK that
    is declared and UTF-16 that is sent is nobody's mistake."""
    end = body.find("?>".encode(marked))
    text = body[: max(end, 0)].decode(marked, "ignore").lstrip("\ufeff").encode()
    declared = _DECLARATION.match(text)
    if declared is None:
        return
    name = declared[1].decode("ascii")
    if not _same(_codec(name, "XML encoding"), marked):
        raise _mixed(f"XML 声明的编码 {name}", f"the XML declaration's {name}", marked)


def _mixed(zh: str, en: str, marked: str) -> MalformedMessage:
    return MalformedMessage(
        f"{zh} 与内容开头（{marked}）不符，请统一为 UTF-8",
        f"{en} disagrees with the body, which begins as {marked}; send UTF-8",
        rule="charset",
    )


@lru_cache(maxsize=256)  # a client sends the same one every time, and reading it is slow
def _declared(content_type: str) -> tuple[str | None, str | None]:
    """The charset that a Content-Type names, and Python's name for it."""
    if len(content_type) > _LONGEST:
        raise MalformedMessage(
            f"Content-Type 超过 {_LONGEST} 个字符",
            f"the Content-Type is longer than {_LONGEST} characters",
            rule="charset",
        )
    if len(_CHARSET.findall(content_type)) > 1:
        raise MalformedMessage(
            "Content-Type 中只能有一个 charset",
            "a Content-Type names one charset; another reader would take another one",
            rule="charset",
        )
    message = Message()
    message["Content-Type"] = content_type
    charset = message.get_content_charset()
    return charset, _codec(charset, "HTTP charset") if charset else None


def _codec(name: str, where: str) -> str:
    try:
        return _CODECS[name.lower().replace("_", "-")]
    except KeyError:
        known = "UTF-8, UTF-16, GB18030, GBK, GB2312"
        raise MalformedMessage(
            f"不支持的字符集 {name[:40]}（{where}），可用：{known}",
            f"unknown {where} {name[:40]}; use one of {known}",
            rule="charset",
        ) from None


def _same(declared: str, marked: str) -> bool:
    return declared == marked or (declared == "utf-16" and marked.startswith("utf-16"))
