"""``yilian gateway check``, ``explain``, ``gates`` and ``keys`` as an operator types them."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from yilian.boundary.checking import findings
from yilian.cli import app
from yilian.refused import Refused

ROOT = Path(__file__).parents[2]
CONFIGURATION = """
[listen]
public_url = "http://10.0.0.5:8080"
[registry]
url = "http://127.0.0.1:1"
table_file = "routes.json"
[sides.region]
networks = ["172.20.0.0/16"]
base_url = "http://172.20.0.5:8080"
[hospitals.hx]
name = "华夏中心医院"
mode = "map"
rate = { per_second = 200 }
[[hospitals.hx.map]]
outer = "172.20.1.1:2019"
inner = "192.168.1.8:8088"
allowed_sources = ["172.20.0.5/32", "172.20.9.0/24"]
idle_seconds = 60
window = "06:00-23:30"
max_body_bytes = 65536
[[hospitals.hx.map]]
outer = "172.20.1.1:2020"
inner = "192.168.1.8:8088"
tls_ends = "gate"
keep_alive = false
[dialled]
port = 8090
[hospitals.sq]
[hospitals.sq.reverse]
token_hash = "HASH"
[hospitals.vi]
mode = "ferry"
ferry = { out_folder = "out", in_folder = "in", key_file = "ferry.key" }
[callers.sq-his]
name = "双桥 HIS"
hospital = "sq"
networks = ["172.20.5.0/24"]
rate = { per_second = 50, burst = 100 }
[[policies]]
name = "取结果 results"
callers = ["sq-his"]
hospitals = ["hx"]
services = ["LabResults"]
operations = ["GetLabResult", "FindLabMasters"]
""".replace("[hospitals.sq]", '[hospitals.sq]\nmode = "reverse"').replace(
    "HASH", "scrypt$16384$8$1$AAAAAAAAAAAAAAAAAAAAAA==$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
)
BINDINGS = [
    ("hx", "LabResults", "http://192.168.1.8:8088/hx/LabResults"),
    ("hx", "Ordering", "http://192.168.1.9:8088/hx/Ordering"),
    ("sq", "LabResults", "http://192.168.1.8:8088/sq/LabResults"),
    ("vi", "HisService", "http://10.1.1.1/vi/HisService.asmx"),
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A whole configuration, its table file and what else it names."""
    file = tmp_path / "gateway.toml"
    file.write_text(CONFIGURATION, "utf-8")
    for folder in ("out", "in"):
        (tmp_path / folder).mkdir()
    (tmp_path / "ferry.key").write_text("k" * 32 + "\n")
    keys = ("hospital", "service", "access_point")
    bindings = [dict(zip(keys, one, strict=True)) for one in BINDINGS]
    table = {"saved": "2026-11-21T08:00:00Z", "bindings": bindings}
    (tmp_path / "routes.json").write_text(json.dumps(table), "utf-8")
    return file


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["gateway", *map(str, arguments)], env={"COLUMNS": "250"})


def changed(file: Path, old: str, new: str) -> Path:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")
    return file


def advice(file: Path) -> dict[str, str]:
    wrong, found = findings(file)
    assert wrong == []
    return {one.key: one.en for one in found}


# --- check ---------------------------------------------------------------------------------


def test_a_usable_configuration_passes_with_what_to_look_at(file: Path) -> None:
    result = run("check", file)
    assert result.exit_code == 0
    assert "✓" in result.output
    line = CONFIGURATION.splitlines().index('networks = ["172.20.5.0/24"]') + 1
    assert f"! {file}:{line} callers.sq-his.networks: " in result.output
    assert "by source network alone" in result.output
    assert isinstance(run("check", "--strict", file).exception, Refused)


def test_everything_that_is_wrong_is_shown_with_file_line_and_key(file: Path) -> None:
    changed(file, 'hospitals = ["hx"]', 'hospitals = ["xh"]\nallowed = true')
    changed(file, 'callers = ["sq-his"]', 'callers = ["sq"]')
    lines = file.read_text("utf-8").splitlines()
    result = run("check", file)
    assert isinstance(result.exception, Refused) and result.exception.exit_code == 1
    at = lines.index("allowed = true") + 1
    assert f"✗ {file}:{at} policies.0.allowed: 未知的键" in result.output
    changed(file, "allowed = true\n", "")
    output = run("check", file).output
    for key, text in (("callers", "no sq in [callers]"), ("hospitals", "no xh in [hospitals]")):
        at = next(index for index, line in enumerate(lines, 1) if line.startswith(f"{key} = "))
        assert f"✗ {file}:{at} policies.0.{key}.0: " in output
        assert text in output


@pytest.mark.parametrize(
    "text, line", [("[listen\n", 1), ("[listen]\nport = 1\nport = 2\n", 3), ("\n\nx = \n", 3)]
)
def test_what_is_no_toml_is_shown_by_its_line(tmp_path: Path, text: str, line: int) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(text)
    assert f"✗ {file}:{line} -: 不是有效的 TOML" in run("check", file).output


def test_files_that_are_missing_or_no_use_are_wrong(file: Path, tmp_path: Path) -> None:
    (tmp_path / "ferry.key").unlink()
    (tmp_path / "in").rmdir()
    (tmp_path / "secret").write_text("short\n")
    (tmp_path / "cert.pem").write_text("no certificate\n")
    text = file.read_text("utf-8") + (
        '[proxy]\nsecret_file = "secret"\n[tls]\ncertificate_file = "cert.pem"\n'
        'key_file = "missing.pem"\nclient_ca_file = "cert.pem"\n'
        '[callers.t]\nusername_token = { user = "t", password_file = "none" }\n'
    )
    file.write_text(text, "utf-8")
    wrong, _ = findings(file)
    assert {one.key for one in wrong} == {
        "hospitals.vi.ferry.key_file",
        "hospitals.vi.ferry.in_folder",
        "proxy.secret_file",
        "tls.key_file",
        "tls.client_ca_file",
        "callers.t.username_token.password_file",
    }
    assert all(one.line > 1 for one in wrong)
    assert "short" not in str([one.en for one in wrong])


def test_what_starts_is_what_check_calls_usable(file: Path, tmp_path: Path) -> None:
    (tmp_path / "ferry.key").unlink()
    for command in ((), ("run",)):
        result = run(*command, file)
        assert isinstance(result.exception, Refused)
        assert "hospitals.vi.ferry.key_file" in str(result.exception)


@pytest.mark.parametrize(
    "old, new, key, word",
    [
        ("[[policies]]", "[[ignored]]", "policies", "every call is refused"),
        ('callers = ["sq-his"]', 'callers = ["*"]', "callers.sq-his.networks", "alone"),
        ('"172.20.5.0/24"', '"0.0.0.0/0"', "callers.sq-his.networks.0", "every address"),
        ('allowed_sources = ["172.20.0.5/32", "172.20.9.0/24"]\n', "",
         "hospitals.hx.map.0.allowed_sources", "permit only them"),
        ("max_body_bytes = 65536", "max_body_bytes = 100000000",
         "hospitals.hx.map.0.max_body_bytes", "larger than limits"),
        ('networks = ["172.20.0.0/16"]\nbase_url', "base_url", "sides.region", "never used"),
        ('public_url = "http://10.0.0.5:8080"', 'host = "0.0.0.0"', "audit", "on record"),
        ("[listen]", "[hospitals.one]\ncalls = 1\n[listen]\nworkers = 4",
         "hospitals.one.calls", "up to 4 calls"),
        ("[listen]", '[audit]\nfolder = "audit"\nkeep_days = 30\n[listen]',
         "audit.keep_days", "six months"),
    ],
)  # fmt: skip
def test_what_should_be_looked_at(file: Path, old: str, new: str, key: str, word: str) -> None:
    text = file.read_text("utf-8")
    if new == "[[ignored]]":
        file.write_text(text[: text.index(old)], "utf-8")
    else:
        changed(file, old, new)
    assert word in advice(file)[key]


@pytest.mark.parametrize("services, reached", [('["*"]', False), ('["Ordering"]', True)])
def test_a_policy_that_is_never_reached_is_named(file: Path, services: str, reached: bool) -> None:
    rest = 'callers = ["*"]\nhospitals = ["hx", "sq"]\noperations = ["*"]\n'
    first = f'[[policies]]\nname = "first"\n{rest}services = {services}\n'
    second = '[[policies]]\nname = "second"\nallow = false\ncallers = ["sq-his"]\n'
    second += 'hospitals = ["hx"]\nservices = ["LabResults"]\noperations = ["*"]\n'
    text = file.read_text("utf-8")
    file.write_text(text[: text.index("[[policies]]")] + first + second, "utf-8")
    assert ("policies.1.name" not in advice(file)) is reached


# --- explain -------------------------------------------------------------------------------


def test_explain_tells_rule_way_and_limits(file: Path) -> None:
    url = "http://172.20.0.5:8080/hx/LabResults"
    result = run("explain", file, "sq-his", url, "GetLabResult", "--offline")
    assert result.exit_code == 0, result.output
    for word in (
        "取结果 results",
        "http://192.168.1.8:8088/hx/LabResults",
        "http://172.20.1.1:2019/hx/LabResults",
        "https://172.20.1.1:2020/hx/LabResults",
        "06:00-23:30",
        "50/s，连发 burst 100",
        "hospital 200/s",
        "65536 字节",
        "http://172.20.0.5:8080/hx/LabResults（region）",
    ):
        assert word in result.output, word


@pytest.mark.parametrize(
    "path, operation, reason",
    [
        ("/hx/LabResults", "BookSlot", "no policy allows"),
        ("/sq/LabResults", "GetLabResult", "no policy allows"),
        ("/hx/Unknown", "GetLabResult", "no policy allows"),
    ],
)
def test_explain_says_why_a_call_is_refused(
    file: Path, path: str, operation: str, reason: str
) -> None:
    result = run("explain", file, "sq-his", path, operation, "--offline")
    assert isinstance(result.exception, Refused) and result.exception.exit_code == 1
    assert reason in str(result.exception)


def test_explain_names_a_gate_without_a_line_and_a_service_that_is_not_there(file: Path) -> None:
    changed(file, 'services = ["LabResults"]', 'services = ["*"]')
    changed(file, 'operations = ["GetLabResult", "FindLabMasters"]', 'operations = ["*"]')
    result = run("explain", file, "sq-his", "/hx/Ordering", "PlaceLabOrder", "--offline")
    assert "hospitals.hx.map" in str(result.exception)
    result = run("explain", file, "sq-his", "/hx/None", "PlaceOrder", "--offline")
    assert "no service at /hx/None" in str(result.exception)


def test_explain_knows_which_operations_a_service_has(file: Path) -> None:
    """The gateway refuses others, whatever the policies say."""
    changed(file, 'operations = ["GetLabResult", "FindLabMasters"]', 'operations = ["*"]')
    result = run("explain", file, "sq-his", "/hx/LabResults", "getLabResult", "--offline")
    assert isinstance(result.exception, Refused) and result.exception.exit_code == 1
    assert "LabResults has no operation getLabResult; it has QueryLabMaster" in str(
        result.exception
    )


@pytest.mark.parametrize("url", ["LabResults", "http://[::1/hx/LabResults", "/hx//LabResults"])
def test_explain_says_in_both_languages_what_is_no_address(file: Path, url: str) -> None:
    refused = run("explain", file, "sq-his", url).exception
    assert isinstance(refused, Refused)
    for text in (refused.zh, refused.en):
        said = text.removeprefix(url).strip("：:。. ")
        assert said and " / " not in said


def test_explain_shows_reverse_and_ferry(file: Path) -> None:
    changed(file, 'hospitals = ["hx"]', 'hospitals = ["*"]')
    changed(file, 'services = ["LabResults"]', 'services = ["*"]')
    assert "a connection that the node dialled" in run(
        "explain", file, "sq-his", "/sq/LabResults/soap12", "GetLabResult", "--offline"
    ).output  # fmt: skip
    his = run("explain", file, "sq-his", "/vi/HisService.asmx?wsdl", "--offline")
    assert his.exit_code == 0 and "vi / HisService / ?wsdl" in his.output
    assert "by files" in his.output


@pytest.mark.parametrize(
    "arguments, word",
    [
        (("nobody", "/hx/LabResults", "X", "--offline"), "no nobody in [callers]"),
        (("sq-his", "/hx//LabResults", "X", "--offline"), "single slashes"),
        (("sq-his", "/hx/LabResults", "X"), "--offline"),
    ],
)
def test_a_question_that_cannot_be_answered(
    file: Path, arguments: tuple[str, ...], word: str
) -> None:
    result = run("explain", file, *arguments)
    assert isinstance(result.exception, Refused) and result.exception.exit_code in (1, 2)
    assert word in str(result.exception)


# --- gates ---------------------------------------------------------------------------------


def test_the_gates_table_as_csv(file: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(run("gates", file, "--csv").output)))
    assert [row["hospital"] for row in rows] == ["hx", "hx", "sq", "sq", "vi", "vi"]
    first, second, dialled, caller, out, back = rows
    assert first == {
        "hospital": "hx", "name": "华夏中心医院", "mode": "map", "direction": "外→内 in",
        "outer_ip": "172.20.1.1", "outer_port": "2019", "inner_ip": "192.168.1.8",
        "inner_port": "8088", "protocol": "TCP (HTTP)",
        "permitted_sources": "172.20.0.5 172.20.9.0/24", "idle_seconds": "60",
        "window": "06:00-23:30", "max_body_bytes": "65536", "keep_alive": "yes",
        "purpose": "网关调用节点 the gateway calls the node",
    }  # fmt: skip
    assert (second["protocol"], second["keep_alive"]) == ("HTTPS → HTTP", "no")
    assert dialled["direction"] == caller["direction"] == "内→外 out"
    assert (dialled["outer_ip"], dialled["outer_port"]) == ("10.0.0.5", "8090")
    assert caller["permitted_sources"] == "172.20.5.0/24" and "双桥 HIS" in caller["purpose"]
    assert out["outer_ip"].endswith("/out") and back["outer_ip"].endswith("/in")
    assert "*.xml" in out["protocol"]


def test_the_gates_table_on_a_screen(file: Path) -> None:
    whole = run("gates", file).output
    assert "172.20.1.1:2019" in whole and "192.168.1.8:8088" in whole and "华夏中心医院" in whole
    one = run("gates", file, "--hospital", "sq").output
    assert "172.20.5.0/24" in one and "华夏中心医院" not in one
    assert isinstance(run("gates", file, "--hospital", "xx").exception, Refused)


# --- the rest ------------------------------------------------------------------------------


def test_the_table_of_keys_is_written_where_it_stands(tmp_path: Path) -> None:
    document = tmp_path / "gateway.md"
    text = (ROOT / "docs/gateway.md").read_text("utf-8")
    document.write_text(text.replace("`listen.port` | `8080`", "`listen.port` | `1`"), "utf-8")
    assert run("keys", "--write", document).exit_code == 0
    assert document.read_text("utf-8") == text
    assert run("keys").output in text


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"]])
def test_help_names_the_subcommands(words: list[str]) -> None:
    output = run(*words).output
    for command in ("run", "check", "explain", "gates", "render"):
        assert command in output


def test_options_may_stand_before_the_configuration(tmp_path: Path) -> None:
    result = run("--stop-with-stdin", tmp_path / "none.toml")
    assert isinstance(result.exception, Refused) and "none.toml" in str(result.exception)


def test_a_key_that_asks_for_a_password_does_not_hang_the_check(file: Path, tmp_path: Path) -> None:
    key, certificate = tmp_path / "k.pem", tmp_path / "c.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-passout", "pass:secret", "-days", "2",
         "-subj", "/CN=gw", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    with file.open("a", encoding="utf-8") as stream:
        stream.write('[tls]\ncertificate_file = "c.pem"\nkey_file = "k.pem"\n')
    wrong, _ = findings(file)
    assert [one.key for one in wrong] == ["tls.certificate_file"]
    assert "encrypted" in wrong[0].en
