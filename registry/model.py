"""The registry's entities, as UDDI 3 names them, independent of any version's XML.

    BusinessEntity > BusinessService > BindingTemplate > TModelInstanceInfo
    TModel stands alone.

Everything is frozen and compares by value. Keys are lower case. An empty string is an absent
text or attribute; an empty tuple is an absent list.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["business", "service", "binding", "tmodel"]


@dataclass(frozen=True, slots=True)
class LangText:
    """A name, description or personName with its xml:lang ("" where none was given)."""

    value: str
    lang: str = ""


@dataclass(frozen=True, slots=True)
class UseText:
    """A text with a useType: accessPoint, overviewURL, discoveryURL, phone, email."""

    value: str
    use_type: str = ""


@dataclass(frozen=True, slots=True)
class KeyedReference:
    """``key_value`` in the system that ``tmodel_key`` names; ``key_name`` is for people."""

    tmodel_key: str
    key_value: str
    key_name: str = ""


@dataclass(frozen=True, slots=True)
class KeyedReferenceGroup:
    """References that only mean something together."""

    tmodel_key: str
    references: tuple[KeyedReference, ...] = ()


@dataclass(frozen=True, slots=True)
class CategoryBag:
    references: tuple[KeyedReference, ...] = ()
    groups: tuple[KeyedReferenceGroup, ...] = ()


@dataclass(frozen=True, slots=True)
class OverviewDoc:
    overview_url: UseText | None = None
    descriptions: tuple[LangText, ...] = ()


@dataclass(frozen=True, slots=True)
class InstanceDetails:
    instance_parms: str = ""
    overview_docs: tuple[OverviewDoc, ...] = ()
    descriptions: tuple[LangText, ...] = ()


@dataclass(frozen=True, slots=True)
class TModelInstanceInfo:
    """One tModel of a binding's technical fingerprint."""

    tmodel_key: str
    instance_details: InstanceDetails | None = None
    descriptions: tuple[LangText, ...] = ()


@dataclass(frozen=True, slots=True)
class AddressLine:
    value: str
    key_name: str = ""
    key_value: str = ""


@dataclass(frozen=True, slots=True)
class Address:
    lines: tuple[AddressLine, ...] = ()
    lang: str = ""
    use_type: str = ""
    sort_code: str = ""
    tmodel_key: str = ""


@dataclass(frozen=True, slots=True)
class Contact:
    person_names: tuple[LangText, ...]
    use_type: str = ""
    descriptions: tuple[LangText, ...] = ()
    phones: tuple[UseText, ...] = ()
    emails: tuple[UseText, ...] = ()
    addresses: tuple[Address, ...] = ()


@dataclass(frozen=True, slots=True)
class BindingTemplate:
    """Where a service is reached: ``access_point``, or the binding that it redirects to."""

    key: str = ""
    service_key: str = ""
    access_point: UseText | None = None
    hosting_redirector: str = ""
    instances: tuple[TModelInstanceInfo, ...] = ()
    category_bag: CategoryBag = field(default_factory=CategoryBag)
    descriptions: tuple[LangText, ...] = ()


@dataclass(frozen=True, slots=True)
class BusinessService:
    key: str = ""
    business_key: str = ""
    names: tuple[LangText, ...] = ()
    bindings: tuple[BindingTemplate, ...] = ()
    category_bag: CategoryBag = field(default_factory=CategoryBag)
    descriptions: tuple[LangText, ...] = ()


@dataclass(frozen=True, slots=True)
class BusinessEntity:
    key: str = ""
    names: tuple[LangText, ...] = ()
    services: tuple[BusinessService, ...] = ()
    identifier_bag: tuple[KeyedReference, ...] = ()
    category_bag: CategoryBag = field(default_factory=CategoryBag)
    descriptions: tuple[LangText, ...] = ()
    discovery_urls: tuple[UseText, ...] = ()
    contacts: tuple[Contact, ...] = ()


@dataclass(frozen=True, slots=True)
class TModel:
    """A contract, a category system or a protocol. ``deleted``: hidden from find."""

    key: str = ""
    name: LangText = field(default_factory=lambda: LangText(""))
    overview_docs: tuple[OverviewDoc, ...] = ()
    identifier_bag: tuple[KeyedReference, ...] = ()
    category_bag: CategoryBag = field(default_factory=CategoryBag)
    descriptions: tuple[LangText, ...] = ()
    deleted: bool = False


Entity = BusinessEntity | BusinessService | BindingTemplate | TModel


@dataclass(frozen=True, slots=True)
class OperationalInfo:
    """What the registry itself knows of an entity. Times are microseconds since 1970, UTC."""

    key: str
    created: int
    modified: int
    modified_including_children: int
    publisher: str


@dataclass(frozen=True, slots=True)
class Find:
    """What a find_* asks for, the four alike; what an operation has no use for stays empty.

    ``qualifiers`` are as sent. ``parent_key`` is find_service's businessKey or find_binding's
    serviceKey. ``max_rows`` and ``list_head`` (from 1) are None where they were not sent.
    """

    qualifiers: tuple[str, ...] = ()
    names: tuple[LangText, ...] = ()
    identifier_bag: tuple[KeyedReference, ...] = ()
    category_bag: CategoryBag = field(default_factory=CategoryBag)
    tmodel_bag: tuple[str, ...] = ()
    find_tmodel: Find | None = None
    discovery_urls: tuple[UseText, ...] = ()
    parent_key: str = ""
    max_rows: int | None = None
    list_head: int | None = None
