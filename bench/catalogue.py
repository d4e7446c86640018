"""An alliance of any size as a registry holds it, and the questions that are asked of it.

Every hospital has thirteen services with one outside binding each, as the OASIS note maps a WSDL,
and one tModel of its own; the tModels of the contracts are everybody's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import NamedTuple

from registry.model import (
    BindingTemplate,
    BusinessEntity,
    BusinessService,
    CategoryBag,
    Contact,
    InstanceDetails,
    KeyedReference,
    LangText,
    OverviewDoc,
    TModel,
    TModelInstanceInfo,
    UseText,
)
from registry.registered import hospital_key
from registry.uddi.wellknown import (
    HOSPITAL_CODE,
    PORTTYPE_REFERENCE,
    PROTOCOL,
    PROTOCOL_SOAP,
    TYPES,
    WSDL_TYPES,
    XML_LOCALNAME,
    XML_NAMESPACE,
)

SERVICES = {
    "NumberSource": "号源查询",
    "Patients": "病人基本信息",
    "Registration": "预约挂号",
    "Ordering": "远程开单与代理检验",
    "LabResults": "检验结果查询",
    "ExamResults": "检查结果查询",
    "HisService": "传统接口",
    "Referrals": "双向转诊",
    "Consultations": "远程会诊",
    "Prescriptions": "处方流转",
    "PatientIndex": "患者主索引",
    "FollowUps": "随访",
    "Statistics": "统计上报",
}
_TOWNS = ("华夏", "东河", "西山", "南浦", "北林", "中原", "清江", "安平", "临海", "长宁")
_KINDS = ("中心医院", "人民医院", "中医院", "妇幼保健院", "社区卫生服务中心")

V3 = "urn:uddi-org:api_v3"


def code(number: int) -> str:
    return f"h{number:05}"


def contracts() -> list[TModel]:
    """The portType's tModel before its binding's, which refers to it."""
    found = []
    for service in SERVICES:
        stem = service.lower()
        namespace = KeyedReference(XML_NAMESPACE, f"urn:yilian:{service}:1", "namespace")
        overview = (OverviewDoc(UseText(f"http://10.0.0.1/{service}?wsdl", "wsdlInterface")),)
        port_type = f"uddi:yilian:{stem}:porttype-v1"
        references = (KeyedReference(WSDL_TYPES, "portType"), namespace)
        found.append(
            TModel(port_type, LangText(service), overview, category_bag=CategoryBag(references))
        )
        references = (
            KeyedReference(WSDL_TYPES, "binding"),
            KeyedReference(PORTTYPE_REFERENCE, port_type),
            KeyedReference(PROTOCOL, PROTOCOL_SOAP),
            KeyedReference(TYPES, "wsdlSpec"),
            namespace,
        )
        key, name = f"uddi:yilian:{stem}:binding-v1", LangText(f"{service}Soap")
        found.append(TModel(key, name, overview, category_bag=CategoryBag(references)))
    return found


def own_tmodel(number: int) -> TModel:
    """A hospital's own code system."""
    kind = CategoryBag((KeyedReference(TYPES, "categorization"),))
    name = LangText(f"{code(number)}:departments", "en")
    return TModel(f"uddi:yilian:departments:{code(number)}", name, category_bag=kind)


def hospital(number: int) -> BusinessEntity:
    town, kind = _TOWNS[number % len(_TOWNS)], _KINDS[number // len(_TOWNS) % len(_KINDS)]
    return BusinessEntity(
        key=hospital_key(code(number)),
        names=(
            LangText(f"{town}第{number}{kind}", "zh"),
            LangText(f"Hospital {number} of {town}", "en"),
        ),
        services=tuple(_service(number, service, zh) for service, zh in SERVICES.items()),
        identifier_bag=(KeyedReference(HOSPITAL_CODE, code(number), "医院代码"),),
        descriptions=(LangText("医联体成员", "zh"),),
        contacts=(Contact((LangText("信息科", "zh"),), phones=(UseText("8001"),)),),
    )


def _service(number: int, service: str, zh: str) -> BusinessService:
    stem = service.lower()
    wsdl = f"http://10.{number // 250}.{number % 250}.1:8080/{code(number)}/{service}"
    details = InstanceDetails(f"{service}Port", (OverviewDoc(UseText(wsdl + "?wsdl")),))
    return BusinessService(
        key=f"uddi:yilian:{code(number)}:{stem}",
        names=(LangText(zh, "zh"), LangText(service, "en")),
        bindings=(
            BindingTemplate(
                key=f"uddi:yilian:{code(number)}:{stem}:outside",
                access_point=UseText(wsdl, "endPoint"),
                instances=(
                    TModelInstanceInfo(f"uddi:yilian:{stem}:binding-v1", details),
                    TModelInstanceInfo(f"uddi:yilian:{stem}:porttype-v1"),
                ),
            ),
        ),
        category_bag=CategoryBag(
            (
                KeyedReference(WSDL_TYPES, "service"),
                KeyedReference(XML_NAMESPACE, f"urn:yilian:{service}:1"),
                KeyedReference(XML_LOCALNAME, service),
            )
        ),
    )


# --- questions -------------------------------------------------------------------------------


class Asked(NamedTuple):
    """A question and how many entities its answer must have at least, where that is known."""

    message: str
    least: int = 0


class Case(NamedTuple):
    """``ask(random, hospitals)`` makes one of the questions, each time another one."""

    name: str
    answers: str  # the element that is counted in an answer
    ask: Callable[[Random, int], Asked]


def _message(operation: str, content: str, attributes: str = "") -> str:
    return f'<{operation} xmlns="{V3}" {attributes}>{content}</{operation}>'


def _qualified(*qualifiers: str) -> str:
    each = "".join(f"<findQualifier>{one}</findQualifier>" for one in qualifiers)
    return f"<findQualifiers>{each}</findQualifiers>"


def _bag(*references: tuple[str, str]) -> str:
    each = "".join(f'<keyedReference tModelKey="{t}" keyValue="{v}"/>' for t, v in references)
    return f"<categoryBag>{each}</categoryBag>"


def _tmodels(*keys: str) -> str:
    return f"<tModelBag>{''.join(f'<tModelKey>{key}</tModelKey>' for key in keys)}</tModelBag>"


def _page(hospitals: int, rows: int = 100) -> int:
    return min(hospitals, rows)


def _prefix(random: Random) -> str:
    """The beginning of a service's Chinese or English name, three characters or more."""
    name = random.choice([*SERVICES, *(zh for zh in SERVICES.values() if len(zh) > 3)])
    return name[: random.randint(3, len(name))]


def _service_key(random: Random, hospitals: int) -> str:
    service = random.choice(list(SERVICES)).lower()
    return f"uddi:yilian:{code(random.randrange(hospitals))}:{service}"


def _any(random: Random) -> str:
    return random.choice(list(SERVICES))


def _paged(random: Random, hospitals: int) -> str:
    return f'maxRows="{random.randint(20, 100)}" listHead="{random.randint(1, hospitals)}"'


def _by_prefix(random: Random, hospitals: int) -> Asked:
    content = _qualified("approximateMatch") + f"<name>{_prefix(random)}%</name>"
    return Asked(_message("find_service", content), _page(hospitals))


def _by_prefix_paged(random: Random, hospitals: int) -> Asked:
    content = _qualified("approximateMatch") + f"<name>{_prefix(random)}%</name>"
    return Asked(_message("find_service", content, _paged(random, hospitals)), 1)


def _by_name(random: Random, hospitals: int) -> Asked:
    name = random.choice([*SERVICES, *SERVICES.values()])
    rows = random.randint(50, 100)
    message = _message("find_service", f"<name>{name}</name>", f'maxRows="{rows}"')
    return Asked(message, _page(hospitals, rows))


def _by_name_folded(random: Random, hospitals: int) -> Asked:
    content = _qualified("caseInsensitiveMatch") + f"<name>{_any(random).upper()}</name>"
    return Asked(_message("find_service", content), _page(hospitals))


def _by_category(random: Random, hospitals: int) -> Asked:
    content = _bag((XML_LOCALNAME, _any(random)))
    return Asked(_message("find_service", content), _page(hospitals))


def _by_categories(random: Random, hospitals: int) -> Asked:
    name = _any(random)
    bag = _bag(
        (WSDL_TYPES, "service"), (XML_NAMESPACE, f"urn:yilian:{name}:1"), (XML_LOCALNAME, name)
    )
    return Asked(_message("find_service", bag), _page(hospitals))


def _by_categories_paged(random: Random, hospitals: int) -> Asked:
    bag = _bag((WSDL_TYPES, "service"), (XML_LOCALNAME, _any(random)))
    return Asked(_message("find_service", bag, _paged(random, hospitals)), 1)


def _by_contradiction(random: Random, hospitals: int) -> Asked:
    one, other = random.sample(list(SERVICES), 2)
    bag = _bag((XML_NAMESPACE, f"urn:yilian:{one}:1"), (XML_LOCALNAME, other))
    return Asked(_message("find_service", bag))


def _by_tmodel(random: Random, hospitals: int) -> Asked:
    bag = _tmodels(f"uddi:yilian:{_any(random).lower()}:porttype-v1")
    return Asked(_message("find_service", bag), _page(hospitals))


def _by_two_tmodels(random: Random, hospitals: int) -> Asked:
    stem = f"uddi:yilian:{_any(random).lower()}"
    bag = _tmodels(f"{stem}:porttype-v1", f"{stem}:binding-v1")
    return Asked(_message("find_service", bag), _page(hospitals))


def _by_embedded_tmodel(random: Random, hospitals: int) -> Asked:
    content = f"<find_tModel><name>{_any(random)}</name></find_tModel>"
    return Asked(_message("find_service", content), _page(hospitals))


def _of_business(random: Random, hospitals: int) -> Asked:
    key = hospital_key(code(random.randrange(hospitals)))
    content = _qualified("approximateMatch") + f"<name>{_any(random)[:4]}%</name>"
    return Asked(_message("find_service", content, f'businessKey="{key}"'), 1)


def _newest(random: Random, hospitals: int) -> Asked:
    content = _qualified("sortByDateDesc") + _bag((XML_LOCALNAME, _any(random)))
    return Asked(_message("find_service", content), _page(hospitals))


def _business_by_prefix(random: Random, hospitals: int) -> Asked:
    name = random.choice(_TOWNS) if hospitals >= 10 else _TOWNS[0]
    content = _qualified("approximateMatch") + f"<name>{name}第%</name>"
    return Asked(_message("find_business", content), 1)


def _business_containing(random: Random, hospitals: int) -> Asked:
    wanted = f"{random.randrange(hospitals)}"
    content = _qualified("approximateMatch", "caseInsensitiveMatch", "caseInsensitiveSort")
    return Asked(_message("find_business", content + f"<name>%{wanted}%</name>"), 1)


def _every_business(random: Random, hospitals: int) -> Asked:
    head = random.randint(1, max(hospitals - 100, 1))
    content = _qualified("approximateMatch") + "<name>%</name>"
    return Asked(_message("find_business", content, f'maxRows="100" listHead="{head}"'), 1)


def _business_by_code(random: Random, hospitals: int) -> Asked:
    number = code(random.randrange(hospitals))
    reference = f'<keyedReference tModelKey="{HOSPITAL_CODE}" keyValue="{number}"/>'
    return Asked(_message("find_business", f"<identifierBag>{reference}</identifierBag>"), 1)


def _business_by_tmodel(random: Random, hospitals: int) -> Asked:
    bag = _tmodels(f"uddi:yilian:{_any(random).lower()}:binding-v1")
    return Asked(_message("find_business", bag), _page(hospitals))


def _business_by_combined(random: Random, hospitals: int) -> Asked:
    content = _qualified("combineCategoryBags") + _bag((XML_LOCALNAME, _any(random)))
    return Asked(_message("find_business", content), _page(hospitals))


def _binding_by_tmodel(random: Random, hospitals: int) -> Asked:
    bag = _tmodels(f"uddi:yilian:{_any(random).lower()}:binding-v1")
    return Asked(_message("find_binding", bag), _page(hospitals))


def _binding_of_service(random: Random, hospitals: int) -> Asked:
    key = _service_key(random, hospitals)
    return Asked(_message("find_binding", "", f'serviceKey="{key}"'), 1)


def _tmodel_by_prefix(random: Random, hospitals: int) -> Asked:
    content = _qualified("approximateMatch")
    number = code(random.randrange(hospitals))
    return Asked(_message("find_tModel", content + f"<name>{number[:4]}%</name>"), 1)


def _tmodel_by_category(random: Random, hospitals: int) -> Asked:
    content = _bag((XML_NAMESPACE, f"urn:yilian:{_any(random)}:1"))
    return Asked(_message("find_tModel", content), 2)


def _get(name: str, key: str, counted: str, keys: Callable[[Random, int], list[str]]) -> Case:
    operation = name.partition(",")[0]

    def ask(random: Random, hospitals: int) -> Asked:
        wanted = keys(random, hospitals)
        content = "".join(f"<{key}>{one}</{key}>" for one in wanted)
        return Asked(_message(operation, content), len(wanted))

    return Case(name, counted, ask)


def _business_keys(random: Random, hospitals: int) -> list[str]:
    return [hospital_key(code(random.randrange(hospitals)))]


def _binding_keys(count: int) -> Callable[[Random, int], list[str]]:
    def keys(random: Random, hospitals: int) -> list[str]:
        return list({f"{_service_key(random, hospitals)}:outside" for _ in range(count)})

    return keys


def cases() -> Iterator[Case]:
    """Every inquiry, most of them in several forms."""
    yield Case("find_service, name prefix", "serviceInfo", _by_prefix)
    yield Case("find_service, name prefix, paged", "serviceInfo", _by_prefix_paged)
    yield Case("find_service, name", "serviceInfo", _by_name)
    yield Case("find_service, name in any case", "serviceInfo", _by_name_folded)
    yield Case("find_service, category", "serviceInfo", _by_category)
    yield Case("find_service, three categories", "serviceInfo", _by_categories)
    yield Case("find_service, two categories, paged", "serviceInfo", _by_categories_paged)
    yield Case("find_service, categories that nothing has", "serviceInfo", _by_contradiction)
    yield Case("find_service, tModel", "serviceInfo", _by_tmodel)
    yield Case("find_service, two tModels", "serviceInfo", _by_two_tmodels)
    yield Case("find_service, find_tModel inside", "serviceInfo", _by_embedded_tmodel)
    yield Case("find_service, of one business", "serviceInfo", _of_business)
    yield Case("find_service, category, newest first", "serviceInfo", _newest)
    yield Case("find_business, name prefix", "businessInfo", _business_by_prefix)
    yield Case("find_business, part of a name", "businessInfo", _business_containing)
    yield Case("find_business, %, paged", "businessInfo", _every_business)
    yield Case("find_business, identifier", "businessInfo", _business_by_code)
    yield Case("find_business, tModel", "businessInfo", _business_by_tmodel)
    yield Case("find_business, combineCategoryBags", "businessInfo", _business_by_combined)
    yield Case("find_binding, tModel", "bindingTemplate", _binding_by_tmodel)
    yield Case("find_binding, of a service", "bindingTemplate", _binding_of_service)
    yield Case("find_tModel, name prefix", "tModelInfo", _tmodel_by_prefix)
    yield Case("find_tModel, category", "tModelInfo", _tmodel_by_category)
    yield _get("get_bindingDetail", "bindingKey", "bindingTemplate", _binding_keys(1))
    yield _get("get_bindingDetail, 20 keys", "bindingKey", "bindingTemplate", _binding_keys(20))
    yield _get(
        "get_serviceDetail", "serviceKey", "businessService", lambda r, n: [_service_key(r, n)]
    )
    yield _get("get_businessDetail", "businessKey", "businessEntity", _business_keys)
    yield _get(
        "get_tModelDetail",
        "tModelKey",
        "tModel",
        lambda r, n: [f"uddi:yilian:departments:{code(r.randrange(n))}"],
    )
    yield _get("get_operationalInfo", "entityKey", "operationalInfo", _business_keys)
