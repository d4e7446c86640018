"""UDDI 3 XML to the model and back: one table for all structures, read and written alike.

The table's order is the schema's. Structure and lengths are checked beforehand by uddi_v3.xsd
(registry.uddi.schema), so reading only picks up what is there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar, cast

from lxml import etree

from registry.errors import UddiError
from registry.keys import fold
from registry.model import (
    Address,
    AddressLine,
    BindingTemplate,
    BusinessEntity,
    BusinessService,
    CategoryBag,
    Contact,
    Find,
    InstanceDetails,
    KeyedReference,
    KeyedReferenceGroup,
    LangText,
    OverviewDoc,
    TModel,
    TModelInstanceInfo,
    UseText,
)
from registry.rows import fold_reference

NAMESPACE = "urn:uddi-org:api_v3"

XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Attribute:
    """``always``: written even when it is empty."""

    field: str
    name: str
    type: type = str
    key: bool = False
    always: bool = False


@dataclass(frozen=True, slots=True)
class Content:
    """The element's own text; an address is trimmed, a name is not."""

    field: str


@dataclass(frozen=True, slots=True)
class Child:
    """A child element. ``wrap``: a list that stands inside an element of its own. A type of str
    is the element's text."""

    field: str
    name: str
    type: type
    many: bool = False
    wrap: str = ""
    key: bool = False


Part = Attribute | Content | Child

_BAG = Child("category_bag", "categoryBag", CategoryBag)
_IDENTIFIERS = Child("identifier_bag", "keyedReference", KeyedReference, True, "identifierBag")
_DESCRIPTIONS = Child("descriptions", "description", LangText, True)
_OVERVIEWS = Child("overview_docs", "overviewDoc", OverviewDoc, True)

TABLE: dict[type, tuple[Part, ...]] = {
    LangText: (Attribute("lang", XML_LANG), Content("value")),
    UseText: (Attribute("use_type", "useType"), Content("value")),
    KeyedReference: (
        Attribute("tmodel_key", "tModelKey", key=True, always=True),
        Attribute("key_name", "keyName"),
        Attribute("key_value", "keyValue", always=True),
    ),
    KeyedReferenceGroup: (
        Attribute("tmodel_key", "tModelKey", key=True, always=True),
        Child("references", "keyedReference", KeyedReference, True),
    ),
    CategoryBag: (
        Child("references", "keyedReference", KeyedReference, True),
        Child("groups", "keyedReferenceGroup", KeyedReferenceGroup, True),
    ),
    OverviewDoc: (_DESCRIPTIONS, Child("overview_url", "overviewURL", UseText)),
    InstanceDetails: (_DESCRIPTIONS, _OVERVIEWS, Child("instance_parms", "instanceParms", str)),
    TModelInstanceInfo: (
        Attribute("tmodel_key", "tModelKey", key=True, always=True),
        _DESCRIPTIONS,
        Child("instance_details", "instanceDetails", InstanceDetails),
    ),
    AddressLine: (
        Attribute("key_name", "keyName"),
        Attribute("key_value", "keyValue"),
        Content("value"),
    ),
    Address: (
        Attribute("lang", XML_LANG),
        Attribute("use_type", "useType"),
        Attribute("sort_code", "sortCode"),
        Attribute("tmodel_key", "tModelKey", key=True),
        Child("lines", "addressLine", AddressLine, True),
    ),
    Contact: (
        Attribute("use_type", "useType"),
        _DESCRIPTIONS,
        Child("person_names", "personName", LangText, True),
        Child("phones", "phone", UseText, True),
        Child("emails", "email", UseText, True),
        Child("addresses", "address", Address, True),
    ),
    BindingTemplate: (
        Attribute("key", "bindingKey", key=True),
        Attribute("service_key", "serviceKey", key=True),
        _DESCRIPTIONS,
        Child("access_point", "accessPoint", UseText),
        Child("hosting_redirector", "hostingRedirector", str),
        Child("instances", "tModelInstanceInfo", TModelInstanceInfo, True, "tModelInstanceDetails"),
        _BAG,
    ),
    BusinessService: (
        Attribute("key", "serviceKey", key=True),
        Attribute("business_key", "businessKey", key=True),
        Child("names", "name", LangText, True),
        _DESCRIPTIONS,
        Child("bindings", "bindingTemplate", BindingTemplate, True, "bindingTemplates"),
        _BAG,
    ),
    BusinessEntity: (
        Attribute("key", "businessKey", key=True),
        Child("discovery_urls", "discoveryURL", UseText, True, "discoveryURLs"),
        Child("names", "name", LangText, True),
        _DESCRIPTIONS,
        Child("contacts", "contact", Contact, True, "contacts"),
        Child("services", "businessService", BusinessService, True, "businessServices"),
        _IDENTIFIERS,
        _BAG,
    ),
    TModel: (
        Attribute("key", "tModelKey", key=True),
        Attribute("deleted", "deleted", bool),
        Child("name", "name", LangText),
        _DESCRIPTIONS,
        _OVERVIEWS,
        _IDENTIFIERS,
        _BAG,
    ),
}

_PAGING: tuple[Part, ...] = (
    Attribute("max_rows", "maxRows", int),
    Attribute("list_head", "listHead", int),
)
_QUALIFIERS = Child("qualifiers", "findQualifier", str, True, "findQualifiers")
_NAMES = Child("names", "name", LangText, True)
_TMODELS = Child("tmodel_bag", "tModelKey", str, True, "tModelBag", key=True)
_EMBEDDED = Child("find_tmodel", "find_tModel", Find)
_URLS = Child("discovery_urls", "discoveryURL", UseText, True, "discoveryURLs")

#: The find requests, whose elements come in different orders.
_FIND: dict[str, tuple[Part, ...]] = {
    "find_business": (
        *_PAGING,
        _QUALIFIERS,
        _NAMES,
        _IDENTIFIERS,
        _BAG,
        _TMODELS,
        _EMBEDDED,
        _URLS,
    ),
    "find_service": (
        *_PAGING,
        Attribute("parent_key", "businessKey", key=True),
        _QUALIFIERS,
        _NAMES,
        _BAG,
        _TMODELS,
        _EMBEDDED,
    ),
    "find_binding": (
        *_PAGING,
        Attribute("parent_key", "serviceKey", key=True),
        _QUALIFIERS,
        _TMODELS,
        _EMBEDDED,
        _BAG,
    ),
    "find_tModel": (*_PAGING, _QUALIFIERS, _NAMES, _IDENTIFIERS, _BAG),
}

#: The entities by the name of their element.
ELEMENTS: dict[str, type] = {
    "businessEntity": BusinessEntity,
    "businessService": BusinessService,
    "bindingTemplate": BindingTemplate,
    "tModel": TModel,
}
NAME_OF = {cls: element for element, cls in ELEMENTS.items()}

# Texts of these elements are addresses or keys, where white space around them is only layout.
_TRIMMED = {"accessPoint", "overviewURL", "discoveryURL", "hostingRedirector", "tModelKey"}


def q(name: str) -> str:
    """The qualified name of a UDDI 3 element."""
    return f"{{{NAMESPACE}}}{name}"


# --- reading -----------------------------------------------------------------------------------


def read(element: etree._Element, cls: type[T]) -> T:
    """A structure out of its element. E_unacceptableSignature for a signed one, because what is
    not checked must not be passed on as if it were."""
    if element.find(SIGNATURE) is not None:
        raise UddiError(
            "unacceptableSignature",
            "不接受带签名的实体 / signed entities are not accepted here",
        )
    name = etree.QName(element).localname
    parts = _FIND[name] if cls is Find else TABLE[cls]
    values: dict[str, Any] = {}
    for part in parts:
        value = _read_part(element, part, name)
        if value is not None:
            values[part.field] = value
    item = cls(**values)
    if isinstance(item, KeyedReference):
        return cast(T, fold_reference(item))
    return item


def _read_part(element: etree._Element, part: Part, name: str) -> Any:
    match part:
        case Attribute():
            text = element.get(part.name)
            if text is None:
                return None
            if part.type is bool:
                return text.strip() in ("true", "1")
            return int(text) if part.type is int else _key(text, part.key)
        case Content():
            return (element.text or "").strip() if name in _TRIMMED else element.text or ""
        case Child(wrap="", many=False):
            found = element.find(q(part.name))
            return None if found is None else _read_child(found, part)
        case Child():
            path = f"{q(part.wrap)}/{q(part.name)}" if part.wrap else q(part.name)
            return tuple(_read_child(found, part) for found in element.findall(path))


def _read_child(element: etree._Element, part: Child) -> Any:
    if part.type is str:
        text = element.text or ""
        return _key(text.strip() if part.name in _TRIMMED else text, part.key)
    return read(element, part.type)


def _key(text: str, is_key: bool) -> str:
    return fold(text) if is_key else text


# --- writing -----------------------------------------------------------------------------------


def write(item: Any, name: str = "") -> etree._Element:
    """The element of a structure; ``name`` where it is not one of the four entities."""
    element = root(name or NAME_OF[type(item)])
    _write_into(element, item)
    return element


def root(name: str) -> etree._Element:
    """An empty UDDI 3 element in the default namespace, as string-scanning clients like it."""
    return etree.Element(q(name), nsmap={None: NAMESPACE})


def append(parent: etree._Element, item: Any, name: str = "") -> etree._Element:
    """The same as write, as a child of ``parent``; a str is the child's text."""
    element = etree.SubElement(parent, q(name or NAME_OF[type(item)]))
    if isinstance(item, str):
        element.text = item
    else:
        _write_into(element, item)
    return element


def _write_into(element: etree._Element, item: Any) -> None:
    name = etree.QName(element).localname
    for part in _FIND[name] if isinstance(item, Find) else TABLE[type(item)]:
        value = getattr(item, part.field)
        match part:
            case Attribute():
                _write_attribute(element, part, value)
            case Content():
                element.text = value
            case Child():
                _write_child(element, part, value)


def _write_attribute(element: etree._Element, part: Attribute, value: Any) -> None:
    if part.type is bool:
        if value:
            element.set(part.name, "true")
    elif part.always or value not in ("", None):
        element.set(part.name, str(value))


def _write_child(element: etree._Element, part: Child, value: Any) -> None:
    if value in (None, "", (), CategoryBag()):
        return
    parent = etree.SubElement(element, q(part.wrap)) if part.wrap else element
    for each in value if part.many else (value,):
        append(parent, each, part.name)
