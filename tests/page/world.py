"""Registries with something in them, for the pages' tests: our contracts at few or many hospitals,
a foreign service, hostile names, and a health book with a history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from sqlalchemy import select

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
    TModelInstanceInfo,
    UseText,
)
from registry.registered import hospital_key
from registry.store import Store
from registry.tables import entity
from registry.uddi.wellknown import (
    FACE_INSIDE,
    HOSPITAL_CODE,
    PROTOCOL_SOAP,
    XML_LOCALNAME,
    XML_NAMESPACE,
)
from services import his_service
from services.catalogue import CONTRACTS
from services.contract import describe
from services.soap.values import LOCAL

GATEWAY = "http://gateway.example:8080"
NOW = datetime(2026, 11, 21, 15, 0, tzinfo=LOCAL)

KNOWN = {
    **{name: (describe(c).namespace, describe(c).zh, name) for name, c in CONTRACTS.items()},
    his_service.NAME: (his_service.NAMESPACE, his_service.ZH, f"{his_service.NAME}.asmx"),
}


def service(
    code: str, name: str, gateway: str = GATEWAY, inside: str = "http://10.9.0.1:8082"
) -> BusinessService:
    """As a node publishes one of our services."""
    namespace, zh, path = KNOWN[name]
    key = f"uddi:yilian:{code}:{name.lower()}"
    return BusinessService(
        key,
        hospital_key(code),
        (LangText(zh, "zh"), LangText(name, "en")),
        (
            binding(f"{key}:outside", f"{gateway}/{code}/{path}"),
            binding(f"{key}:inside", f"{inside}/{code}/{path}", FACE_INSIDE),
        ),
        CategoryBag(
            (KeyedReference(XML_LOCALNAME, name), KeyedReference(XML_NAMESPACE, namespace))
        ),
    )


def binding(key: str, address: str, *marks: str) -> BindingTemplate:
    document = OverviewDoc(UseText(f"{address}?wsdl", "wsdlInterface"))
    named = TModelInstanceInfo(PROTOCOL_SOAP, InstanceDetails("Port", (document,)))
    others = tuple(TModelInstanceInfo(mark) for mark in marks)
    return BindingTemplate(
        key, access_point=UseText(address, "endPoint"), instances=(named, *others)
    )


def hospital(
    code: str,
    zh: str,
    en: str = "",
    services: Iterable[str] = (),
    *,
    owner: tuple[str, str] | None = None,
    on_call: tuple[str, str] | None = None,
    gateway: str = GATEWAY,
) -> BusinessEntity:
    people = (("owner", owner), ("on-call", on_call))
    return BusinessEntity(
        hospital_key(code),
        (LangText(zh, "zh"), *((LangText(en, "en"),) if en else ())),
        tuple(service(code, name, gateway) for name in services),
        (KeyedReference(HOSPITAL_CODE, code),),
        contacts=tuple(
            Contact((LangText(who[0], "zh"),), role, phones=(UseText(who[1]),))
            for role, who in people
            if who is not None
        ),
    )


def two(gateway: str = GATEWAY) -> list[BusinessEntity]:
    """The demo's hospitals."""
    return [
        hospital(
            *("hx", "华夏中心医院", "Huaxia Central Hospital", [*KNOWN]),
            owner=("信息科 李工", "0571-0000 8101"),
            on_call=("信息科值班", "0571-0000 8120"),
            gateway=gateway,
        ),
        hospital(
            *("sq", "石桥社区卫生服务中心", "Shiqiao Community Health Centre"),
            ["NumberSource", "Patients", "Registration", "LabResults", "HisService"],
            owner=("办公室 陈主任", "0571-0000 6002"),
            gateway=gateway,
        ),
    ]


_PLACES = (
    *(
        "华夏",
        "石桥",
        "春江",
        "东湖",
        "西河",
        "南山",
        "北川",
        "青龙",
        "白云",
        "长安",
        "重庆",
        "永宁",
    ),
    *(
        "安吉",
        "德清",
        "富阳",
        "桐庐",
        "淳安",
        "临平",
        "萧山",
        "拱墅",
        "上城",
        "钱塘",
        "建德",
        "余杭",
    ),
)
_KINDS = (
    ("人民医院", "People's Hospital"),
    ("中医院", "Hospital of Chinese Medicine"),
    ("妇幼保健院", "Maternity and Child Care Hospital"),
    ("社区卫生服务中心", "Community Health Centre"),
    (
        "第二人民医院（医学院附属医院）",
        "Second People's Hospital, Affiliated to the Medical School",
    ),
)


def many(count: int, seed: int = 1) -> list[BusinessEntity]:
    """Hospitals of all sizes with names that look real; some have no contacts."""
    random = Random(seed)
    made = []
    for number in range(count):
        place = _PLACES[number % len(_PLACES)]
        round_ = number // len(_PLACES)
        zh, en = _KINDS[round_ % len(_KINDS)]
        names = [name for name in KNOWN if random.random() < (0.9, 0.6)[number % 2]]
        phone = f"0571-0000 {1000 + number % 9000}"
        made.append(
            hospital(
                f"h{number:05}",
                f"{place}{'' if round_ < 5 else f'第{round_}'}{zh}",
                f"{place} {en}" if number % 3 else "",
                names,
                owner=(f"信息科 {random.choice('赵钱孙李周吴')}工", phone) if number % 7 else None,
                on_call=("值班室", phone) if number % 5 else None,
            )
        )
    return made


def filled(store: Store, businesses: Iterable[BusinessEntity], publisher: str = "hx") -> None:
    store.save(publisher, list(businesses))


_STATES = ("passing", "unknown", "warning", "critical")


@dataclass(frozen=True)
class Health:
    state: str
    since: datetime | None = None
    checked: datetime | None = None
    latency_ms: float | None = None
    zh: str = ""
    en: str = ""


@dataclass(frozen=True)
class Probe:
    moment: datetime
    ok: bool
    latency_ms: float
    fault: str = ""


class Book:
    """A health book in which each binding's fate follows from its key alone."""

    #: whose bindings are probed; tests/page/serving.py says
    store: Store

    def __init__(self, states: dict[str, Health] | None = None, now: datetime = NOW) -> None:
        self.states = states or {}
        self.now = now

    def services(self) -> Counter[str]:
        return Counter(_STATES[worst] for worst, _ in self._worst().values())

    def troubled(self) -> list[str]:
        found = [(-worst, -since, key) for key, (worst, since) in self._worst().items()]
        return [key for worst, _, key in sorted(found) if worst < -1]

    def _worst(self) -> dict[str, tuple[int, float]]:
        with self.store.engine.connect() as connection:
            query = select(entity.c.key, entity.c.parent_key).where(entity.c.kind == "binding")
            parents = {row.key: row.parent_key for row in connection.execute(query)}
        found: dict[str, tuple[int, float]] = {}
        for key, health in self.of(parents).items():
            if health.state == "unknown" and health.checked is None:
                continue
            since = health.since.timestamp() if health.since else 0.0
            one = (_STATES.index(health.state), since)
            found[parents[key]] = max(one, found.get(parents[key], one))
        return found

    def of(self, keys: Iterable[str]) -> dict[str, Health]:
        return {key: self.states.get(key) or self._made_up(key) for key in keys}

    def _made_up(self, key: str) -> Health:
        random = Random(key)
        number = random.random()
        if key.endswith("inside") or number < 0.04:
            return Health("unknown")
        since = self.now - timedelta(minutes=random.randrange(1, 3000))
        if number < 0.06:
            words = ("探测超时：5 秒内没有应答", "timed out: no answer within 5 s")
            return Health("critical", since, self.now, 5000.0, *words)
        if number < 0.10:
            words = ("应答慢于平时", "slower than usual")
            return Health("warning", since, self.now, random.uniform(800, 2400), *words)
        return Health("passing", since, self.now, random.uniform(3, 180))

    def history(self, binding_key: str, since: datetime) -> list[Probe]:
        state = self.of([binding_key])[binding_key]
        if state.state == "unknown":
            return []
        random = Random(binding_key)
        probes = []
        moment = max(since, self.now - timedelta(hours=24))
        while moment < self.now:
            failed = random.random() < 0.02 or (
                state.state == "critical" and state.since is not None and moment > state.since
            )
            latency = 5000.0 if failed else random.lognormvariate(3.2, 0.5)
            probes.append(Probe(moment, not failed, latency, "SourceTimeout" if failed else ""))
            moment += timedelta(seconds=120)
        return probes
