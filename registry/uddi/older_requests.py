"""A request of UDDI 2 or 1 becomes the same request of UDDI 3.

The older messages are nearly a subset: keys are UUIDs, a hostingRedirector is an attribute, an
accessPoint says what kind of address it is, and finds match otherwise unless told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from lxml import etree

from registry.errors import UddiError
from registry.keys import fold
from registry.older_keys import bare, newer_guess
from registry.uddi import v3
from registry.uddi.older_versions import Older
from registry.uddi.wellknown import ENTITY_KEY_VALUES, GENERAL_KEYWORDS

#: From bare older keys to the version 3 keys of the entities that have them.
Lookup = Callable[[Iterable[str]], dict[str, str]]

_KEY_ATTRIBUTES = ("businessKey", "serviceKey", "bindingKey", "tModelKey")
_KEY_ELEMENTS = frozenset({*_KEY_ATTRIBUTES, "fromKey", "toKey"})
_DROPPED = frozenset({"generic", "operator", "authorizedName", "URLType"})
_OWN_KEY = {
    "businessEntity": "businessKey",
    "businessService": "serviceKey",
    "bindingTemplate": "bindingKey",
    "tModel": "tModelKey",
}
_SAME_NAME = {"get_businessDetailExt": "get_businessDetail"}
_QUALIFIERS = frozenset(
    {
        "exactnamematch",
        "casesensitivematch",
        "sortbynameasc",
        "sortbynamedesc",
        "sortbydateasc",
        "sortbydatedesc",
        "orlikekeys",
        "orallkeys",
        "andallkeys",
        "combinecategorybags",
        "servicesubset",
    }
)


def to_version_3(version: Older, request: etree._Element, lookup: Lookup) -> etree._Element:
    """E_invalidKeyPassed for saving under a key that nothing has, E_unsupported for what version
    3 has no counterpart of."""
    keys = _Keys(lookup, request)
    name = etree.QName(request).localname
    saving = name.startswith("save_")
    if saving:
        _refuse_uploads(version, request)
        keys.require_own(request)
    made = v3.root(_SAME_NAME.get(name, name))
    _fill(made, request, keys)
    if name.startswith("find_"):
        _match_as_it_did(made)
    if name == "get_registeredInfo":
        made.set("infoSelection", "all")
    return made


class _Keys:
    """The keys of one request, looked up at once."""

    def __init__(self, lookup: Lookup, request: etree._Element) -> None:
        sent = {bare(key) for key in _sent(request)} - {""}
        self._known = lookup(sent) if sent else {}

    def newer(self, key: str) -> str:
        older = bare(key)
        return self._known.get(older) or newer_guess(older) if older else fold(key)

    def require_own(self, request: etree._Element) -> None:
        """Publishers of these versions cannot choose keys: one that they send must be there."""
        for element in _elements(request):
            attribute = _OWN_KEY.get(etree.QName(element).localname)
            key = element.get(attribute, "") if attribute else ""
            older = bare(key)
            if older and older not in self._known:
                raise UddiError("invalidKeyPassed", f"没有这个键 / no such key: {key}")


def _elements(request: etree._Element) -> Iterator[etree._Element]:
    return request.iter(etree.Element)


def _sent(request: etree._Element) -> Iterator[str]:
    """Everything that may be a key."""
    for element in _elements(request):
        for attribute in (*_KEY_ATTRIBUTES, "keyValue"):
            if attribute in element.attrib:
                yield element.get(attribute, "")
        if etree.QName(element).localname in _KEY_ELEMENTS:
            yield element.text or ""


def _fill(made: etree._Element, sent: etree._Element, keys: _Keys) -> None:
    name = etree.QName(sent).localname
    if name == "hostingRedirector":
        made.text = keys.newer(sent.get("bindingKey", ""))
        return
    for attribute, value in sent.attrib.items():
        if attribute in _KEY_ATTRIBUTES:
            made.set(attribute, keys.newer(value) if value.strip() else "")
        elif attribute not in _DROPPED and not (attribute == "maxRows" and int(value) < 1):
            made.set(attribute, value)
    if made.get("tModelKey") in ENTITY_KEY_VALUES:
        made.set("keyValue", keys.newer(made.get("keyValue", "")))
    if name == "accessPoint":
        made.set("useType", "endPoint")
    if name in _KEY_ELEMENTS:
        made.text = keys.newer(sent.text or "")
    elif len(sent) == 0:
        made.text = sent.text
    for child in sent:
        if name == "categoryBag" and not child.get("tModelKey", "").strip():
            # A reference without a tModel is one of general keywords in the older versions.
            child.set("tModelKey", GENERAL_KEYWORDS)
        _fill(etree.SubElement(made, v3.q(etree.QName(child).localname)), child, keys)


def _refuse_uploads(version: Older, request: etree._Element) -> None:
    if request.find(version.q("uploadRegister")) is not None:
        raise UddiError(
            "unsupported",
            "不支持 uploadRegister：注册中心不去取别处的文件 / uploadRegister is not supported: "
            "the registry fetches nothing from elsewhere",
        )


# --- finding ---------------------------------------------------------------------------------


def _match_as_it_did(find: etree._Element) -> None:
    """Names match from their beginning and in any case in the older versions, with % for
    anything; version 3 matches exactly. All becomes patterns of version 3."""
    sent = [e.text or "" for e in find.iterfind(f"{v3.q('findQualifiers')}/*")]
    given = {qualifier.strip().lower() for qualifier in sent}
    for qualifier in sorted(given - _QUALIFIERS):
        raise UddiError(
            "unsupported",
            f"不支持的 findQualifier / findQualifier not supported: {qualifier!r}",
        )
    exact = "exactnamematch" in given
    case = "casesensitivematch" if "casesensitivematch" in given else "caseinsensitivematch"
    for name in find.iterfind(v3.q("name")):
        name.text = _literal(name.text or "") if exact else _prefix(name.text or "")
    for other in (*find.iter(v3.q("keyedReference")), *find.iter(v3.q("discoveryURL"))):
        if other.text:
            other.text = _literal(other.text)
        if other.get("keyValue"):
            other.set("keyValue", _literal(other.get("keyValue", "")))
    for old in find.findall(v3.q("findQualifiers")):
        find.remove(old)
    qualifiers = etree.Element(v3.q("findQualifiers"))
    find.insert(0, qualifiers)
    wanted = given - {"exactnamematch", "casesensitivematch"} | {"approximatematch", case}
    for qualifier in sorted(wanted):
        etree.SubElement(qualifiers, v3.q("findQualifier")).text = qualifier


def _literal(text: str) -> str:
    for wild in "\\%_":
        text = text.replace(wild, f"\\{wild}")
    return text


def _prefix(text: str) -> str:
    pattern = text.replace("\\", "\\\\").replace("_", "\\_")
    return pattern if pattern.endswith("%") else f"{pattern}%"
