"""The WSDL: laid out for old toolkits, the same bytes every time, and the committed files."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import zeep
from lxml import etree

from services.catalogue import CONTRACTS
from services.soap.interface import Interface, his_service_interface, typed_interface
from services.soap.version import SOAP_1_1, SOAP_1_2
from services.soap.wsdl import WSDL, XSD, schema, wsdl
from tests.services.sample import Sample
from yilian.commands.wsdl import documents

ROOT = Path(__file__).parents[2]
INTERFACES = [his_service_interface(), *map(typed_interface, [*CONTRACTS.values(), Sample])]
ids = [interface.name for interface in INTERFACES]
SOAP = {version.wsdl_binding for version in (SOAP_1_1, SOAP_1_2)}


def test_the_committed_files_are_what_the_code_generates() -> None:
    kept = {file.name: file.read_bytes() for file in (ROOT / "wsdl").glob("*.wsdl")}
    assert kept == documents(), "run: yilian wsdl --write"


def test_it_does_not_depend_on_the_hash_seed(tmp_path: Path) -> None:
    code = (
        "import sys; from services.soap.wsdl import wsdl;"
        "from services.soap.interface import *; from services.catalogue import CONTRACTS;"
        "[sys.stdout.buffer.write(wsdl(i, 'http://h/'))"
        " for i in [his_service_interface(), *map(typed_interface, CONTRACTS.values())]]"
    )
    made = {
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code],
            cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(made) == 1
    assert made.pop().count(b"</wsdl:definitions>") == 1 + len(CONTRACTS)


@pytest.mark.parametrize("interface", INTERFACES, ids=ids)
@pytest.mark.parametrize("version", [SOAP_1_1, SOAP_1_2], ids=["1.1", "1.2"])
def test_it_is_laid_out_as_old_toolkits_need_it(interface: Interface, version) -> None:  # type: ignore[no-untyped-def]
    text = wsdl(interface, "http://h:1/x?a=1&b", version)
    root = etree.fromstring(text)
    parts = [etree.QName(child).localname for child in root]
    assert sorted(set(parts), key=parts.index) == [
        "types",
        "message",
        "portType",
        "binding",
        "service",
    ]
    assert parts.count("service") == parts.count("binding") == parts.count("portType") == 1
    assert not root.findall(f".//{{{XSD}}}import") and not root.findall(f".//{{{XSD}}}include")
    assert {part.get("name") for part in root.iter(f"{{{WSDL}}}part")} == {"parameters"}
    assert "nillable" not in text.decode() and "parameterOrder" not in text.decode()
    for prefix in root.nsmap:
        assert f"{prefix}:".encode() in text.replace(f"xmlns:{prefix}".encode(), b"")
    for direction in (*root.iter(f"{{{WSDL}}}input"), *root.iter(f"{{{WSDL}}}output")):
        assert direction.get("name") is None
    address = root.find(f".//{{{version.wsdl_binding}}}address")
    assert address is not None and address.get("location") == "http://h:1/x?a=1&b"
    actions = [e.get("soapAction") for e in root.iter(f"{{{version.wsdl_binding}}}operation")]
    assert actions == [operation.soap_action for operation in interface.operations]
    globals_ = {e.get("name") for e in schema(interface).findall(f"{{{XSD}}}element")}
    names = [op.name for op in interface.operations]
    assert globals_ == {*names, *(f"{name}Response" for name in names)}


def test_simple_values_that_must_be_there_are_never_optional_and_ints_are_xs_int() -> None:
    text = wsdl(his_service_interface(), "http://h/").decode()
    assert '<xs:element name="getlabmasterResult" type="xs:int"/>' in text
    assert '<xs:element name="PatientId" type="xs:string" minOccurs="0"/>' in text
    assert "xs:integer" not in text


@pytest.mark.parametrize("interface", INTERFACES, ids=ids)
def test_its_schema_compiles_and_zeep_reads_it(interface: Interface, tmp_path: Path) -> None:
    etree.XMLSchema(schema(interface))
    file = tmp_path / "x.wsdl"
    file.write_bytes(wsdl(interface, "http://h/"))
    client = zeep.Client(str(file))
    (service,) = client.wsdl.services.values()
    (port,) = service.ports.values()
    assert set(port.binding.all()) == {op.name for op in interface.operations}
