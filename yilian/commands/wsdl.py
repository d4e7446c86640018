"""``yilian wsdl``: the published WSDLs, written to wsdl/ or checked against it; two compared.

``yilian wsdl`` is ``yilian wsdl show``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from yilian.commands.default_word import defaulting
from yilian.commands.wsdl_diff import diff
from yilian.refused import Refused

app = typer.Typer(
    name="wsdl",
    cls=defaulting("show"),
    help="已发布的 WSDL（可省略 show）；比较两份 / The published WSDLs (show may be left out); "
    "compare two",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(diff)

#: what stands in the committed files, which belong to no hospital
ADDRESS = "http://gateway.example/hospital/"


def documents() -> dict[str, bytes]:
    """Every service's WSDL by file name."""
    from services.catalogue import CONTRACTS
    from services.soap.interface import his_service_interface, typed_interface
    from services.soap.wsdl import wsdl as document

    interfaces = [*map(typed_interface, CONTRACTS.values()), his_service_interface()]
    return {f"{one.name}.wsdl": document(one, ADDRESS + one.path) for one in interfaces}


@app.command("show")
def wsdl(
    write: Annotated[bool, typer.Option("--write", help="写入文件夹 / write the files")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="与文件夹比较 / compare with the files")
    ] = False,
    folder: Annotated[Path, typer.Option(help="文件夹 / folder")] = Path("wsdl"),
    name: Annotated[str | None, typer.Argument(help="服务 / service", metavar="[SERVICE]")] = None,
) -> None:
    """已发布的 WSDL：列出、打印、写入、检查 / The published WSDLs: list, print, write, check."""
    if write and check:
        raise Refused("--write 与 --check 只能选一个。", "Choose one of --write and --check.")
    made = documents()
    if write:
        folder.mkdir(parents=True, exist_ok=True)
        for file, content in made.items():
            (folder / file).write_bytes(content)
            print(folder / file)
    elif check:
        _check(made, folder)
    elif name is None:
        print("\n".join(made))
    elif f"{name}.wsdl" not in made:
        known = "、".join(file.removesuffix(".wsdl") for file in made)
        raise Refused(f"没有服务 {name}；有：{known}。", f"No service {name}; there are: {known}.")
    else:
        print(made[f"{name}.wsdl"].decode("utf-8"))


def _check(made: dict[str, bytes], folder: Path) -> None:
    if not folder.is_dir():
        where = folder.absolute()
        raise Refused(
            f"没有文件夹 {where}。请在项目的文件夹中运行，或用 --folder 指明。",
            f"There is no folder {where}. Run this in the project's folder, or name it: --folder.",
        )
    kept = {file.name: file.read_bytes() for file in sorted(folder.glob("*.wsdl"))}
    wrong = [file for file in made | kept if made.get(file) != kept.get(file)]
    if wrong:
        files = "、".join(wrong)
        raise Refused(
            f"{folder} 与代码不一致：{files}。若是有意的改动，请运行 yilian wsdl --write。",
            f"{folder} is not what the code makes: {files}. If that is meant: yilian wsdl --write.",
            exit_code=1,
        )
    print(f"✓ {folder}: {len(made)}")
