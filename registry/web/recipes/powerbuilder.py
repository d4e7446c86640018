"""PowerBuilder 9 with EasySoap: the proxy of the Web Service Proxy Wizard."""

from __future__ import annotations

from registry.web.parts import Told
from registry.web.recipes.given import Service, given, wrapped
from services.his_service import OPERATIONS

ZH = (
    "用 Web Service Proxy Wizard 读 WSDL 生成代理，把 pbsoapclient90.pbd 加入库列表。"
    "PowerBuilder 9 是 ANSI 程序：按字段数读取，不要先按 ? 拆行，见 docs/legacy.md。"
    "未在持续集成中运行过。"
)
EN = (
    "Make the proxy with the Web Service Proxy Wizard and add pbsoapclient90.pbd to the library "
    "list. PowerBuilder 9 is an ANSI program: read by the number of fields, do not split at ? "
    "first, see docs/legacy.md. Not run in CI."
)


def write(service: Service, operation: Told) -> str:
    if not operation.delimited:
        return _typed(service, operation)
    proxy = f"{service.name.lower()}soap"
    arguments = ", ".join(_quoted(one.text) for one in given(operation) if one.part.name != "str")
    lines = [
        f"constant long FIELDS = {len(operation.columns)}",
        "SoapConnection lsoap_conn",
        f"{proxy} lproxy",
        'string ls_str = "", ls_mark, ls_value',
        "long ll_count, ll_row, ll_field, ll_from = 1, ll_to",
        "",
        "lsoap_conn = create SoapConnection",
        f"if lsoap_conn.CreateInstance(lproxy, {_quoted(proxy)}, &",
        f"        {_quoted(service.address)}) <> 0 then",
        '    MessageBox("医联", "无法创建代理，请检查 pbsoapclient90.pbd")',
        "    destroy lsoap_conn",
        "    return -1",
        "end if",
        "try",
        f"    ll_count = lproxy.{operation.name}({arguments}{', ' if arguments else ''}ref ls_str)",
        "catch (SoapException lex_soap)",
        '    ls_str = "调用失败：" + lex_soap.GetMessage()',
        "    ll_count = -1",
        "finally",
        "    destroy lsoap_conn",
        "end try",
        "if ll_count < 0 then",
        '    MessageBox("医联", ls_str)',
        "    return -1",
        "end if",
        *wrapped([part.name for part in operation.columns], "// "),
        "for ll_row = 1 to ll_count",
        "    for ll_field = 1 to FIELDS",
        '        ls_mark = "|"',
        '        if ll_field = FIELDS then ls_mark = "?"',
        "        ll_to = PosW(ls_str, ls_mark, ll_from)",
        "        if ll_to = 0 then return -1 // 记录不完整 / a row is cut short",
        "        ls_value = MidW(ls_str, ll_from, ll_to - ll_from)",
        "        ll_from = ll_to + 1",
        "        // ls_value 即第 ll_row 行第 ll_field 个字段 / is that row's field",
        "    next",
        "next",
        "return ll_count",
    ]
    if not operation.columns:
        lines = [*lines[1:3], 'string ls_str = ""', "long ll_count", *lines[5:25], lines[-1]]
    return "\n".join(lines)


def _typed(service: Service, operation: Told) -> str:
    """PowerBuilder 9 cannot read arrays of records, and hardly a typed operation does without."""
    name = f"{service.name}.{operation.name}"
    instead = [
        one.name for one in OPERATIONS if f"{one.contract.__name__}.{one.operation.name}" == name
    ]
    other = f"HisService.{instead[0]}" if instead else "HisService"
    return (
        f"// PowerBuilder 9 (EasySoap) 读不了记录数组，请改用传统接口的 {other}。\n"
        f"// PowerBuilder 9 (EasySoap) cannot read arrays of records; use {other}."
    )


def _quoted(text: str) -> str:
    """A PowerScript string: ~ escapes."""
    clean = "".join(one for one in text if one.isprintable())
    return '"' + clean.replace("~", "~~").replace('"', '~"') + '"'
