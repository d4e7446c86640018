"""What does not fit together is refused: all of it, by key and line, in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway_config.model import GatewayConfig
from yilian.config import load
from yilian.refused import Refused

HASH = "scrypt$16384$8$1$AAAAAAAAAAAAAAAAAAAAAA==$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
HEAD = 'registry.url = "http://r.example"\n'
TLS = '[tls]\ncertificate_file = "c.pem"\nkey_file = "k.pem"\nclient_ca_file = "ca.pem"\n'


def wrong_configurations() -> list[tuple[str, str, str]]:
    """The text, the key that is named, and a word of the reason."""
    whole = Path(__file__).with_name("wrong_configurations.txt").read_text("utf-8")
    found = re.findall(r"^## (\S+) \| (.*)\n((?:(?!## ).*\n)*)", whole, re.MULTILINE)
    return [
        (text.replace('"HASH"', f'"{HASH}"').replace('"SHA"', f'"{"0" * 64}"'), key, word)
        for key, word, text in found
    ]


WRONG = wrong_configurations()


@pytest.mark.parametrize("text, key, word", WRONG, ids=[f"{one[1]}-{one[2]}" for one in WRONG])
def test_what_does_not_fit_together_is_refused(
    text: str, key: str, word: str, tmp_path: Path
) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(HEAD + text, "utf-8")
    with pytest.raises(Refused) as refused:
        load(file, GatewayConfig)
    (line,) = [one for one in refused.value.en.splitlines() if f", {key}: " in one]
    assert word in line
    assert f" {key}：" in refused.value.zh


def test_all_that_is_wrong_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(
        HEAD + '[callers.a]\n[callers.b]\nnetworks = ["10.0.0.0/8"]\nside = "s"\n', "utf-8"
    )
    with pytest.raises(Refused) as refused:
        load(file, GatewayConfig)
    assert "line 2, callers.a: no proof" in refused.value.en
    assert "line 5, callers.b.side: there is no s" in refused.value.en
    assert "第 5 行 callers.b.side：[sides] 中没有 s" in refused.value.zh


def test_files_and_folders_start_at_the_configuration(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(HEAD + TLS + '[audit]\nfolder = "audit"\nkey_file = "/etc/a.key"\n', "utf-8")
    config = load(file, GatewayConfig)
    assert config.tls is not None and config.tls.client_ca_file == tmp_path / "ca.pem"
    assert config.audit is not None and config.audit.folder == tmp_path / "audit"
    assert config.audit.key_file == Path("/etc/a.key")


def test_the_list_of_wrong_configurations_is_read_whole() -> None:
    whole = Path(__file__).with_name("wrong_configurations.txt").read_text("utf-8")
    assert len(WRONG) == whole.count("\n## ") > 30
