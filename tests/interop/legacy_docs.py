"""The parts of docs/legacy.md that come from code: error numbers, field tables, recipes, samples.

python -m tests.interop.legacy_docs     writes them anew; a test says when that is due
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from services import faults, his_service
from services.contract import Code, Field, ListOf, Money, Scalar, Text
from services.delimited import Column, DelimitedOperation
from tests.interop.toolkits import CLIENTS, TOOLKITS, Toolkit

DOCUMENT = Path(__file__).parents[2] / "docs" / "legacy.md"

# --- error numbers ----------------------------------------------------------------------------

_RESULTS = {
    -1: ("参数缺失或无效", "an argument is missing or not valid"),
    -2: ("按编号未找到", "nothing has that number"),
    -3: ("目前的状态不允许", "not possible in the present state"),
    -4: ("医院数据库暂不可用，可稍后重试", "the hospital's database is away; try again later"),
    -5: ("该院未开放此服务", "the hospital does not offer this"),
    -6: ("繁忙，请稍候重试", "busy; try again after a moment"),
    -9: ("系统内部错误，请联系运维", "an internal error; tell the operator"),
}


def error_numbers() -> str:
    """KeyError: services/faults.py has a number that is not described here."""
    names: dict[int, list[str]] = {}
    for fault in vars(faults).values():
        if (
            isinstance(fault, type)
            and issubclass(fault, faults.Fault)
            and not fault.__subclasses__()
        ):
            names.setdefault(fault.legacy_code, []).append(f"`{fault.__name__}`")
    rows = [
        f"| {number} | {_RESULTS[number][0]} | {_RESULTS[number][1]} | {', '.join(names[number])} |"
        for number in sorted(names, reverse=True)
    ]
    head = "| 返回值 result | 含义 | meaning | 对应 Fault |\n|---|---|---|---|\n"
    return head + "\n".join(rows) + "\n"


# --- field tables -----------------------------------------------------------------------------

_FORMATS: dict[type, str] = {
    int: "整数 whole number",
    bool: "1 是 yes，0 否 no",
    date: "yyyy-MM-dd",
    datetime: "yyyy-MM-dd HH:mm:ss",
}
#: cells that are not the field as it stands; others say it in the docstring of their function
_CELLS = {
    ("getlabmaster", "Sex"): ("性别的中文 sex in Chinese：男、女、未知、未说明", "男"),
    ("getlabmaster", "ResultsRptDateTime"): (
        "yyyy-MM-dd HH:mm:ss；未审核时为空 empty until confirmed",
        "2026-11-20 15:10:00",
    ),
    ("getlabmaster", "VerifiedBy"): ("≤ 64 字；未审核时为空 empty until confirmed", "赵静"),
    ("getlabresult", "Abnormal"): (
        "H 偏高 high，L 偏低 low，A 异常 abnormal；空为正常或未标记 empty: normal or not marked",
        "H",
    ),
}


def field_tables() -> str:
    return "\n".join(_tables(operation) for operation in his_service.OPERATIONS)


def _tables(operation: DelimitedOperation) -> str:
    arguments = "".join(f"string {field.name}, " for field in operation.parameters)
    parameters = [
        f"| `{field.name}` | {field.doc.zh} | {field.doc.en} | "
        f"{_parameter(operation.paths[field.name])} |"
        for field in operation.parameters
    ]
    columns = [
        f"| {number} | {column.field.name} | {column.field.doc.zh} | {column.field.doc.en} | "
        f"{' | '.join(_column(operation, column))} |"
        for number, column in enumerate(operation.columns, 1)
    ]
    typed_name = f"{operation.contract.__name__}.{operation.operation.name}"
    return "\n".join(
        [
            f"### {operation.name} {operation.zh}",
            "",
            f"`int {operation.name}({arguments}ref string str)`",
            "",
            " ".join(operation.doc.split()),
            "",
            f"强类型操作 typed operation: `{typed_name}`",
            "",
            "| 参数 parameter | 含义 | meaning | 格式 format |",
            "|---|---|---|---|",
            *parameters,
            "",
            "| # | 字段 field | 含义 | meaning | 格式 format | 例 example |",
            "|---|---|---|---|---|---|",
            *columns,
            "",
        ]
    )


def _parameter(path: tuple[Field, ...]) -> str:
    """What a client may send for a typed parameter, or for a field of one."""
    field = path[-1]
    if isinstance(field.type, ListOf):
        names = "|".join(one.name for one in field.type.item.fields).replace("|", "\\|")
        row = "|".join(one.doc.example for one in field.type.item.fields).replace("|", "\\|")
        return f"每行 each row: `{names}?`；例 example: {row}?"
    assert isinstance(field.type, Scalar)
    accepted = {
        date: "yyyy-MM-dd、yyyy/M/d、yyyy.M.d、yyyyMMdd",
        datetime: "yyyy-MM-dd HH:mm:ss；时间可省略 the time may be left out",
    }
    text = accepted.get(field.type.python) or _format(field.type)
    example = _example(field)
    required = "" if field.required else "；可为空 may be empty"
    return f"{text}{required}" + (f"；例 example: {example}" if example else "")


def _column(operation: DelimitedOperation, column: Column) -> tuple[str, str]:
    """Format and example. AssertionError: a cell of its own that nobody has described."""
    field = column.field
    if column.cell is not None:
        told = _CELLS.get((operation.name, field.name)) or _by_docstring(column.cell)
        assert told, (
            f"{operation.name}.{field.name}: give its cell function a docstring of one line "
            "that says the format, or a line in tests/interop/legacy_docs.py"
        )
        return told
    assert isinstance(field.type, Scalar)
    empty = "" if field.required else "；可为空 may be empty"
    return _format(field.type) + empty, _example(field)


def _by_docstring(cell: Callable[..., str]) -> tuple[str, str] | None:
    return (cell.__doc__.splitlines()[0], "") if cell.__doc__ else None


def _format(kind: Scalar) -> str:
    match kind.facet:
        case Text(max_len):
            return f"≤ {max_len} 字"
        case Code(table):
            return "代码 code: " + "，".join(f"{k} {zh} {en}" for k, (zh, en) in table.items())
        case Money(_, scale):
            return f"小数，最多 {scale} 位 decimal, up to {scale} places"
    if kind.python is Decimal:
        return "小数 decimal"
    return _FORMATS.get(kind.python, "文本 text")


def _example(field: Field) -> str:
    assert isinstance(field.type, Scalar)
    example = field.doc.example
    if field.type.python is bool:
        return {"true": "1", "false": "0"}.get(example, example)
    return example.replace("T", " ") if field.type.python is datetime else example


# --- toolkits ---------------------------------------------------------------------------------

_LANGUAGES = {
    "cs": "csharp",
    "java": "java",
    "cpp": "cpp",
    "php": "php",
    "pl": "perl",
    "js": "javascript",
    "py": "py",
}
# A sample stands between "[sample]" and "[/sample]" in a comment of its client.
_SAMPLE = re.compile(
    r"^[ ]*(?://|#) \[(sample[^\]]*)\]\n(.*?)\n+[ ]*(?://|#) \[/\1\]$", re.DOTALL | re.MULTILINE
)


def matrix() -> str:
    rows = [f"| {kit.name} | {kit.tested} | {kit.zh} | {kit.en} |" for kit in TOOLKITS]
    head = "| 工具 toolkit | 测试版本 tested | 须知 | to know |\n|---|---|---|---|\n"
    return head + "\n".join(rows) + "\n"


def recipes() -> str:
    return "\n".join(_recipe(toolkit) for toolkit in TOOLKITS)


def _recipe(toolkit: Toolkit) -> str:
    suffix = toolkit.client.rpartition(".")[2]
    link = f"../tests/interop/clients/{toolkit.client}"
    parts = [
        f"### {toolkit.name}",
        "",
        f"{toolkit.zh}\n{toolkit.en}",
        "",
        f"完整程序 the whole program: [{toolkit.client}]({link})",
        "",
        f"```sh\n{toolkit.recipe}```",
        "",
    ]
    for sample in samples(toolkit):
        parts += [f"```{_LANGUAGES[suffix]}\n{sample}\n```", ""]
    return "\n".join(parts)


def samples(toolkit: Toolkit) -> list[str]:
    """The samples in a client's source, without their common indentation."""
    text = (CLIENTS / toolkit.client).read_text("utf-8")
    found = []
    for _, sample in _SAMPLE.findall(text):
        lines = sample.rstrip().split("\n")
        indent = min(len(line) - len(line.lstrip()) for line in lines if line.strip())
        found.append("\n".join(line[indent:] for line in lines))
    return found


# --- the document -----------------------------------------------------------------------------

_PARTS: dict[str, Callable[[], str]] = {
    "error numbers": error_numbers,
    "field tables": field_tables,
    "matrix": matrix,
    "recipes": recipes,
}


def renewed(text: str) -> str:
    """The document with each part between its two marks written anew."""
    for name, part in _PARTS.items():
        begin, end = f"<!-- {name}: generated -->\n", f"<!-- end of {name} -->\n"
        before, _, rest = text.partition(begin)
        _, found, after = rest.partition(end)
        assert found, f"docs/legacy.md lacks the marks of {name}"
        text = f"{before}{begin}\n{part()}\n{end}{after}"
    return text


if __name__ == "__main__":
    DOCUMENT.write_text(renewed(DOCUMENT.read_text("utf-8")), "utf-8")
