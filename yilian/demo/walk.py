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
from yilian.screen import Screen, table
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
        self.screen.line("各节点启动时自行登记；下表从注册中心（UDDI）读回。", style="dim")
        self.screen.line("Each node published itself at start; read back over UDDI:", style="dim")

        def outside() -> list[RegisteredBinding]:
            return [one for one in client.bindings() if one.face == "outside"]

        if not until(lambda: len(outside()) >= wanted, PUBLISHED):
            raise StepFailed(
                f"{PUBLISHED:.0f} 秒内只登记了 {len(outside())}/{wanted} 个服务 / "
                f"only {len(outside())} of {wanted} services were published"
            )
        bindings = outside()
        rows = [
            [one.hospital_name, one.service, one.service_key, one.access_point] for one in bindings
        ]
        columns = ["医院\nhospital", "服务\nservice", "服务键\nserviceKey", "对外地址\naccessPoint"]
        self.screen.print(table(columns, rows))
        return f"{len(bindings)} 个服务已登记 / {len(bindings)} services published"

    def find(self) -> str:
        """One service by its name, another by its category, at every hospital."""
        client = UddiClient(self.plan.registry)
        by_name = client.find_services_by_name("LabResults")
        namespace = describe(NumberSource).namespace
        category = KeyedReference(XML_NAMESPACE, namespace)
        keys = client.find_service(Find(category_bag=CategoryBag((category,))))
        by_category = client.get_service_detail(keys)
        legacy = client.find_services_by_name("HisService")
        rows = []
        for how, services in (
            ("find_service name = LabResults", by_name),
            (f"find_service category = {namespace}", by_category),
            ("find_service name = HisService", legacy),
        ):
            if len(services) != len(self.plan.hospitals):
                raise StepFailed(
                    f"{how}：应找到 {len(self.plan.hospitals)} 个，找到 {len(services)} 个 / "
                    f"found {len(services)} of {len(self.plan.hospitals)}"
                )
            rows += [[how, *self._noted(service)] for service in services]
        self.screen.print(table(["查找方式\nasked", "服务\nservice", "绑定地址\nbinds to"], rows))
        return "按名称与分类都能找到 / found by name and by category"

    def _noted(self, service: BusinessService) -> tuple[str, str]:
        """Remember where a found service is bound: what the next steps use is what was found."""
        (address,) = (
            binding.access_point.value
            for binding in service.bindings
            if binding.access_point and face_of(binding) == "outside"
        )
        hospital = service.key.split(":")[2]
        name = category_of(service, XML_LOCALNAME)
        self.found[hospital, name] = address
        return f"{name_in(service.names, 'zh')} {name}", address

    def bind(self) -> str:
        """The WSDLs, fetched through the gateway, from the addresses that were found."""
        if not self.found:
            raise StepFailed("没有找到服务，无从绑定 / nothing was found to bind to")
        rows = []
        for (hospital, name), address in sorted(self.found.items()):
            url = f"{address}?wsdl"
            until(lambda url=url: healthy(url), PUBLISHED)  # type: ignore[misc]
            client = SoapClient(url)
            if client.address != address:
                raise StepFailed(f"{url} 写的地址是 {client.address} / its address is another")
            operations = "\n".join(
                f"{operation}({', '.join(argument.name for argument in arguments)})"
                for operation, arguments in client.operations.items()
            )
            rows.append([f"{hospital} {name}", operations, url])
        columns = ["服务\nservice", "操作\noperations", "WSDL（经网关 through the gateway）"]
        self.screen.print(table(columns, rows))
        return "WSDL 中的地址都指向网关 / every WSDL names the gateway as its address"

    def invoke(self) -> str:
        """The paper's call, the typed one, and today's number sources, at both hospitals."""
        if not self.found:
            raise StepFailed("没有绑定，无从调用 / nothing was bound to call")
        for hospital in self.plan.hospitals:
            self._call(hospital, "HisService", "getlabmaster", LEGACY, PatientId=PATIENT)
        for hospital in self.plan.hospitals:
            self._call(hospital, "LabResults", "QueryLabMaster", TYPED, PatientId=PATIENT)
        for hospital in self.plan.hospitals:
            columns = NUMBERS
            self._call(
                hospital, "NumberSource", "QueryNumberSource", columns, ScheduleDate=self.today
            )
        return "两家医院的三个服务都已应答 / three services answered at both hospitals"

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
        self.screen.line("")
        self.screen.line(f"{hospital.name} {hospital.code}  {operation}({told})", style="bold")
        if not answer.records:
            raise StepFailed(f"{hospital.code} {operation}：没有记录 / no rows")
        self.screen.print(*answer.chosen(*columns).shown(ROWS, self.screen.width))


LEGACY = (
    "TestNo",
    "Sex",
    "Age",
    "RelevantClinicDiag",
    "Specimen",
    "RequestedDateTime",
    "VerifiedBy",
)
TYPED = ("TestNo", "TestCause", "RelevantClinicDiag", "RequestedDateTime", "ResultStatus", "Final")
NUMBERS = (
    "ClinicName",
    "DoctorName",
    "DoctorTitle",
    "Remaining",
    "Unlimited",
    "Stopped",
    "OpenToRemote",
    "ConsultationFee",
)
