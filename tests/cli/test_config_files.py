"""Configuration files: what is taken, and every mistake by file, line and key."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict

from yilian.config import NodeConfig, load, read_password
from yilian.refused import Refused

NODE = """\
[hospital]
code = "hx"
name = "华夏中心医院"
name_en = "Huaxia Central Hospital"

[listen]
port = 8082
public_url = "http://127.0.0.1:8082"

[registry]
url = "http://127.0.0.1:8081"
user = "hx"
password_file = "hx.password"

[alliance]
gateway_url = "http://127.0.0.1:8080"

[sources.his]
adapter = "junwei"
url = "sqlite:///data/hx.db"
offers = ["NumberSource", "LabResults"]
"""


def refused(folder: Path, text: str) -> str:
    file = folder / "node.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(Refused) as caught:
        load(file, NodeConfig)
    assert caught.value.exit_code == 2
    assert str(file) in caught.value.zh
    assert str(file) in caught.value.en
    return str(caught.value)


def test_relative_paths_start_at_the_file(tmp_path: Path) -> None:
    file = tmp_path / "node.toml"
    file.write_text(NODE, "utf-8")
    config = load(file, NodeConfig)
    assert config.hospital.name == "华夏中心医院"
    assert config.registry is not None
    assert config.registry.password_file == tmp_path / "hx.password"
    assert config.sources["his"].url.database == str(tmp_path / "data/hx.db")


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "zh", "en"),
    [
        ('code = "hx"', 'code = "Hx"', 2, "hospital.code", "格式", "pattern"),
        ("port = 8082", "port = 80820", 7, "listen.port", "65535", "65535"),
        ("port = 8082", 'port = "x"', 7, "listen.port", "整数", "integer"),
        ("port = 8082\n", "", 6, "listen.port", "缺少", "required"),
        ("port = 8082", "prot = 8082", 7, "listen.prot", "可用的键：host, port", "unknown key"),
        ('"junwei"', '"oracle"', 19, "sources.his.adapter", "可用：", "junwei"),
        ('["NumberSource",', '["Nothing",', 21, "sources.his.offers.0", "Nothing", "Nothing"),
        ("sqlite:///data/hx.db", "nonsense", 20, "sources.his.url", "URL", "URL"),
        ("[sources.his]", "[sources.HIS]", 18, "sources.HIS", "格式", "pattern"),
        ("gateway_url", "gateway", 16, "alliance.gateway", "可用的键：gateway_url", "gateway_url"),
    ],
)
def test_a_mistake_is_named_by_line_and_key(
    tmp_path: Path, old: str, new: str, line: int, key: str, zh: str, en: str
) -> None:
    assert old in NODE
    said = refused(tmp_path, NODE.replace(old, new))
    chinese, english = said.split(" is wrong; nothing was started:")
    assert any(f"第 {line} 行 {key}：" in row and zh in row for row in chinese.splitlines()), said
    assert any(f"line {line}, {key}: " in row and en in row for row in english.splitlines()), said


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    said = refused(tmp_path, NODE.replace('"hx"', '"H X"').replace("8082\n", "0\n"))
    assert said.count("第 ") == 2


def test_two_sources_of_one_contract(tmp_path: Path) -> None:
    lis = NODE[NODE.index("[sources.his]") :].replace("sources.his", "sources.lis")
    said = refused(tmp_path, NODE + "\n" + lis)
    assert "第 26 行 sources.lis.offers.0：NumberSource 已由来源 his 提供" in said


def test_no_source(tmp_path: Path) -> None:
    said = refused(tmp_path, NODE[: NODE.index("[sources.his]")] + "[sources]\n")
    assert "第 18 行 sources：至少要有一个" in said


def test_an_unknown_setting_of_an_adapter_stands_on_its_line(tmp_path: Path) -> None:
    said = refused(tmp_path, NODE + "\n[sources.his.settings]\nno_such_setting = 1\n")
    assert "第 24 行 sources.his.settings.no_such_setting：" in said


def test_what_is_not_toml(tmp_path: Path) -> None:
    assert "line 3" in refused(tmp_path, "[hospital]\ncode = 'hx'\nname = oops\n")


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="没有配置文件"):
        load(tmp_path / "none.toml", NodeConfig)


def test_a_file_from_a_windows_editor(tmp_path: Path) -> None:
    file = tmp_path / "node.toml"
    file.write_bytes(b"\xef\xbb\xbf" + NODE.replace("\n", "\r\n").encode())
    assert load(file, NodeConfig).hospital.code


def test_a_file_that_is_not_utf8(tmp_path: Path) -> None:
    file = tmp_path / "node.toml"
    file.write_bytes(NODE.encode("gb18030"))
    with pytest.raises(Refused, match="UTF-8"):
        load(file, NodeConfig)


class Store(BaseModel):
    model_config = ConfigDict(extra="forbid")
    url: str


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///:memory:", "sqlite:////srv/a.db", "postgresql://h/db"]
)
def test_what_is_no_relative_path_stays_as_it_is(tmp_path: Path, url: str) -> None:
    file = tmp_path / "store.toml"
    file.write_text(f'url = "{url}"')
    assert load(file, Store).url == url


def test_a_password_is_the_files_first_line(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(" secret \n# a note\n")
    assert read_password(file) == "secret"
    file.write_text("\n")
    with pytest.raises(Refused, match="是空的"):
        read_password(file)
    with pytest.raises(Refused, match="无法读取"):
        read_password(tmp_path / "none")
