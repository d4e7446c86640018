"""Which operations may be sent twice."""

from __future__ import annotations

import pytest

from gateway.reads import READS, reads_by_action, repeatable
from services.catalogue import CONTRACTS
from services.contract import describe
from services.soap.interface import his_service_interface, typed_interface


def test_every_operation_that_a_contract_declares_a_read_and_no_write() -> None:
    for contract in CONTRACTS.values():
        description = describe(contract)
        for operation in description.operations:
            assert ((description.namespace, operation.name) in READS) is not operation.writes
    assert ("http://tempuri.org/", "getlabmaster") in READS


@pytest.mark.parametrize(
    "namespace, operation, request_id, may",
    [
        ("urn:yilian:LabResults:1", "QueryLabMaster", None, True),
        ("urn:yilian:Registration:1", "Register", None, False),
        ("urn:yilian:Registration:1", "Register", "", False),
        ("urn:yilian:Registration:1", "Register", "3f0c", True),
        ("urn:of:somebody:else", "QueryLabMaster", None, False),
        ("urn:of:somebody:else", "Register", "3f0c", False),
    ],
)
def test_a_write_may_be_sent_twice_only_with_its_request_id(
    namespace: str, operation: str, request_id: str | None, may: bool
) -> None:
    assert repeatable(namespace, operation, request_id) is may


def test_a_soap_action_says_it_too_where_it_names_a_read() -> None:
    interfaces = [typed_interface(contract) for contract in CONTRACTS.values()]
    for interface in [*interfaces, his_service_interface()]:
        for operation in interface.operations:
            reads = (interface.namespace, operation.name) in READS
            assert reads_by_action(f'"{operation.soap_action}"') is reads
            assert reads_by_action(operation.soap_action) is reads
    assert not reads_by_action(None)
    assert not reads_by_action('""')
