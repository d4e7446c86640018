"""The walk: publish, find, bind, invoke, each done for real and shown with a tick or a cross."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from rich.rule import Rule

from registry.client import UddiClient
from registry.errors import RegistryUnavailable, UddiError
from registry.model import BusinessService, CategoryBag, Find, KeyedReference
from registry.registered import RegisteredBinding, face_of, name_in
from registry.registered import category as category_of
from registry.uddi.wellknown import XML_LOCALNAME, XML_NAMESPACE
from services.contract import describe
from services.number_source import NumberSource
from yilian.answers import answer_of
from yilian.demo.plan import PATIENT, DemoHospital, Plan
from yilian.demo.processes import healthy, until
from yilian.refused import Refused
from yilian.screen import Screen
from yilian.soap_client import SoapClient, SoapFault

#: seconds that nodes may take to publish, and the gateway to see it
PUBLISHED = 30.0
SERVICES = ("HisService", "LabResults", "NumberSource")
#: rows shown of one answer
ROWS = 4


class StepFailed(Exception):
    """What was expected and did not happen; Chinese / English."""


@dataclass
class Walk:
    """``all_steps`` shows everything and returns the names of the steps that failed."""

    plan: Plan
    screen: Screen
    today: date
    found: dict[tuple[str, str], str] = field(default_factory=dict)  # outside address by service

    def all_steps(self) -> list[str]:
        steps: tuple[tuple[str, Callable[[], str]], ...] = (
            ("1 发布 publish", self.publish),
            ("2 查找 find", self.find),
            ("3 绑定 bind", self.bind),
            ("4 调用 invoke", self.invoke),
        )
        return [name for name, step in steps if not self._done(name, step)]

    def _done(self, name: str, step: Callable[[], str]) -> bool:
        self.screen.line("")
        self.screen.print(Rule(name, style="cyan", align="left"))
        try:
            said = step()
        except (StepFailed, Refused) as error:
            self.screen.line(f"✗ {name}：{str(error).removeprefix('✗ ')}", style="bold red")
        except SoapFault as fault:
            self.screen.line(f"✗ {name}：Fault {fault.code}：{fault.message}", style="bold red")
        except (RegistryUnavailable, UddiError) as error:
            self.screen.line(f"✗ {name}：{error}", style="bold red")
        else:
            self.screen.line(f"✓ {said}", style="green")
            return True
        return False

    # --- the four verbs ----------------------------------------------------------------------

    def publish(self) -> str:
        """What each node put into the registry, read back over UDDI."""
        client = UddiClient(self.plan.registry)
        wanted = len(SERVICES) * len(self.plan.hospitals)
        self.screen.line("各节点启动时自行登记；以下从注册中心（UDDI）读回。", style="dim")
        self.screen.line("Each node published itself at start; read back over UDDI:", style="dim")

        def outside() -> list[RegisteredBinding]:
            return [one for one in client.bindings() if one.face == "outside"]

        if not until(lambda: len(outside()) >= wanted, PUBLISHED):
            raise StepFailed(
                f"{PUBLISHED:.0f} 秒内只登记了 {len(outside())}/{wanted} 个服务 / "
                f"only {len(outside())} of {wanted} services were published"
            )
        bindings = outside()
        for hospital in self.plan.hospitals:
            self._title(f"{hospital.name} {hospital.code}  {hospital.name_en}")
            for one in bindings:
                if one.hospital == hospital.code:
                    self.screen.pair(one.service_key, one.access_point)
        self.screen.line("")
        return f"{len(bindings)} 个服务已登记 / {len(bindings)} services published"

    def find(self) -> str:
        """Services by their names and by their category, at every hospital."""
        client = UddiClient(self.plan.registry)
        namespace = describe(NumberSource).namespace
        category = CategoryBag((KeyedReference(XML_NAMESPACE, namespace),))
        by_category = client.get_service_detail(client.find_service(Find(category_bag=category)))
        for how, services in (
            ("按名称 by name: LabResults", client.find_services_by_name("LabResults")),
            ("按名称 by name: HisService", client.find_services_by_name("HisService")),
            (f"按分类 by category: {namespace}", by_category),
        ):
            self._title(f"find_service  {how}")
            for service in services:
                self.screen.pair(*self._noted(service))
            wanted = len(self.plan.hospitals)
            if len(services) != wanted:
                raise StepFailed(
                    f"{how}：应找到 {wanted} 个，找到 {len(services)} 个 / "
                    f"found {len(services)} of {wanted}"
                )
        self.screen.line("")
        return "按名称与分类都能找到 / found by name and by category"

    def _noted(self, service: BusinessService) -> tuple[str, str]:
        """Remember where a found service is bound: what the next steps use is what was found."""
        (address,) = (
            binding.access_point.value
            for binding in service.bindings
            if binding.access_point and face_of(binding) == "outside"
        )
        hospital = service.key.split(":")[2]
        self.found[hospital, category_of(service, XML_LOCALNAME)] = address
        return f"{hospital}  {name_in(service.names, 'zh')}", address

    def bind(self) -> str:
        """The WSDLs, fetched through the gateway, from the addresses that were found."""
        if not self.found:
            raise StepFailed("没有找到服务，无从绑定 / nothing was found to bind to")
        for (hospital, name), address in sorted(self.found.items()):
            client = self._bound(address)
            self.screen.line("")
            self.screen.pair(f"{hospital}  {name}", client.wsdl_url)
            for operation, arguments in client.operations.items():
                whole = dict.fromkeys(argument.name.partition(".")[0] for argument in arguments)
                takes = ", ".join(whole)
                self.screen.line(f"      {operation}({takes})", style="cyan")
        self.screen.line("")
        return "WSDL 中的地址都指向网关 / every WSDL names the gateway as its address"

    def _bound(self, address: str) -> SoapClient:
        until(lambda: healthy(f"{address}?wsdl"), PUBLISHED)
        client = SoapClient(f"{address}?wsdl")
        if client.address != address:
            raise StepFailed(
                f"{client.wsdl_url} 写的地址是 {client.address} / its address is another"
            )
        return client

    def invoke(self) -> str:
        """The paper's call, the typed one, and today's number sources, at both hospitals."""
        if not self.found:
            raise StepFailed("没有绑定，无从调用 / nothing was bound to call")
        self.screen.line(
            "传统接口中，值里的 | ? 和换行写成全角 ｜ ？ 和空格；有类型的服务保持原样。",
            style="dim",
        )
        self.screen.line(
            "Delimited rows write | ? and line breaks as ｜ ？ and blanks; typed ones keep them.",
            style="dim",
        )
        for hospital in self.plan.hospitals:
            self._call(hospital, "HisService", "getlabmaster", LEGACY, PatientId=PATIENT)
        for hospital in self.plan.hospitals:
            self._call(hospital, "LabResults", "QueryLabMaster", TYPED, PatientId=PATIENT)
        today = {"ScheduleDate": self.today}
        for hospital in self.plan.hospitals:
            self._call(hospital, "NumberSource", "QueryNumberSource", NUMBERS, **today)
        self.screen.line("")
        return "两家医院的三个服务都已应答 / three services answered at both hospitals"

    def _title(self, text: str) -> None:
        self.screen.line("")
        self.screen.line(text, style="bold")

    def _call(
        self,
        hospital: DemoHospital,
        service: str,
        operation: str,
        columns: tuple[str, ...],
        **arguments: Any,
    ) -> None:
        client = SoapClient(f"{self.found[hospital.code, service]}?wsdl")
        answer = answer_of(client.namespace, operation, client.call(operation, **arguments))
        if answer.error:
            raise StepFailed(f"{hospital.code} {operation} = {answer.code}：{answer.error}")
        told = ", ".join(f"{name}={value}" for name, value in arguments.items())
        self._title(f"{hospital.name} {hospital.code}  {operation}({told})")
        if not answer.records:
            raise StepFailed(f"{hospital.code} {operation}：没有记录 / no rows")
        width = self.screen.width
        self.screen.print(*answer.fitting(width, ROWS, *columns).shown(ROWS, width))


#: columns in the order of their worth: a narrow screen loses the last ones
LEGACY = (
    *("TestNo", "Sex", "Age", "RelevantClinicDiag", "RequestedDateTime"),
    *("VerifiedBy", "Specimen"),
)
TYPED = (
    *("TestNo", "RelevantClinicDiag", "ResultStatus", "RequestedDateTime"),
    *("Final", "TestCause"),
)
NUMBERS = (
    *("ClinicName", "DoctorName", "Remaining", "Unlimited", "Stopped"),
    *("OpenToRemote", "ConsultationFee", "DoctorTitle"),
)
