"""From registry entities to what a gateway routes by: one RegisteredBinding for each face."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from registry.keys import fold
from registry.model import (
    BindingTemplate,
    BusinessEntity,
    BusinessService,
    Find,
    KeyedReference,
    LangText,
)
from registry.uddi.wellknown import FACE_INSIDE, HOSPITAL_CODE, XML_LOCALNAME, XML_NAMESPACE

Face = Literal["outside", "inside"]


@dataclass(frozen=True, slots=True)
class RegisteredBinding:
    """One way to reach one service of one hospital.

    ``hospital`` is its code, ``service`` the WSDL service's name (LabResults, HisService),
    ``namespace`` the WSDL's, ``access_point`` an http(s) address, ``face`` whether that is the
    gateway (outside) or the node (inside). ``wsdl_url`` is where askers get the WSDL, "" where
    none was published.
    """

    hospital: str
    hospital_name: str
    service: str
    namespace: str
    access_point: str
    face: Face
    wsdl_url: str
    binding_key: str
    service_key: str


def hospital_key(code: str) -> str:
    """The businessKey of the hospital with this code."""
    return fold(f"uddi:yilian:hospital:{code}")


def service_key(code: str, service: str) -> str:
    """The serviceKey of a hospital's service by its WSDL name."""
    return fold(f"uddi:yilian:{code}:{service}")


def hospitals_find(head: int, rows: int) -> Find:
    """The find_business for every hospital, from number ``head`` (from 1), ``rows`` of them."""
    return Find(
        qualifiers=("approximateMatch",),
        identifier_bag=(KeyedReference(HOSPITAL_CODE, "%"),),
        max_rows=rows,
        list_head=head,
    )


def registered_bindings(businesses: Iterable[BusinessEntity]) -> list[RegisteredBinding]:
    """The bindings of the hospitals among these businesses."""
    return [
        _registered(code, business, service, binding)
        for business in businesses
        for code in [hospital_code(business)]
        if code is not None
        for service in business.services
        # what it only projects is another hospital's, and found there
        if service.business_key in ("", business.key)
        for binding in service.bindings
        if binding.access_point is not None
    ]


def hospital_code(business: BusinessEntity) -> str | None:
    """The hospital's code; None where the business is no hospital, or claims the code of one
    whose key it does not have."""
    for reference in business.identifier_bag:
        if reference.tmodel_key == HOSPITAL_CODE:
            code = reference.key_value
            return code if business.key == hospital_key(code) else None
    return None


def _registered(
    code: str, business: BusinessEntity, service: BusinessService, binding: BindingTemplate
) -> RegisteredBinding:
    return RegisteredBinding(
        hospital=code,
        hospital_name=name_in(business.names, "zh"),
        service=category(service, XML_LOCALNAME) or name_in(service.names, "en"),
        namespace=category(service, XML_NAMESPACE),
        access_point=binding.access_point.value if binding.access_point else "",
        face=face_of(binding),
        wsdl_url=wsdl_url(binding),
        binding_key=binding.key,
        service_key=service.key,
    )


def face_of(binding: BindingTemplate) -> Face:
    marked = any(instance.tmodel_key == FACE_INSIDE for instance in binding.instances)
    return "inside" if marked else "outside"


def wsdl_url(binding: BindingTemplate) -> str:
    """The WSDL that the binding names as its own."""
    for instance in binding.instances:
        if instance.instance_details is not None:
            for document in instance.instance_details.overview_docs:
                if document.overview_url is not None:
                    return document.overview_url.value
    return ""


def category(service: BusinessService, tmodel_key: str) -> str:
    """The service's value in that category system, or ""."""
    for reference in service.category_bag.references:
        if reference.tmodel_key == tmodel_key:
            return reference.key_value
    return ""


def name_in(names: Iterable[LangText], lang: str) -> str:
    """The name in that language, else the first one, else ""."""
    names = tuple(names)
    for name in names:
        if name.lang.lower().partition("-")[0] == lang:
            return name.value
    return names[0].value if names else ""
