"""The XML parser for what strangers send: data alone, and nothing fetched."""

from __future__ import annotations

from lxml import etree


def data_parser(*, encoding: str | None = None, huge_tree: bool = False) -> etree.XMLParser:
    """No entity is resolved and nothing is loaded; comments and processing instructions, which
    carry nothing and would split an element's text, are left out. ``encoding``: instead of what
    the document declares. It may be used by one thread at a time."""
    return etree.XMLParser(
        encoding=encoding,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=huge_tree,
        remove_comments=True,
        remove_pis=True,
    )
