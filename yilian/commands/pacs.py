"""``yilian pacs NODE.toml PATIENT_ID``: the studies that a node finds in its PACSs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from yilian.refused import Refused

if TYPE_CHECKING:
    from adapters.image_archive import ArchivedStudy


def pacs(
    config: Annotated[Path, typer.Argument(help="节点配置 / node's configuration (TOML)")],
    patient_id: Annotated[str, typer.Argument(help="病人标识号 / patient id")],
) -> None:
    """列出病人在 PACS 中的检查（姓名只显首字） / List a patient's studies in the PACS."""
    from adapters import ARCHIVES
    from adapters.http_source import HttpSource
    from services.faults import Fault
    from yilian.config import NodeConfig, load
    from yilian.screen import Screen, table

    checked = load(config, NodeConfig)
    screen = Screen()
    archives = {name: one for name, one in checked.sources.items() if one.adapter in ARCHIVES}
    if not archives:
        raise Refused(
            f"{config} 中没有影像来源，如 adapter = 'orthanc'。",
            f"{config} has no source of images, such as one with adapter = 'orthanc'.",
        )
    failed = False
    for name, source_config in archives.items():
        source = HttpSource(name, checked.hospital.code, source_config)
        try:
            archive = ARCHIVES[source_config.adapter](source, source_config.settings)
            system = archive.check()
            studies = archive.studies_of_patient(patient_id)
        except Fault as fault:
            screen.line(f"✗ {name}: {fault.code}\n  {fault.zh}\n  {fault.en}")
            failed = True
        else:
            screen.line(f"✓ {name}: {system}，检查 {len(studies)} 项 / {len(studies)} studies")
            if studies:
                screen.print(table(_COLUMNS, [_row(one) for one in studies]))
            for one in studies:
                if one.Image.Url:
                    screen.line(one.Image.Url)
        finally:
            source.close()
    if failed:
        raise typer.Exit(1)


_COLUMNS = ["StudyDate", "Modality", "ImageCount", "Description", "ExamNo", "姓名 name", "StudyUid"]


def _row(one: ArchivedStudy) -> list[str]:
    image = one.Image
    return [
        str(image.StudyDate or ""),
        image.Modality or "",
        str(image.ImageCount),
        image.Description or "",
        one.AccessionNumber,
        masked(one.PatientName),
        image.StudyUid,
    ]


def masked(name: str) -> str:
    """The first character of a name, and a star for each other one: 张＊."""
    return name[:1] + "＊" * len(name[1:])
