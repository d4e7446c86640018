"""The toolkits that legacy clients are built with: one row each, and one file in clients/.

``recipe`` is run as it stands, in an empty folder that holds the client, with BASE in the
environment; docs/legacy.md shows the same lines.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tests.interop.expected import Comparison

CLIENTS = Path(__file__).parent / "clients"


@dataclass(frozen=True)
class Toolkit:
    """``probe`` is a shell command that fails where the toolkit is not installed. ``lacks`` are
    the cases that it cannot tell; ``zh`` and ``en`` say what a programmer has to know of it."""

    name: str
    tested: str
    client: str
    probe: str
    recipe: str
    zh: str
    en: str
    comparison: Comparison = field(default_factory=Comparison)
    lacks: frozenset[str] = frozenset()


TOOLKITS = (
    Toolkit(
        name="wsdl.exe, csc",
        tested="Mono 6.8.0.105",
        client="dotnet.cs",
        probe="type wsdl mcs mono",
        recipe="""\
wsdl -out:HisService.cs "$BASE/HisService.asmx?wsdl"
wsdl -out:NumberSource.cs "$BASE/NumberSource?wsdl"
wsdl -out:LabResults.cs "$BASE/LabResults?wsdl"
mcs -codepage:utf8 -r:System.Web.Services -r:System.Xml -out:client.exe *.cs
mono client.exe
""",
        zh="可省略的数值和时间另有 XxxSpecified 属性，为 false 即无值。",
        en="An optional number or time has an XxxSpecified beside it; false: absent.",
    ),
    Toolkit(
        name="Apache Axis 1.4 wsdl2java",
        tested="Axis 1.4 (Debian 1.4-28), OpenJDK 17",
        client="Axis.java",
        probe="type java javac && test -e /usr/share/java/axis.jar",
        recipe="""\
J=/usr/share/java
export CLASSPATH=.:$J/axis.jar:$J/jaxrpc.jar:$J/saaj.jar:$J/wsdl4j.jar
CLASSPATH=$CLASSPATH:$J/commons-logging.jar:$J/commons-discovery.jar
java org.apache.axis.wsdl.WSDL2Java -p his "$BASE/HisService.asmx?wsdl"
java org.apache.axis.wsdl.WSDL2Java -p numbers "$BASE/NumberSource?wsdl"
java org.apache.axis.wsdl.WSDL2Java -p labs "$BASE/LabResults?wsdl"
javac -nowarn -encoding UTF-8 Axis.java his/*.java numbers/*.java labs/*.java
java Axis
""",
        zh="ref 参数是 StringHolder。应答中的 dateTime 被当作 UTC，须按 UTC 读回（见下）；"
        "发出的时间无须处理。Fault 的 detail 里若有 𠮷 一类的字，Axis 自己会解析失败，"
        "读到的是 SAXException。",
        en="ref becomes a StringHolder. A dateTime in an answer is taken for UTC and must be read "
        "back as such (below); what is sent needs nothing. A Fault whose detail holds a character "
        "like 𠮷 breaks Axis itself, which then tells of a SAXException.",
        lacks=frozenset({"GetNumberSource rare"}),
    ),
    Toolkit(
        name="gSOAP wsdl2h, soapcpp2",
        tested="gSOAP 2.8.124, GCC 12",
        client="gsoap.cpp",
        probe="type wsdl2h soapcpp2 g++ && echo | g++ -E -include stdsoap2.h - >/dev/null",
        recipe="""\
wsdl2h -o services.h "$BASE/HisService.asmx?wsdl" "$BASE/NumberSource?wsdl" "$BASE/LabResults?wsdl"
soapcpp2 -j -C services.h
g++ -o client gsoap.cpp soapC.cpp soap*Proxy.cpp -lgsoap++
./client
""",
        zh="代理须以 SOAP_C_UTFSTRING 构造，否则中文成为问号。",
        en="Make proxies with SOAP_C_UTFSTRING, or Chinese text becomes question marks.",
    ),
    Toolkit(
        name="PHP ext-soap",
        tested="PHP 8.2",
        client="client.php",
        probe="""php -r 'exit(extension_loaded("soap") ? 0 : 1);'""",
        recipe="""\
php client.php "$BASE"
""",
        zh="用 SOAP_SINGLE_ELEMENT_ARRAYS，否则只有一条记录的列表不是数组。"
        "无值的字段在对象上没有该属性。",
        en="Use SOAP_SINGLE_ELEMENT_ARRAYS, or a list of one record is no array. "
        "An absent field is a property that is not there.",
    ),
    Toolkit(
        name="Perl SOAP::Lite",
        tested="SOAP::Lite 1.27, Perl 5.36",
        client="client.pl",
        probe="perl -MSOAP::Lite -e 1",
        recipe="""\
perl client.pl "$BASE"
""",
        zh="HisService 可直接用 service()。强类型服务须带命名空间，按下面的 typed 调用；"
        "数值与布尔都是文本。",
        en="HisService works by service(). A typed service wants namespaces: call it as typed "
        "does, below; numbers and booleans come as text.",
        comparison=Comparison(untyped=True),
    ),
    Toolkit(
        name="npm soap",
        tested="soap 1.13.0 与 and 1.5.0, Node.js 20",
        client="client.js",
        probe="node -e 'require(\"soap\")'",
        recipe="""\
node client.js "$BASE"
""",
        zh="时间参数须传文本（toISOString()），传 Date 会发出空元素。金额成为 Number。"
        "1.5 及更早的版本里，有长度限制的空字符串成为 null。",
        en="Give a time as text (toISOString()): a Date is sent as an empty element. "
        "An amount of money becomes a Number. Up to 1.5 an empty string of limited length "
        "becomes null.",
        comparison=Comparison(empty_is_absent=True),
    ),
    Toolkit(
        name="zeep",
        tested="zeep 4.3, Python 3.11",
        client="zeep_client.py",
        probe="python -c 'import zeep'",
        recipe="""\
python zeep_client.py "$BASE"
""",
        zh="空字符串与无值都成为 None。",
        en="An empty string and an absent one both become None.",
        comparison=Comparison(empty_is_absent=True),
    ),
)


def environment(base: str) -> dict[str, str]:
    """What a recipe runs in: Chinese local time, UTF-8, and no proxy between it and loopback."""
    caches = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    cache = os.environ.get("YILIAN_CACHE") or f"{caches}/yilian"
    return {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": os.environ.get("HOME", "/"),
        "LC_ALL": "C.UTF-8",
        "TZ": "Asia/Shanghai",
        "NODE_PATH": str(Path(cache).expanduser() / "npm" / "node_modules"),
        "BASE": base,
    }
