"""What the core hospital offers to the alliance: items to order, in our own table."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

from sqlalchemy import MetaData

from adapters.orders import ITEM
from yilian.demo_data.core_exams import KINDS, PRICE, item_code, item_name
from yilian.demo_data.panels import PANELS
from yilian.demo_data.rows import create_tables, insert
from yilian.demo_data.staff import LABORATORY

#: the community hospital's code when its doctors order here
VIRTUAL_DEPARTMENT = "V001"
#: what the members recognise; a culture or an ultrasound depends too much on who did it
_RECOGNISED = frozenset({"LFT", "KFT", "LIP", "GLU", "HBV", item_code(0), item_code(3)})


def write_items(connection: sqlite3.Connection) -> None:
    tables = MetaData()
    ITEM.to_metadata(tables)
    create_tables(connection, tables)
    insert(
        connection,
        "YILIAN_ITEM",
        "ITEM_CLASS, ITEM_CODE, ITEM_NAME, SPECIMEN, PRICE, PERFORMED_BY, EXAM_CLASS, "
        "EXAM_SUB_CLASS, RECOGNITION_MARK",
        [*_lab_items(), *_exam_items()],
    )


def _lab_items() -> Iterator[tuple[Any, ...]]:
    for panel in PANELS:
        mark = "HR" if panel.code in _RECOGNISED else None
        yield (
            *("03", panel.code, panel.name, panel.specimen, panel.price, LABORATORY),
            *(None, None, mark),
        )


def _exam_items() -> Iterator[tuple[Any, ...]]:
    for place, kind in enumerate(KINDS):
        code = item_code(place)
        mark = "HR" if code in _RECOGNISED else None
        yield ("02", code, item_name(kind), None, PRICE, kind[2], kind[0], kind[1], mark)
