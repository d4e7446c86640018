"""The rendered HAProxy configuration: what it says of a gateway's, and when it is refused."""

from __future__ import annotations

import re
import stat
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway_config.haproxy import haproxy
from gateway_config.model import GatewayConfig
from tests.gateway.haproxy_process import checked, needs_haproxy
from tests.gateway.pki import Authority
from yilian.boundary.checking import findings
from yilian.boundary.rendering import haproxy_of
from yilian.cli import app
from yilian.config import Misconfigured

SECRET = "s" * 40
CONFIGURATION = """
[listen]
host = "10.0.0.11"
[registry]
url = "http://10.0.0.2:8081"
[tls]
at = "proxy"
host = "0.0.0.0"
port = 443
certificate_file = "gateway.pem"
key_file = "gateway.pem.key"
client_ca_file = "gateway.pem"
minimum = "1.3"
[limits]
head_seconds = 7
max_head_bytes = 40000
max_headers = 50
max_connections = 3000
max_connections_per_peer = 77
[forward]
timeout_seconds = 20
[callers.by-name]
certificate = { common_name = "双桥" }
rate = { per_second = 5, burst = 10 }
[callers.by-hash]
certificate = { sha256 = "HASH" }
rate = { per_second = 50 }
[callers.either]
certificate = { common_name = "x" }
networks = ["10.0.0.0/8"]
rate = { per_second = 1 }
[proxy]
secret_file = "proxy.secret"
host = "::"
port = 80
rate_per_source = 123
connections_per_worker = 456
log = "/dev/log"
[[proxy.workers]]
name = "a"
address = "10.0.0.11:8080"
[[proxy.workers]]
name = "b"
address = "[fd00::12]:8080"
backup = true
""".replace("HASH", "ab" * 32)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "proxy.secret").write_text(SECRET + "\n")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         "/CN=gw", "-keyout", tmp_path / "gateway.pem.key", "-out", tmp_path / "gateway.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    file = tmp_path / "gateway.toml"
    file.write_text(CONFIGURATION, "utf-8")
    return file


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines()]


def test_every_setting_that_concerns_it_is_there(file: Path, tmp_path: Path) -> None:
    found = lines(haproxy_of(file))
    certificate = tmp_path / "gateway.pem"
    for line in (
        "log /dev/log format raw local0 info",
        "user haproxy",
        "maxconn 6000",
        "tune.bufsize 44096",
        "tune.http.maxhdr 66",
        "hard-stop-after 50s",
        "timeout http-request 7000ms",
        "bind [::]:80",
        f"bind 0.0.0.0:443 ssl crt {certificate} alpn http/1.1 ssl-min-ver TLSv1.3"
        f" ca-file {certificate} verify optional",
        "tcp-request connection reject if { sc_conn_cur(0) gt 77 }",
        "http-request deny deny_status 429 if { sc_http_req_rate(0) gt 123 }",
        f"http-request set-header x-yilian-proxy {SECRET}",
        "server a 10.0.0.11:8080",
        "server b [fd00::12]:8080 backup",
    ):
        assert line in found, line
    assert any("maxconn 456" in line for line in found)


def test_the_gateways_own_pages_are_for_watchers(file: Path) -> None:
    denied = "http-request deny deny_status 404 if { path / /health /metrics } !{ src %s }"
    assert not any("path / /health" in line for line in lines(haproxy_of(file)))
    text = file.read_text("utf-8")
    watchers = 'watchers = ["10.9.0.0/16", "fd00::/8"]'
    file.write_text(text.replace("[listen]\n", f"[listen]\n{watchers}\n", 1), "utf-8")
    assert denied % "10.9.0.0/16 fd00::/8" in lines(haproxy_of(file))


def test_identity_headers_are_taken_off_before_any_is_set(file: Path) -> None:
    found = lines(haproxy_of(file))
    taken_off = found.index("http-request del-header x-yilian- -m beg")
    set_there = [i for i, line in enumerate(found) if "set-header x-yilian-" in line]
    assert len(set_there) == 5 and min(set_there) > taken_off
    # a deny before them never lets a forged one through either
    assert found.index("default_backend gateways") > max(set_there)


def test_the_rate_of_a_caller_by_certificate_counts_over_all_gateways(file: Path) -> None:
    found = "\n".join(lines(haproxy_of(file)))
    by_name = "{ sc_http_req_rate(1) gt 60 } { ssl_c_s_dn(cn),hex -m str "
    assert by_name + "双桥".encode().hex().upper() + " }" in found
    assert "{ sc_http_req_rate(1) gt 520 } { var(txn.sha256) -m str " + "ab" * 32 in found
    assert "# either" not in found  # who may come without a certificate is measured at the gateway


def test_nothing_of_a_patient_can_be_in_its_log(file: Path) -> None:
    (log_format,) = [one for one in lines(haproxy_of(file)) if one.startswith("log-format")]
    for whole in ("%r", "%HU", "%HQ", "%HP", "%hr", "%hs", "%{", "capture"):
        assert whole not in log_format
    assert "%[var(txn.path)]" in log_format


def test_its_files_mode_keeps_the_secret(file: Path, tmp_path: Path) -> None:
    output = tmp_path / "haproxy.cfg"
    output.write_text("old")
    output.chmod(0o644)
    words = ["gateway", "render", "haproxy", str(file)]
    assert CliRunner().invoke(app, [*words, "--output", str(output)]).exit_code == 0
    assert stat.S_IMODE(output.stat().st_mode) == 0o600
    assert output.read_text("utf-8") == CliRunner().invoke(app, words).output


@pytest.mark.parametrize(
    "old, new, key",
    [
        (CONFIGURATION[CONFIGURATION.index("[[proxy.workers]]") :], "", "proxy.workers"),
        ('key_file = "gateway.pem.key"', 'key_file = "other.pem"', "tls.key_file"),
        ('secret_file = "proxy.secret"', 'secret_file = "none"', "proxy.secret_file"),
        ('secret_file = "proxy.secret"', 'secret_file = "odd.secret"', "proxy.secret_file"),
    ],
)
def test_what_cannot_be_rendered_is_named(
    file: Path, tmp_path: Path, old: str, new: str, key: str
) -> None:
    (tmp_path / "other.pem").write_bytes((tmp_path / "gateway.pem.key").read_bytes())
    (tmp_path / "odd.secret").write_text('"with $ and spaces" which HAProxy would read\n')
    file.write_text(CONFIGURATION.replace(old, new), "utf-8")
    with pytest.raises(Misconfigured) as refused:
        haproxy_of(file)
    assert [one.key for one in refused.value.problems] == [key]


def test_without_a_proxy_there_is_nothing_to_render(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text('[registry]\nurl = "http://r.example"\n')
    with pytest.raises(Misconfigured):
        haproxy_of(file)


@pytest.mark.parametrize("key", ["gateway.pem", "gateway.crt"])
def test_certificate_and_key_in_one_file_or_side_by_side(
    file: Path, tmp_path: Path, key: str
) -> None:
    text = CONFIGURATION
    pem = (tmp_path / "gateway.pem").read_bytes()
    if key == "gateway.pem":
        (tmp_path / "gateway.pem").write_bytes(pem + (tmp_path / "gateway.pem.key").read_bytes())
        text = text.replace("gateway.pem.key", "gateway.pem")
    else:
        (tmp_path / "gateway.crt").write_bytes(pem)
        (tmp_path / "gateway.pem.key").rename(tmp_path / "gateway.key")
        text = text.replace("gateway.pem.key", "gateway.key").replace("gateway.pem", "gateway.crt")
    file.write_text(text, "utf-8")
    assert ("ssl-load-extra-del-ext" in haproxy_of(file)) is (key == "gateway.crt")


@pytest.mark.full
@pytest.mark.parametrize("tls", ["beside", "crt", "none"])
def test_haproxy_itself_takes_it(file: Path, tmp_path: Path, tls: str) -> None:
    path = needs_haproxy()
    text = CONFIGURATION.replace('log = "/dev/log"', "").replace("[fd00::12]", "10.0.0.12")
    text = text.replace("443", "18443").replace("port = 80", "port = 18080")
    if tls == "crt":
        (tmp_path / "gateway.pem").rename(tmp_path / "gateway.crt")
        (tmp_path / "gateway.pem.key").rename(tmp_path / "gateway.key")
        text = text.replace("gateway.pem.key", "gateway.key").replace("gateway.pem", "gateway.crt")
    elif tls == "none":
        begin, end = text.index("[tls]"), text.index("[limits]")
        text = text[:begin] + text[end:]
        begin, end = text.index("[callers.by-name]"), text.index("[proxy]")
        text = text[:begin] + text[end:]
    file.write_text(text, "utf-8")
    rendered = tmp_path / "haproxy.cfg"
    rendered.write_text(haproxy_of(file), "utf-8")
    assert "WARNING" not in checked(path, rendered)


def test_the_minimal_proxy_is_rendered_too() -> None:
    config = GatewayConfig.model_validate(
        {
            "registry": {"url": "http://r.example"},
            "proxy": {
                "secret_file": "x",
                "port": 80,
                "workers": [{"name": "a", "address": "10.0.0.1:80"}],
            },
        }
    )
    text = haproxy(config, SECRET)
    assert " ssl crt " not in text and "server a 10.0.0.1:80" in text


def documented(tmp_path: Path) -> Path:
    """The configuration of docs/scale-out.md with the files that it names."""
    document = (Path(__file__).parents[2] / "docs/scale-out.md").read_text("utf-8")
    (text,) = re.findall(r"```toml\n(# gateway\n.*?)```", document, re.S)
    authority = Authority(tmp_path, "alliance-ca")
    authority.issued("gateway", "/CN=gateway.region.example")
    (tmp_path / "proxy.secret").write_text(SECRET + "\n")
    file = tmp_path / "gateway.toml"
    file.write_text(text, "utf-8")
    return file


def test_the_documented_configuration_is_whole(tmp_path: Path) -> None:
    wrong, advice = findings(documented(tmp_path))
    assert wrong == []
    assert [one.key for one in advice] == ["listen.host"]
    found = haproxy_of(tmp_path / "gateway.toml")
    assert "server a 10.0.0.11:8080" in found and "server b 10.0.0.12:8080" in found


@pytest.mark.full
def test_haproxy_takes_the_documented_configuration(tmp_path: Path) -> None:
    path = needs_haproxy()
    rendered = tmp_path / "haproxy.cfg"
    rendered.write_text(haproxy_of(documented(tmp_path)), "utf-8")
    assert "WARNING" not in checked(path, rendered)


def test_a_gateway_behind_it_that_ends_at_once_is_told_of(tmp_path: Path) -> None:
    file = documented(tmp_path)
    text = file.read_text("utf-8")
    file.write_text(text.replace("[listen]\n", "[listen]\ndrain_seconds = 0\n", 1), "utf-8")
    _, advice = findings(file)
    assert [one.key for one in advice] == ["listen.host", "listen.drain_seconds"]
