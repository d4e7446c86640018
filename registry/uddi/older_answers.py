"""An answer of UDDI 3 becomes the same answer of UDDI 2 or 1.

What the older versions have no place for is left out: listDescriptions, groups of references,
bindings' categories, further overviewDocs and, in version 1, further names.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from lxml import etree

from registry.errors import ERRNO, UddiError
from registry.older_keys import older_key
from registry.uddi import v3
from registry.uddi.context import NODE_ID
from registry.uddi.older_versions import Older
from registry.uddi.wellknown import ENTITY_KEY_VALUES

_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_LEFT_OUT = frozenset({"listDescription", "keyedReferenceGroup"})
_KEYS = frozenset({"businessKey", "serviceKey", "bindingKey", "fromKey", "toKey"})
#: Of these only the first is told: (in, what)
_ONCE = frozenset({("tModel", "overviewDoc"), ("instanceDetails", "overviewDoc"),
                   ("contact", "personName")})  # fmt: skip
#: What must stand there even where it is empty, and before which sibling.
_REQUIRED = {
    "businessList": ("businessInfos",),
    "serviceList": ("serviceInfos",),
    "tModelList": ("tModelInfos",),
    "registeredInfo": ("businessInfos", "tModelInfos"),
    "businessInfo": ("serviceInfos",),
    "bindingTemplate": ("tModelInstanceDetails",),
    "relatedBusinessesList": ("relatedBusinessInfos",),
    "businessService": ("bindingTemplates",),
}
_URL_TYPES = {"mailto": "mailto", "http": "http", "https": "https", "ftp": "ftp",
              "fax": "fax", "tel": "phone", "phone": "phone"}  # fmt: skip

#: Errors that came with version 3, as the older versions would have told them.
_TOLD_AS = {
    "keyUnavailable": "invalidKeyPassed",
    "invalidCombination": "unsupported",
    "resultSetTooLarge": "messageTooLarge",
    "unacceptableSignature": "unsupported",
    "invalidTime": "fatalError",
}


def to_older(version: Older, asked: str, answer: etree._Element | None) -> etree._Element:
    """``asked``: the operation's name. An empty answer is a dispositionReport of success."""
    if answer is None:
        return _success(version)
    made = _made(version, etree.QName(answer).localname)
    _fill(made, answer, version)
    made.set("generic", version.generic)
    made.set("operator", NODE_ID)
    return _extended(version, made) if asked == "get_businessDetailExt" else made


def older_error(error: UddiError) -> UddiError:
    """The error with a number that clients of versions 2 and 1 may know."""
    code = _TOLD_AS.get(error.code)
    if code is None:
        return error
    return UddiError(code, error.message, errno=ERRNO[code], server=error.server)


def report_attributes(version: Older) -> dict[str, str]:
    """What a dispositionReport's root says of itself."""
    return {"generic": version.generic, "operator": NODE_ID}


def _success(version: Older) -> etree._Element:
    report = _made(version, "dispositionReport")
    report.attrib.update(report_attributes(version))
    result = etree.SubElement(report, version.q("result"), errno="0")
    etree.SubElement(result, version.q("errInfo"), errCode="E_success")
    return report


def _made(version: Older, name: str) -> etree._Element:
    return etree.Element(version.q(name), nsmap={None: version.namespace})


def _fill(made: etree._Element, answer: etree._Element, version: Older) -> None:
    name = etree.QName(answer).localname
    _attributes(made, answer, name, version)
    if name == "hostingRedirector":
        made.set("bindingKey", older_key((answer.text or "").strip()))
        return
    if name in _KEYS:
        made.text = older_key(answer.text or "")
    elif name == "tModelKey":
        made.text = f"uuid:{older_key(answer.text or '')}"
    elif len(answer) == 0:
        made.text = answer.text
    told: set[str] = set()
    for child in answer:
        inner = etree.QName(child).localname
        if _is_left_out(name, inner, child, told, version):
            continue
        told.add(inner)
        _fill(etree.SubElement(made, version.q(inner)), child, version)
    _add_required(made, name, version)


def _attributes(made: etree._Element, answer: etree._Element, name: str, version: Older) -> None:
    for attribute, value in answer.attrib.items():
        if attribute in _KEYS:
            made.set(attribute, older_key(value))
        elif attribute == "tModelKey":
            made.set(attribute, f"uuid:{older_key(value)}")
        elif not _has_no_place(name, str(attribute), version):
            made.set(attribute, value)
    if answer.get("tModelKey") in ENTITY_KEY_VALUES:
        made.set("keyValue", f"uuid:{older_key(answer.get('keyValue', ''))}")
    if name == "accessPoint":
        scheme = urlsplit((answer.text or "").strip()).scheme.lower()
        made.set("URLType", _URL_TYPES.get(scheme, "other"))
    if name == "discoveryURL" and "useType" not in made.attrib:
        made.set("useType", "")


def _has_no_place(name: str, attribute: str, version: Older) -> bool:
    if attribute == _LANG:
        return name in ("address", "personName") or (name == "name" and version.number == 1)
    if attribute == "useType":
        return name in ("accessPoint", "overviewURL")
    if version.number == 1 and name in ("address", "addressLine"):
        return attribute in ("tModelKey", "keyName", "keyValue")
    return attribute in ("deleted", "truncated") and name == "tModel"


def _is_left_out(
    name: str, inner: str, child: etree._Element, told: set[str], version: Older
) -> bool:
    if inner == "publisherAssertion":
        return name == "sharedRelationships"
    if inner in _LEFT_OUT or (name == "bindingTemplate" and inner == "categoryBag"):
        return True
    if name == "tModelInfo" and inner == "description":
        return True
    if inner == "categoryBag" and child.find(v3.q("keyedReference")) is None:
        return True
    once = (name, inner) in _ONCE or (version.number == 1 and inner == "name")
    return once and inner in told


def _add_required(made: etree._Element, name: str, version: Older) -> None:
    for required in _REQUIRED.get(name, ()):
        if made.find(version.q(required)) is not None:
            continue
        empty = etree.Element(version.q(required))
        after = [child for child in made if etree.QName(child).localname != "categoryBag"]
        if name == "registeredInfo" and required == "businessInfos":
            after = []
        made.insert(len(after), empty)


def _extended(version: Older, detail: etree._Element) -> etree._Element:
    """A businessDetail as the businessDetailExt that get_businessDetailExt answers."""
    made = _made(version, "businessDetailExt")
    made.attrib.update(detail.attrib)
    for business in list(detail):
        etree.SubElement(made, version.q("businessEntityExt")).append(business)
    return made
