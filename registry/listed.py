"""What the pages list and search every hospital and service by: one small row for each, written
when it is saved, so that no page has to go through all that is stored.

Pinyin is what takes time: ten thousand names a second.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text

from registry.model import BusinessEntity, BusinessService, Entity, LangText
from registry.pinyin import keys_of, letter_of
from registry.registered import category, hospital_code, name_in
from registry.tables import metadata
from registry.uddi.wellknown import XML_LOCALNAME, XML_NAMESPACE

_Key = String(255)
# Code point order, as in registry/tables.py.
_Words = String(255).with_variant(String(255, collation="C"), "postgresql")


def _owner() -> Column[Any]:
    to = ForeignKey("entity.key", ondelete="CASCADE")
    return Column("entity_key", _Key, to, primary_key=True)


#: ``code`` is "" where it is no hospital of ours. Listed by ``letter`` and ``pinyin``; ``text`` is
#: what a search looks at, folded: names, code, pinyin, initials, one a line.
listed_business = Table(
    "listed_business",
    metadata,
    _owner(),
    Column("code", _Key, nullable=False),
    Column("zh", Text, nullable=False),
    Column("en", Text, nullable=False),
    Column("letter", String(1), nullable=False),
    Column("pinyin", Text, nullable=False),
    Column("text", Text, nullable=False),
)

#: ``label``: the WSDL service's name, else a name, else the key.
listed_service = Table(
    "listed_service",
    metadata,
    _owner(),
    Column("business_key", _Key, nullable=False),
    Column("position", Integer, nullable=False),
    Column("label", _Words, nullable=False),
    Column("namespace", _Words, nullable=False),
    Column("zh", Text, nullable=False),
    Column("en", Text, nullable=False),
    Index(
        "listed_service_by_label",
        *("label", "namespace", "business_key", "position", "entity_key"),
    ),
)


def listed_rows(item: Entity, parent_key: str | None, position: int) -> dict[Table, dict[str, Any]]:
    """The row of an entity, without its children, that is listed."""
    match item:
        case BusinessEntity():
            return {listed_business: {"entity_key": item.key, **_business(item)}}
        case BusinessService():
            place = {"business_key": parent_key, "position": position}
            return {listed_service: {"entity_key": item.key, **place, **_service(item)}}
    return {}


def _business(item: BusinessEntity) -> dict[str, str]:
    code, zh, en = hospital_code(item) or "", name_in(item.names, "zh"), only(item.names, "en")
    pinyin, initials = keys_of(zh)
    return {
        "code": code,
        "zh": zh,
        "en": en,
        "letter": letter_of(zh or en),
        "pinyin": pinyin or en.casefold(),
        "text": "\n".join((zh, en, code, pinyin, initials)).casefold(),
    }


def _service(item: BusinessService) -> dict[str, str]:
    zh = name_in(item.names, "zh")
    return {
        "label": category(item, XML_LOCALNAME) or zh or item.key,
        "namespace": category(item, XML_NAMESPACE),
        "zh": zh,
        "en": only(item.names, "en"),
    }


def only(names: Iterable[LangText], lang: str) -> str:
    """The name in that language; "" where there is none."""
    return next((one.value for one in names if one.lang.lower().partition("-")[0] == lang), "")
