"""The declared harmless calls: what a contract must say, and that nothing else comes through."""

from __future__ import annotations

import json
from abc import abstractmethod
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from services.catalogue import CONTRACTS
from services.contract import Contract, Doc, Text, describe, read
from services.soap.codec import codecs
from services.soap.interface import his_service_interface, typed_interface
from services.soap.probe import ProbeCall, from_json, his_probe, probe_of
from services.soap.wsdl import schema

Word = Annotated[str, Text(9), Doc("词", "word")]


@pytest.mark.parametrize("name", CONTRACTS)
def test_the_declared_call_is_one_that_the_schema_accepts(name: str) -> None:
    call = probe_of(CONTRACTS[name])
    assert call is not None
    body = etree.fromstring(call.envelope())[0][0]
    checked = etree.XMLSchema(schema(typed_interface(CONTRACTS[name])))
    checked.assertValid(body)
    assert from_json(call.to_json()) == call


@pytest.mark.parametrize("name", CONTRACTS)
def test_his_service_has_one_wherever_it_has_a_contract(name: str) -> None:
    call = his_probe([name])
    assert call is not None
    assert f"{{{call.namespace}}}{call.operation}" in codecs(his_service_interface())
    assert all(value for _, value in call.arguments)
    assert his_probe([]) is None


def test_a_probe_that_lacks_an_argument_is_refused_at_start() -> None:
    class Wrong(Contract, version=1, zh="错"):
        @read("问", probe={"Other": "x"})
        @abstractmethod
        def Ask(self, Id: Word) -> Word:
            """Ask."""

    with pytest.raises(TypeError, match="probe"):
        describe(Wrong)


@given(st.text(max_size=200))
def test_any_text_is_a_declaration_or_refused(text: str) -> None:
    with pytest.raises(ValueError):
        from_json(text)


@given(
    st.text(max_size=20),
    st.text(max_size=20),
    st.text(max_size=20),
    st.dictionaries(st.text(max_size=10), st.text(max_size=20), max_size=3),
)
def test_what_is_accepted_makes_a_message_of_exactly_this_call(
    operation: str, namespace: str, action: str, arguments: dict[str, str]
) -> None:
    text = json.dumps({
        "operation": operation, "namespace": namespace, "soapAction": action,
        "arguments": arguments,
    })  # fmt: skip
    try:
        call = from_json(text)
    except ValueError:
        return
    root = etree.fromstring(call.envelope())
    (only,) = root[0]
    name = etree.QName(only)
    assert (name.namespace or "", name.localname) == (namespace, operation)
    assert [(etree.QName(one).localname, one.text or "") for one in only] == list(arguments.items())
    assert "\n" not in call.soap_action
    assert "\r" not in call.soap_action


@pytest.mark.parametrize("action", ["a\r\nX-Evil: 1", "a\x00", "动作"])
def test_an_action_cannot_smuggle_a_header(action: str) -> None:
    with pytest.raises(ValueError):
        from_json(ProbeCall("Ask", "urn:x", action, ()).to_json())
