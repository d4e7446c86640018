"""The tModels that stand in the registry from its first start, the specification's and ours."""

from __future__ import annotations

from registry.model import CategoryBag, KeyedReference, LangText, OverviewDoc, TModel, UseText

TYPES = "uddi:uddi.org:categorization:types"
#: jUDDI's client marks key generators by this one; the specification by TYPES.
KEY_GENERATOR = "uddi:uddi.org:keygenerator"
RELATIONSHIPS = "uddi:uddi.org:relationships"
GENERAL_KEYWORDS = "uddi:uddi.org:categorization:general_keywords"
WSDL_TYPES = "uddi:uddi.org:wsdl:types"
XML_NAMESPACE = "uddi:uddi.org:xml:namespace"
XML_LOCALNAME = "uddi:uddi.org:xml:localname"
PORTTYPE_REFERENCE = "uddi:uddi.org:wsdl:porttypereference"
PROTOCOL = "uddi:uddi.org:wsdl:categorization:protocol"
TRANSPORT = "uddi:uddi.org:wsdl:categorization:transport"
WSDL_ADDRESS = "uddi:uddi.org:wsdl:address"
PROTOCOL_SOAP = "uddi:uddi.org:protocol:soap"
PROTOCOL_HTTP = "uddi:uddi.org:protocol:http"
TRANSPORT_HTTP = "uddi:uddi.org:transport:http"

HOSPITAL_CODE = "uddi:yilian:hospital-code"
#: Marks services that were published by their WSDL's address and not by a node.
BY_HAND = "uddi:yilian:published-by-hand"
PROTOCOL_SOAP12 = "uddi:yilian:protocol:soap12"
FACE_INSIDE = "uddi:yilian:face:inside"
PROBE = "uddi:yilian:probe"

#: Category systems whose values are keys, and are therefore folded as keys are.
ENTITY_KEY_VALUES = frozenset({PORTTYPE_REFERENCE, PROTOCOL, TRANSPORT})

_SPEC = "http://www.uddi.org/pubs/uddi-v3.0.2-20041019.htm"
_NOTE = (
    "http://www.oasis-open.org/committees/uddi-spec/doc/tn/uddi-spec-tc-tn-wsdl-v202-20040631.htm"
)


def _tmodel(key: str, name: str, kind: str, zh: str, en: str, url: str = "") -> TModel:
    return TModel(
        key=key,
        name=LangText(name, "en"),
        descriptions=(LangText(zh, "zh"), LangText(en, "en")),
        overview_docs=(OverviewDoc(UseText(url, "text")),) if url else (),
        category_bag=CategoryBag((KeyedReference(TYPES, kind, kind),)),
    )


# fmt: off
WELL_KNOWN: tuple[TModel, ...] = (
    _tmodel(TYPES, "uddi-org:types", "categorization",
            "UDDI 类型分类", "UDDI type category system", _SPEC),
    _tmodel(GENERAL_KEYWORDS, "uddi-org:general_keywords", "categorization",
            "通用关键词", "General keywords", _SPEC),
    _tmodel(KEY_GENERATOR, "uddi-org:keyGenerator", "keyGenerator",
            "uddi.org 的键生成器", "The key generator of uddi.org", _SPEC),
    _tmodel(RELATIONSHIPS, "uddi-org:relationships", "relationship",
            "企业间关系", "Relationships of businesses", _SPEC),
    _tmodel(WSDL_TYPES, "uddi-org:wsdl:types", "categorization",
            "WSDL 实体类型", "WSDL type category system", _NOTE),
    _tmodel(XML_NAMESPACE, "uddi-org:xml:namespace", "categorization",
            "XML 命名空间", "XML namespace", _NOTE),
    _tmodel(XML_LOCALNAME, "uddi-org:xml:localName", "categorization",
            "XML 本地名", "XML local name", _NOTE),
    _tmodel(PORTTYPE_REFERENCE, "uddi-org:wsdl:portTypeReference", "categorization",
            "WSDL portType 引用", "Reference to a WSDL portType's tModel", _NOTE),
    _tmodel(PROTOCOL, "uddi-org:wsdl:categorization:protocol", "categorization",
            "WSDL 绑定的协议", "Protocol of a WSDL binding", _NOTE),
    _tmodel(TRANSPORT, "uddi-org:wsdl:categorization:transport", "categorization",
            "WSDL 绑定的传输", "Transport of a WSDL binding", _NOTE),
    _tmodel(WSDL_ADDRESS, "uddi-org:wsdl:address", "specification",
            "地址在 WSDL 中", "The address is in the WSDL", _NOTE),
    _tmodel(PROTOCOL_SOAP, "uddi-org:protocol:soap", "protocol",
            "SOAP 1.1 协议", "SOAP 1.1", _NOTE),
    _tmodel(PROTOCOL_HTTP, "uddi-org:protocol:http", "protocol",
            "HTTP 协议", "HTTP", _NOTE),
    _tmodel(TRANSPORT_HTTP, "uddi-org:http", "transport",
            "HTTP 传输", "HTTP transport", _SPEC),
    _tmodel(HOSPITAL_CODE, "yilian:hospital-code", "identifier",
            "医联体内的医院代码", "A hospital's code in the alliance"),
    _tmodel(BY_HAND, "yilian:published-by-hand", "categorization",
            "由人按 WSDL 地址发布，节点不会删除", "Published by its WSDL; left alone by nodes"),
    _tmodel(PROTOCOL_SOAP12, "yilian:protocol:soap12", "protocol",
            "SOAP 1.2 协议", "SOAP 1.2"),
    _tmodel(FACE_INSIDE, "yilian:face:inside", "specification",
            "院内地址，仅供网关使用", "The inside address, for the gateway alone"),
    _tmodel(PROBE, "yilian:probe", "specification",
            "声明的探测操作（JSON，在 instanceParms 中）",
            "The declared harmless call for health probes: JSON, in instanceParms"),
)
# fmt: on
