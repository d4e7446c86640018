"""Which publisher may speak for which hospital: without this, one hospital's password could
publish another's addresses, and the gateway would send patients' data there."""

from __future__ import annotations

import re
from collections.abc import Iterator

from registry.config import Publisher
from registry.errors import UddiError
from registry.model import BindingTemplate, BusinessEntity, BusinessService, Entity, TModel
from registry.projections import is_projection
from registry.uddi.wellknown import HOSPITAL_CODE

_HOSPITAL = re.compile(r"uddi:yilian:hospital:([^:]+)")
_OF_HOSPITAL = re.compile(r"uddi:yilian:([^:]+):.+")


def check_ownership(publisher: Publisher, entity: Entity) -> None:
    """E_valueNotAllowed where the entity, or one inside it, is another hospital's by its key or
    by its hospital code. tModels are shared and belong to whoever saved them first."""
    for code in _codes(entity):
        if not publisher.may_speak_for(code):
            raise UddiError(
                "valueNotAllowed",
                f"发布者 {publisher.user} 不能代表医院 {code} 发布；"
                f"请在注册中心配置的 publishers.hospitals 中授权 / publisher {publisher.user} may "
                f"not publish for hospital {code}; allow it by publishers.hospitals in the "
                "registry's configuration",
            )


def _codes(entity: Entity) -> Iterator[str]:
    match entity:
        case TModel():
            return
        case BusinessEntity():
            yield from _HOSPITAL.findall(entity.key)
            for reference in entity.identifier_bag:
                if reference.tmodel_key == HOSPITAL_CODE:
                    yield reference.key_value
            for service in entity.services:
                if not is_projection(service, entity.key):
                    yield from _codes(service)
        case BusinessService():
            yield from _OF_HOSPITAL.findall(entity.key)
            for binding in entity.bindings:
                yield from _codes(binding)
        case BindingTemplate():
            yield from _OF_HOSPITAL.findall(entity.key)
