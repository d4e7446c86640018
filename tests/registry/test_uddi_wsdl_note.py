"""Any WSDL published by its address and found again, as the OASIS note has it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from registry_server import PASSWORDS, Running, config, running, service_wsdl, v3
from typer.testing import CliRunner

from registry.publisher import HospitalEntry, ServiceEntry, publish_node
from registry.uddi.wsdl_mapping import map_any_wsdl
from services.soap.wsdl_reading import NotWsdl, read_from
from tests.web_site import web_site
from yilian.cli import app
from yilian.refused import Refused

WSDL = "http://schemas.xmlsoap.org/wsdl/"
NS, ABSTRACT = "urn:vendor:ris", "urn:vendor:ris:abstract"
SOAP, SOAP12 = WSDL + "soap/", WSDL + "soap12/"

#: Two documents; one service with a port of each protocol, the portTypes in a document of its own.
MAIN = f"""<definitions xmlns="{WSDL}" targetNamespace="{NS}" xmlns:t="{NS}" xmlns:a="{ABSTRACT}"
  xmlns:s="{SOAP}" xmlns:s12="{SOAP12}" xmlns:h="{WSDL}http/">
  <import namespace="{ABSTRACT}" location="abstract.wsdl"/>
  <binding name="RisSoap" type="a:Ris">
    <s:binding transport="http://schemas.xmlsoap.org/soap/http"/></binding>
  <binding name="RisSoap12" type="a:Ris">
    <s12:binding transport="http://schemas.xmlsoap.org/soap/http"/></binding>
  <binding name="RisGet" type="a:RisGet"><h:binding verb="GET"/></binding>
  <binding name="Unused" type="a:Ris"/>
  <service name="RisService"><documentation> 影像检查 </documentation>
    <port name="RisSoap" binding="t:RisSoap"><s:address location="http://10.1.1.1/ris.asmx"/></port>
    <port name="RisSoap12" binding="t:RisSoap12">
      <s12:address location="http://10.1.1.1/ris.asmx"/></port>
    <port name="RisGet" binding="t:RisGet"><h:address location="http://10.1.1.1/ris"/></port>
  </service></definitions>"""
OTHER = f"""<definitions xmlns="{WSDL}" targetNamespace="{ABSTRACT}">
  <import namespace="{NS}" location="ris.wsdl"/>
  <portType name="Ris"/><portType name="RisGet"/></definitions>"""
DOCUMENTS = {
    "/ris.wsdl": MAIN,
    "/abstract.wsdl": OTHER,
    "/chinese.wsdl": MAIN.replace("RisService", "影像服务"),
    "/no.wsdl": "<html/>",
    "/broken.wsdl": "<definitions",
    "/lost.wsdl": MAIN.replace("abstract.wsdl", "gone.wsdl"),
    "/dangling.wsdl": MAIN.replace('binding="t:RisGet"', 'binding="t:Nothing"'),
    "/empty.wsdl": f'<definitions xmlns="{WSDL}"/>',
    "/dtd.wsdl": '<!DOCTYPE d [<!ENTITY x "y">]>' + MAIN,
    "/endless.wsdl": f'<definitions xmlns="{WSDL}">'
    + "".join(f'<import location="endless.wsdl?{n}"/>' for n in range(50))
    + "</definitions>",
}


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """A web server with the documents."""

    def answer(path: str) -> tuple[int, list[bytes]]:
        found = DOCUMENTS.get(path.partition("?")[0])
        return 200 if found else 404, [(found or "").encode()]

    with web_site(answer) as url:
        yield url


@pytest.fixture(scope="module")
def registry(tmp_path_factory, backend):
    with running(config(tmp_path_factory.mktemp("registry"))) as server:
        yield server


@pytest.fixture(scope="module")
def run(registry: Running, tmp_path_factory):
    password = tmp_path_factory.mktemp("password") / "hx.password"
    password.write_text(PASSWORDS["hx"], "utf-8")

    def run(*arguments: str) -> str:
        """The command's output; Refused is raised as main() would show it."""
        given = [*arguments, "--registry", registry.url]
        if arguments[0] == "publish-wsdl":
            given += ["--user", "hx", "--password-file", str(password)]
        result = CliRunner().invoke(app, ["uddi", *given])
        if isinstance(result.exception, Refused):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result.output

    return run


@pytest.fixture(scope="module")
def published(run, site) -> str:
    return run("publish-wsdl", f"{site}/ris.wsdl", "--hospital", "hx", "--name", "华夏中心医院")


def test_publishing_says_what_now_stands_there(published):
    assert "✓ uddi:yilian:hx:risservice" in published
    assert "uddi:yilian:hx:risservice:rissoap12  http://10.1.1.1/ris.asmx" in published


def test_the_entities_are_the_notes(published, registry, site):
    client = registry.client()
    (service,) = client.get_service_detail(["uddi:yilian:hx:risservice"])
    systems = {r.tmodel_key: r.key_value for r in service.category_bag.references}
    assert systems["uddi:uddi.org:wsdl:types"] == "service"
    assert systems["uddi:uddi.org:xml:namespace"] == NS
    assert systems["uddi:uddi.org:xml:localname"] == "RisService"
    assert service.descriptions[0].value == "影像检查"
    first = service.bindings[0]
    assert first.access_point.value == "http://10.1.1.1/ris.asmx"
    binding, port_type = client.get_tmodel_detail([i.tmodel_key for i in first.instances])
    assert first.instances[0].instance_details.instance_parms == "RisSoap"
    assert (binding.name.value, port_type.name.value) == ("RisSoap", "Ris")
    said = {r.tmodel_key: r.key_value for r in binding.category_bag.references}
    assert said["uddi:uddi.org:wsdl:types"] == "binding"
    assert said["uddi:uddi.org:wsdl:porttypereference"] == port_type.key
    assert said["uddi:uddi.org:wsdl:categorization:protocol"] == "uddi:uddi.org:protocol:soap"
    assert said["uddi:uddi.org:wsdl:categorization:transport"] == "uddi:uddi.org:transport:http"
    assert said["uddi:uddi.org:categorization:types"] == "wsdlSpec"
    assert said["uddi:uddi.org:xml:namespace"] == NS
    of_type = {r.tmodel_key: r.key_value for r in port_type.category_bag.references}
    assert of_type["uddi:uddi.org:xml:namespace"] == ABSTRACT
    assert port_type.overview_docs[0].overview_url.value == f"{site}/abstract.wsdl"
    assert binding.overview_docs[0].overview_url.value == f"{site}/ris.wsdl"


def category(system: str, value: str) -> str:
    return f'<keyedReference tModelKey="uddi:uddi.org:{system}" keyValue="{value}"/>'


def test_the_notes_own_queries_find_it_by_real_envelopes(published, registry):
    """portType by name and namespace; its bindings by protocol; what implements them."""

    def infos(operation, content, attribute):
        reply = registry.uddi("inquiry", v3(operation, content))
        assert reply.status == 200
        return [e.get(attribute) for e in reply.content.iter() if e.get(attribute)]

    (port_type,) = infos(
        "find_tModel",
        "<name>Ris</name><categoryBag>"
        + category("wsdl:types", "portType")
        + category("xml:namespace", ABSTRACT)
        + "</categoryBag>",
        "tModelKey",
    )
    bindings = infos(
        "find_tModel",
        "<categoryBag>"
        + category("wsdl:types", "binding")
        + category("wsdl:porttypereference", port_type)
        + category("wsdl:categorization:protocol", "uddi:uddi.org:protocol:soap")
        + category("wsdl:categorization:transport", "uddi:uddi.org:transport:http")
        + "</categoryBag>",
        "tModelKey",
    )
    assert len(bindings) == 1
    bag = f"<tModelKey>{port_type}</tModelKey><tModelKey>{bindings[0]}</tModelKey>"
    by_both = infos("find_service", f"<tModelBag>{bag}</tModelBag>", "serviceKey")
    assert by_both == ["uddi:yilian:hx:risservice"]
    found = infos("find_binding", f"<tModelBag>{bag}</tModelBag>", "bindingKey")
    assert found == ["uddi:yilian:hx:risservice:rissoap"]
    (by_namespace,) = infos(
        "find_service",
        "<categoryBag>"
        + category("wsdl:types", "service")
        + category("xml:namespace", NS)
        + "</categoryBag>",
        "serviceKey",
    )
    assert by_namespace == "uddi:yilian:hx:risservice"


@pytest.mark.parametrize(
    ("asked", "ports"),
    [
        (["--port-type", "Ris"], {"RisSoap", "RisSoap12"}),
        (["--port-type", "Ris%"], {"RisSoap", "RisSoap12", "RisGet"}),
        (["--namespace", ABSTRACT], {"RisSoap", "RisSoap12", "RisGet"}),
        (["--port-type", "Ris", "--protocol", "soap"], {"RisSoap"}),
        (["--port-type", "Ris", "--protocol", "soap12"], {"RisSoap12"}),
        (["--protocol", "http"], {"RisGet"}),
        (["--protocol", "soap", "--namespace", NS], {"RisSoap"}),
    ],
)
def test_finding_by_port_type_namespace_and_protocol(published, run, site, asked, ports):
    output = run("find", *asked)
    lines = [line for line in output.splitlines() if line.startswith("hx")]
    assert {line.split()[1].removeprefix("RisService.") for line in lines} == ports
    assert f"WSDL {site}/ris.wsdl" in output
    assert f"portType Ris  {{{NS}}}" in output or "RisGet" in output


def test_publishing_again_changes_nothing_and_nodes_leave_it_alone(published, run, site, registry):
    client = registry.client()
    before = client.get_business_detail(["uddi:yilian:hospital:hx"])
    run("publish-wsdl", f"{site}/ris.wsdl", "--hospital", "hx")
    assert client.get_business_detail(["uddi:yilian:hospital:hx"]) == before
    entry = ServiceEntry("LabResults", service_wsdl(), "http://g/hx/L", "http://n/hx/L")
    hospital = HospitalEntry("hx", "华夏中心医院")
    publish_node(client, "hx", PASSWORDS["hx"], hospital, [entry])
    publish_node(client, "hx", PASSWORDS["hx"], hospital, [entry])
    (business,) = client.get_business_detail(["uddi:yilian:hospital:hx"])
    keys = sorted(s.key for s in business.services)
    assert keys == ["uddi:yilian:hx:labresults", "uddi:yilian:hx:risservice"]
    assert "WSDL http://g/hx/L?wsdl" in run("find", "--port-type", "LabResults")


def test_a_name_that_keys_have_no_letters_for(run, site, registry, published):
    run("publish-wsdl", f"{site}/chinese.wsdl", "--hospital", "hx", "--inside")
    found = registry.client().find_services_by_name("影像服务")
    assert [s.names[0].value for s in found] == ["影像服务"]
    faces = {i.tmodel_key for b in found[0].bindings for i in b.instances}
    assert "uddi:yilian:face:inside" in faces


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/no.wsdl", "not WSDL 1.1"),
        ("/broken.wsdl", "not well-formed"),
        ("/lost.wsdl", "gone.wsdl"),
        ("/dangling.wsdl", "RisGet"),
        ("/empty.wsdl", "no service"),
        ("/dtd.wsdl", "DTD"),
        ("/endless.wsdl", "more than 20"),
        ("/nothing.wsdl", "HTTP 404"),
    ],
)
def test_what_is_no_wsdl_is_refused_in_one_sentence(run, site, path, said):
    with pytest.raises(Refused, match=said):
        run("publish-wsdl", f"{site}{path}", "--hospital", "hx")


def test_other_refusals(run, site, registry):
    with pytest.raises(Refused, match="http"):
        run("publish-wsdl", "file:///etc/passwd", "--hospital", "hx")
    with pytest.raises(Refused, match="20210"):
        run("publish-wsdl", f"{site}/ris.wsdl", "--hospital", "sq")
    with pytest.raises(Refused, match="--port-type"):
        run("find")
    with pytest.raises(Refused, match="smtp"):
        run("find", "--protocol", "smtp")
    with pytest.raises(Refused, match="没有找到"):
        run("find", "--port-type", "NoSuch")


def test_a_wsdl_may_not_import_a_file(site):
    fetched = []

    def fetch(url: str) -> bytes:
        fetched.append(url)
        if url.startswith("file:"):
            raise ValueError("http only")
        return MAIN.replace("abstract.wsdl", "file:///etc/passwd").encode()

    with pytest.raises(NotWsdl, match="etc/passwd"):
        read_from(f"{site}/x.wsdl", fetch)


def test_two_hospitals_share_the_tmodels():
    def fetch(url: str) -> bytes:
        return (OTHER if "abstract" in url else MAIN).encode()

    wsdl = read_from("http://10.0.0.9/ris.wsdl", fetch)
    one, two = map_any_wsdl(wsdl, "hx"), map_any_wsdl(wsdl, "SQ")
    assert one.tmodels == two.tmodels
    assert two.services[0].business_key == "uddi:yilian:hospital:sq"
