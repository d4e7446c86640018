"""A contract is described as it is declared, and a wrong declaration is refused by name."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated

import pytest

from services.catalogue import CONTRACTS
from services.contract import Contract, Doc, ListOf, RecordType, Scalar, Text, describe, read, write
from tests.services.sample import Sample


def test_names_namespace_and_optionality_follow_the_declaration() -> None:
    described = describe(Sample)
    assert described.namespace == "urn:yilian:Sample:3"
    ask = described.operation("Ask")
    assert [f.name for f in ask.parameters if f.required] == ["Id"]
    assert ask.probe and not ask.writes
    assert isinstance(ask.result, ListOf) and ask.result.item.name == "Person"
    put = described.operation("Put")
    assert put.writes and isinstance(put.parameters[1].type, RecordType)
    assert isinstance(put.result, Scalar)


def test_an_adapter_that_lacks_an_operation_cannot_be_made() -> None:
    class Half(Sample):
        def Ask(self, *args: object, **kwargs: object) -> list:  # type: ignore[override,type-arg]
            return []

    with pytest.raises(TypeError, match="Put"):
        Half()  # type: ignore[abstract]


def test_a_write_without_request_id_is_refused() -> None:
    class Bad(Contract, version=1, zh="坏"):
        @write("写")
        @abstractmethod
        def Save(self, Id: Annotated[str, Text(3), Doc("号", "id")]) -> bool: ...

    with pytest.raises(TypeError, match=r"Bad\.Save writes, so its first parameter"):
        describe(Bad)


def test_a_parameter_without_names_for_people_is_refused() -> None:
    class Bad(Contract, version=1, zh="坏"):
        @read("读")
        @abstractmethod
        def Load(self, Id: str) -> bool: ...

    with pytest.raises(TypeError, match=r"Bad\.Load\.Id has no Doc"):
        describe(Bad)


def test_a_type_that_the_wire_cannot_carry_is_refused() -> None:
    class Bad(Contract, version=1, zh="坏"):
        @read("读")
        @abstractmethod
        def Load(self, Id: Annotated[float, Doc("号", "id")]) -> bool: ...

    with pytest.raises(TypeError, match="float"):
        describe(Bad)


def test_a_contract_without_operations_is_refused() -> None:
    class Empty(Contract, version=1, zh="空"):
        pass

    with pytest.raises(TypeError, match="Empty declares no operation"):
        describe(Empty)


def test_no_two_contracts_have_an_operation_of_one_name() -> None:
    # One adapter implements several of them, as methods of one class.
    names = [operation.name for one in CONTRACTS.values() for operation in describe(one).operations]
    assert sorted(names) == sorted(set(names))
