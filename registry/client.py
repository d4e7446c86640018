"""A UDDI 3 client: the registry's model over HTTP, and what a gateway needs to know in few calls.

    client = UddiClient("http://127.0.0.1:8081")
    token = client.get_auth_token("hx", password)
    client.save_businesses(token, [business])
    client.bindings()

Synchronous, one connection a call, no shared state: threads may share a client.
"""

from __future__ import annotations

import http.client
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar
from urllib.parse import urlsplit

from lxml import etree

from registry.errors import RegistryUnavailable, UddiError
from registry.model import (
    BindingTemplate,
    BusinessEntity,
    BusinessService,
    Find,
    LangText,
    TModel,
)
from registry.registered import RegisteredBinding, hospitals_find, registered_bindings
from registry.uddi.soap import CONTENT_TYPE, SOAP, EnvelopeError, envelope, open_envelope
from registry.uddi.v3 import append, q, read, root, write

T = TypeVar("T")

_MAX_ANSWER_BYTES = 64 * 1024 * 1024
_KEYS_PER_CALL = 200


class UddiClient:
    """``base_url``: the registry's, such as http://127.0.0.1:8081. ``timeout``: seconds that
    connecting, and every wait for more of an answer, may take.

    Every method raises UddiError for what the registry refused, and RegistryUnavailable where
    it could not be reached or did not answer as a registry does.
    """

    def __init__(self, base_url: str, timeout: float = 10.0) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(
                "注册中心地址应是 http(s) 地址 / the registry's address must be http(s): "
                f"{base_url!r}"
            )
        self.base_url = base_url.rstrip("/")
        self.timeout = timeout
        self._parts = parts

    # --- inquiry -----------------------------------------------------------------------------

    def find_business(self, find: Find) -> list[str]:
        """The keys of the businesses that match: a page of them where ``find`` says how many or
        from where, else all, asked for page by page. So do the other finds."""
        return self._find("find_business", find, "businessInfos/businessInfo", "businessKey")

    def find_service(self, find: Find) -> list[str]:
        """The keys of the services that match."""
        return self._find("find_service", find, "serviceInfos/serviceInfo", "serviceKey")

    def find_tmodel(self, find: Find) -> list[str]:
        """The keys of the tModels that match."""
        return self._find("find_tModel", find, "tModelInfos/tModelInfo", "tModelKey")

    def find_binding(self, find: Find) -> list[BindingTemplate]:
        """The bindings that match."""
        return [
            binding
            for answer in self._pages("find_binding", find, "bindingTemplate")
            for binding in _each(answer, "bindingTemplate", BindingTemplate)
        ]

    def find_services_by_name(self, name: str) -> list[BusinessService]:
        """Services whose name in any language is this in any case; % and _ are wildcards."""
        qualifiers = ("approximateMatch", "caseInsensitiveMatch")
        keys = self.find_service(Find(qualifiers=qualifiers, names=(LangText(name),)))
        return self.get_service_detail(keys)

    def get_business_detail(self, keys: Sequence[str]) -> list[BusinessEntity]:
        return self._get("get_businessDetail", "businessKey", keys, BusinessEntity)

    def get_service_detail(self, keys: Sequence[str]) -> list[BusinessService]:
        return self._get("get_serviceDetail", "serviceKey", keys, BusinessService)

    def get_binding_detail(self, keys: Sequence[str]) -> list[BindingTemplate]:
        return self._get("get_bindingDetail", "bindingKey", keys, BindingTemplate)

    def get_tmodel_detail(self, keys: Sequence[str]) -> list[TModel]:
        return self._get("get_tModelDetail", "tModelKey", keys, TModel)

    def bindings(self) -> list[RegisteredBinding]:
        """Every binding of every hospital in the registry: one find and one get a page of
        hospitals. A hospital is a business that has a hospital code and the key that belongs to
        that code; others are left out. What is hidden is among them; ``LivingClient.snapshot``
        leaves it out."""
        found: list[RegisteredBinding] = []
        head = 1
        while True:
            keys = self.find_business(hospitals_find(head, _KEYS_PER_CALL))
            try:
                found += registered_bindings(self.get_business_detail(keys))
            except UddiError as error:
                # A hospital went away between the two calls: the same page again.
                if error.code != "invalidKeyPassed":
                    raise
                continue
            if len(keys) < _KEYS_PER_CALL:
                return found
            head += len(keys)

    # --- security and publication ------------------------------------------------------------

    def get_auth_token(self, user: str, password: str) -> str:
        """A token for what follows; it expires, by default after an hour."""
        request = root("get_authToken")
        request.set("userID", user)
        request.set("cred", password)
        answer = self._call("security", request)
        token = None if answer is None else answer.findtext(q("authInfo"))
        if not token:
            raise RegistryUnavailable(f"{self.base_url}: 答复中没有令牌 / no token in the answer")
        return token

    def discard_auth_token(self, token: str) -> None:
        request = root("discard_authToken")
        append(request, token, "authInfo")
        self._call("security", request)

    def save_businesses(
        self, token: str, businesses: Iterable[BusinessEntity]
    ) -> list[BusinessEntity]:
        return self._save("save_business", token, businesses, "businessEntity", BusinessEntity)

    def save_services(
        self, token: str, services: Iterable[BusinessService]
    ) -> list[BusinessService]:
        return self._save("save_service", token, services, "businessService", BusinessService)

    def save_bindings(
        self, token: str, bindings: Iterable[BindingTemplate]
    ) -> list[BindingTemplate]:
        return self._save("save_binding", token, bindings, "bindingTemplate", BindingTemplate)

    def save_tmodels(self, token: str, tmodels: Iterable[TModel]) -> list[TModel]:
        return self._save("save_tModel", token, tmodels, "tModel", TModel)

    def delete_businesses(self, token: str, keys: Iterable[str]) -> None:
        self._delete("delete_business", token, "businessKey", keys)

    def delete_services(self, token: str, keys: Iterable[str]) -> None:
        self._delete("delete_service", token, "serviceKey", keys)

    def delete_bindings(self, token: str, keys: Iterable[str]) -> None:
        self._delete("delete_binding", token, "bindingKey", keys)

    def delete_tmodels(self, token: str, keys: Iterable[str]) -> None:
        """Hide them: get_tmodel_detail still answers them, marked as deleted."""
        self._delete("delete_tModel", token, "tModelKey", keys)

    # --- messages ----------------------------------------------------------------------------

    def _find(self, operation: str, find: Find, path: str, key_name: str) -> list[str]:
        steps = "/".join(q(step) for step in path.split("/"))
        return [
            info.get(key_name, "")
            for answer in self._pages(operation, find, path)
            for info in answer.findall(steps)
        ]

    def _pages(self, operation: str, find: Find, path: str) -> Iterator[etree._Element]:
        """The answer, and those behind it where the registry cut it and no page was asked for."""
        steps = "/".join(q(step) for step in path.split("/"))
        answer = self._inquire(write(find, operation))
        yield answer
        found = len(answer.findall(steps))
        if find.max_rows is not None or find.list_head is not None or not _cut(answer):
            return
        more = found
        while more:
            answer = self._inquire(write(replace(find, list_head=found + 1), operation))
            yield answer
            more = len(answer.findall(steps))
            found += more

    def _get(self, operation: str, key_name: str, keys: Sequence[str], cls: type[T]) -> list[T]:
        found: list[T] = []
        for start in range(0, len(keys), _KEYS_PER_CALL):
            request = root(operation)
            for key in keys[start : start + _KEYS_PER_CALL]:
                append(request, key, key_name)
            answer = self._inquire(request)
            found += _each(answer, etree.QName(answer[0]).localname, cls) if len(answer) else []
        return found

    def _save(
        self, operation: str, token: str, items: Iterable[T], element: str, cls: type[T]
    ) -> list[T]:
        request = root(operation)
        append(request, token, "authInfo")
        for item in items:
            append(request, item)
        return _each(self._answered("publish", request), element, cls)

    def _delete(self, operation: str, token: str, key_name: str, keys: Iterable[str]) -> None:
        request = root(operation)
        append(request, token, "authInfo")
        for key in keys:
            append(request, key, key_name)
        self._call("publish", request)

    def _inquire(self, request: etree._Element) -> etree._Element:
        return self._answered("inquiry", request)

    def _answered(self, port: str, request: etree._Element) -> etree._Element:
        answer = self._call(port, request)
        if answer is None:
            raise RegistryUnavailable(f"{self.base_url}: 答复是空的 / the answer is empty")
        return answer

    def _call(self, port: str, request: etree._Element) -> etree._Element | None:
        status, body = self._post(f"/uddi/{port}", envelope(request))
        try:
            answer = open_envelope(body) if status in (200, 500) else None
        except EnvelopeError as error:
            # A successful delete answers an empty Body, which is no message otherwise.
            if status == 200 and _empty_body(body):
                return None
            raise RegistryUnavailable(
                f"{self.base_url} 的答复不是 UDDI / did not answer as a UDDI registry does: {error}"
            ) from error
        if answer is None:
            raise RegistryUnavailable(f"{self.base_url}/uddi/{port}: HTTP {status}")
        if answer.tag == f"{{{SOAP}}}Fault":
            raise _fault(answer, self.base_url)
        return answer

    def _post(self, path: str, body: bytes) -> tuple[int, bytes]:
        headers = {"Content-Type": CONTENT_TYPE, "SOAPAction": '""'}
        return self._send("POST", path, body, headers, self.timeout)

    def _send(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str], timeout: float
    ) -> tuple[int, bytes]:
        parts = self._parts
        secure = parts.scheme == "https"
        connect = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = connect(parts.hostname or "", parts.port, timeout=timeout)
        try:
            connection.request(method, parts.path.rstrip("/") + path, body, headers)
            response = connection.getresponse()
            data = response.read(_MAX_ANSWER_BYTES + 1)
        except (OSError, http.client.HTTPException) as error:
            raise RegistryUnavailable(
                f"无法连接注册中心 {self.base_url}，请确认它已启动 / cannot reach the registry at "
                f"{self.base_url}; is it running? {error}"
            ) from error
        finally:
            connection.close()
        if len(data) > _MAX_ANSWER_BYTES:
            raise RegistryUnavailable(f"{self.base_url}: 答复过长 / the answer is too long")
        return response.status, data


def _each(answer: etree._Element, element: str, cls: type[T]) -> list[T]:
    return [read(found, cls) for found in answer.findall(q(element))]


def _cut(answer: etree._Element) -> bool:
    return answer.get("truncated") in ("true", "1")


def _empty_body(body: bytes) -> bool:
    tree = etree.fromstring(body)
    found = tree.find(f"{{{SOAP}}}Body")
    return found is not None and len(found) == 0


def _fault(fault: etree._Element, base_url: str) -> Exception:
    result = fault.find(f".//{q('result')}")
    info = None if result is None else result.find(q("errInfo"))
    if result is None or info is None:
        return RegistryUnavailable(f"{base_url}: {fault.findtext('faultstring')}")
    return UddiError(
        info.get("errCode", ""), info.text or "", errno=int(result.get("errno", "0")) or 10500
    )
