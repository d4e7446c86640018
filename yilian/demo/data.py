"""The demo's databases with a bar while they are made, and the hospitals that they belong to."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

from rich.progress import TaskID

from yilian.demo.plan import DemoHospital
from yilian.demo_data import HOSPITALS, DemoHospitals
from yilian.demo_data import build as build_databases
from yilian.screen import Screen


def build(
    folder: Path, screen: Screen, *, fresh: bool, seed: int | None, scale: float
) -> tuple[DemoHospital, ...]:
    """Both hospitals, their databases in ``folder``. ``seed`` None: the usual one."""
    with screen.progress() as bars:
        tasks: dict[str, TaskID] = {}

        def show(label: str, done: int, total: int) -> None:
            if label not in tasks:
                tasks[label] = bars.add_task(label, total=total)
            bars.update(tasks[label], completed=done)

        chosen = {} if seed is None else {"seed": seed}
        made = build_databases(
            folder, today=date.today(), fresh=fresh, progress=show, scale=scale, **chosen
        )
    hospitals = tuple(
        DemoHospital(code, *HOSPITALS[code], sources=_beside(sources))
        for code, sources in made.sources.items()
    )
    _tell(screen, made, hospitals)
    return hospitals


def _beside(sources: dict[str, dict[str, object]]) -> dict[str, dict[str, object]]:
    """URLs relative to the configuration, which stands beside the databases: the folder may
    move, and the file reads as one that a hospital would write."""
    return {
        name: {**source, "url": f"sqlite:///{Path(str(source['url'])).name}"}
        for name, source in sources.items()
    }


def _tell(screen: Screen, made: DemoHospitals, hospitals: tuple[DemoHospital, ...]) -> None:
    how = "新建 made" if made.built else "沿用 kept"
    counts = {
        "hx": f"junwei  {_rows(made.hx, 'PAT_MASTER_INDEX')} 病人 patients, "
        f"{_rows(made.hx, 'LAB_TEST_MASTER')} 检验 lab tests",
        "sq": f"bsoft + LIS  {_rows(made.sq_his, 'MS_BRDA')} 病人 patients, "
        f"{_rows(made.sq_lis, 'LIS_SAMPLE')} 检验 lab tests",
    }
    for hospital in hospitals:
        screen.pair(f"✓ {hospital.name} {hospital.code}", f"{counts[hospital.code]}  ({how})")


def _rows(database: Path, table: str) -> str:
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        return f"{connection.execute(f'SELECT count(*) FROM {table}').fetchone()[0]:,}"
