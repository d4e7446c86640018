"""A hospital of one session and many patients, on any database, and what its counters say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Column, Engine, MetaData, String, insert, select, update

from adapters import ADAPTERS, Adapter, bsoft, junwei
from adapters.columns import with_columns
from adapters.config import SourceConfig
from adapters.database import Source
from adapters.registrations.table import REGISTRATION
from adapters.spelling import write_in_lower_case
from tests.compliance.copying import engine_of

TODAY = date.today()  # whole nodes look at the real clock
#: the session's day: tomorrow, so that no shift of it is past
DAY = TODAY + timedelta(days=1)
NOON = datetime.combine(TODAY, time(12))
FEES = "26.00"

J = junwei.tables
B = bsoft.tables


@dataclass
class Hospital:
    """One database. ``session`` is the only ScheduleId; ``url`` may be of any server."""

    adapter: str
    url: str
    session: str
    engine: Engine
    sources: list[Source] = field(default_factory=list)
    #: more of a source's configuration
    limits: dict[str, Any] = field(default_factory=dict)

    def open(
        self, clock: Callable[[], datetime] = lambda: NOON, read_only: bool = False, **settings: Any
    ) -> Any:
        """An adapter over it, as one node has one."""
        config = self.config(read_only=read_only, **settings)
        source = Source("his", "hx", SourceConfig.model_validate(config))
        self.sources.append(source)
        kind: Callable[..., Adapter] = ADAPTERS[self.adapter]
        return kind(source, source.config.settings, clock)

    def config(self, read_only: bool = False, **settings: Any) -> dict[str, Any]:
        site = {"stopped": "CLINIC_INDEX.STATUS"} if self.adapter == "junwei" else {}
        return {
            "adapter": self.adapter,
            "url": self.url,
            "offers": ["NumberSource"] if read_only else ["NumberSource", "Registration"],
            "read_only": read_only,
            "queue_length": 500,
            "queue_wait_seconds": 60,
            "settings": {**site, **settings},
            **self.limits,
        }

    def close(self) -> None:
        for source in self.sources:
            source.close()
        self.sources.clear()
        self.engine.dispose()

    # --- the hospital's own programs --------------------------------------------------------------

    def limit(self, limit: int) -> None:
        column = "REGISTRATION_LIMITS" if self.adapter == "junwei" else "GHXE"
        self.change(**{column: limit})

    def change(self, **columns: Any) -> None:
        """Set columns of the session's row."""
        with self.engine.begin() as connection:
            connection.execute(update(self._slot).values(**columns))

    def stop(self, stopped: bool = True) -> None:
        with self.engine.begin() as connection:
            if self.adapter == "junwei":
                index = _index()
                connection.execute(update(index).values(STATUS="0" if stopped else "1"))
            else:
                connection.execute(update(B.MS_YSPB).values(TGBZ=int(stopped)))

    def window(self, patient: int, sequence: int = 1, **columns: Any) -> str:
        """A registration made at the window, which leaves the counters to ``change``; its id."""
        begins = datetime.combine(DAY, time())
        with self.engine.begin() as connection:
            if self.adapter == "junwei":
                row = {
                    **{"VISIT_DATE": begins, "VISIT_NO": 900 + patient, "CLINIC_LABEL": "0301A"},
                    **{"VISIT_TIME_DESC": "上午", "SERIAL_NO": sequence},
                    **{"PATIENT_ID": patient_id(patient), "REGISTRATION_STATUS": 1},
                }
                connection.execute(insert(J.CLINIC_MASTER).values({**row, **columns}))
                return f"H-{DAY:%Y%m%d}-{900 + patient}"
            row = {
                **{"SBXH": 900 + patient, "BRID": patient, "GHSJ": begins, "GHLB": 1},
                **{"KSDM": "0301", "YSDM": "1001", "THBZ": 0, "JZZT": 0},
            }
            connection.execute(insert(B.MS_GHMX).values({**row, **columns}))
            return f"H-{900 + patient}"

    def window_changes(self, identifier: str, **columns: Any) -> None:
        """What window or doctor do with a row of the HIS; ``returned`` and ``visited`` are told
        in the vendor's own way."""
        key = self.his_key(identifier)
        number = int(key.rpartition("-")[2])
        table, column = (
            (J.CLINIC_MASTER, J.CLINIC_MASTER.c.VISIT_NO)
            if self.adapter == "junwei"
            else (B.MS_GHMX, B.MS_GHMX.c.SBXH)
        )
        with self.engine.begin() as connection:
            connection.execute(update(table).where(column == number).values(**columns))

    def returned_at_the_window(self, identifier: str) -> None:
        junwei_way = self.adapter == "junwei"
        self.window_changes(identifier, **({"RETURNED_DATE": NOON} if junwei_way else {"THBZ": 1}))

    def seen(self, identifier: str) -> None:
        junwei_way = self.adapter == "junwei"
        self.window_changes(
            identifier, **({"REGISTRATION_STATUS": 2} if junwei_way else {"JZZT": 9})
        )

    # --- what stands in the database --------------------------------------------------------------

    def counters(self) -> tuple[int, int]:
        """Places taken, and the next number to give out (``current_no`` "next")."""
        c = self._slot.c
        columns = (
            (c.REGISTRATION_NUM, c.CURRENT_NO) if self.adapter == "junwei" else (c.YGRS, c.JZXH)
        )
        with self.engine.connect() as connection:
            taken, following = connection.execute(select(*columns)).one()
        return int(taken), int(following)

    def visits(self, patient: int | None = None) -> int:
        """Living registrations in the HIS's own table."""
        if self.adapter == "junwei":
            m = J.CLINIC_MASTER.c
            statement = select(m.VISIT_NO).where(m.RETURNED_DATE.is_(None))
            key = m.PATIENT_ID == patient_id(patient or 0)
        else:
            g = B.MS_GHMX.c
            statement = select(g.SBXH).where(g.THBZ == 0)
            key = g.BRID == patient
        if patient is not None:
            statement = statement.where(key)
        with self.engine.connect() as connection:
            return len(connection.execute(statement).all())

    def returns(self) -> int:
        """Rows of CLINIC_RETURNED_ACCT, or of MS_GHMX that are returned."""
        with self.engine.connect() as connection:
            if self.adapter == "junwei":
                return len(connection.execute(select(J.CLINIC_RETURNED_ACCT.c.VISIT_NO)).all())
            g = B.MS_GHMX.c
            return len(connection.execute(select(g.SBXH).where(g.THBZ == 1)).all())

    def his_key(self, identifier: str) -> str:
        if identifier.startswith("H-"):
            return identifier[2:]
        c = REGISTRATION.c
        with self.engine.connect() as connection:
            return str(connection.scalar(select(c.HIS_KEY).where(c.ID == identifier)))

    def stored(self) -> dict[str, str]:
        """The state that stands in each row of ours, by its id."""
        c = REGISTRATION.c
        with self.engine.connect() as connection:
            rows = connection.execute(select(c.ID, c.STATE)).all()
        return {str(one): str(state) for one, state in rows}

    def kept(self) -> list[tuple[str, str, int]]:
        """State, patient and sequence number of every row of ours."""
        c = REGISTRATION.c
        with self.engine.connect() as connection:
            rows = connection.execute(select(c.STATE, c.PATIENT_ID, c.SEQUENCE_NO)).all()
        return [(state, patient, int(number)) for state, patient, number in rows]

    @property
    def _slot(self) -> Any:
        return J.CLINIC_FOR_REGIST if self.adapter == "junwei" else B.MS_YSPB


def patient_id(number: int) -> str:
    return f"{number:010d}"


@contextmanager
def hospital(
    adapter: str, url: str, limit: int = 10, patients: int = 99, *, lower: bool = False
) -> Iterator[Hospital]:
    """A new hospital in an empty database. ``lower``: its names are in lower case there."""
    engine = engine_of(url)
    if lower:
        engine.connect().close()
        write_in_lower_case(engine)
    begins = datetime.combine(DAY, time())
    with engine.begin() as connection:
        if adapter == "junwei":
            names = (
                *("CLINIC_FOR_REGIST", "CLINIC_MASTER", "CLINIC_RETURNED_ACCT", "PAT_MASTER_INDEX"),
                *("CLINIC_TYPE_DICT", "DEPT_DICT", "OUTP_DOCTOR_REGIST"),
            )
            new = [J.METADATA.tables[name] for name in names]
            J.METADATA.create_all(connection, new, checkfirst=False)
            index = _index()
            index.create(connection, checkfirst=False)
            connection.execute(
                insert(index).values(
                    CLINIC_LABEL="0301A",
                    CLINIC_DEPT="0301",
                    DOCTOR="王建国",
                    CLINIC_TYPE="专家",
                    STATUS="1",
                )
            )
            price = {"CLINIC_TYPE": "专家", "CLINIC_TYPE_NAME": "专家门诊", "PRICE": 25}
            connection.execute(insert(J.CLINIC_TYPE_DICT).values(price))
            connection.execute(
                insert(J.CLINIC_FOR_REGIST).values(
                    CLINIC_DATE=begins,
                    CLINIC_LABEL="0301A",
                    TIME_DESC="上午",
                    REGISTRATION_LIMITS=limit,
                    CURRENT_NO=1,
                    REGISTRATION_NUM=0,
                    REGIST_PRICE=1,
                )
            )
            people = [
                {
                    "PATIENT_ID": patient_id(n),
                    "NAME": f"病人{n}",
                    "SEX": "男",
                    "CHARGE_TYPE": "自费",
                }
                for n in range(1, patients + 1)
            ]
            connection.execute(insert(J.PAT_MASTER_INDEX), people)
            session = f"{DAY:%Y%m%d}-0301A-上午"
        else:
            B.METADATA.create_all(connection, checkfirst=False)
            department = {"KSDM": "0301", "KSMC": "心内科", "GHF": 1, "ZLF": 25, "ZJMZ": 1}
            connection.execute(insert(B.MS_GHKS).values(department))
            connection.execute(insert(B.GY_YGDM).values(YGDM="1001", YGXM="王建国", KSDM="0301"))
            connection.execute(
                insert(B.MS_YSPB).values(
                    GZRQ=begins,
                    KSDM="0301",
                    YSDM="1001",
                    ZBLB=1,
                    GHXE=limit,
                    YGRS=0,
                    JZXH=1,
                    TGBZ=0,
                )
            )
            people = [
                {"BRID": n, "MZHM": patient_id(n), "BRXM": f"病人{n}", "BRXB": 1}
                for n in range(1, patients + 1)
            ]
            connection.execute(insert(B.MS_BRDA), people)
            session = f"Y-{DAY:%Y%m%d}-0301-1001-1"
    made = Hospital(adapter, url, session, engine)
    try:
        yield made
    finally:
        made.close()


def _index() -> Any:
    """CLINIC_INDEX with the flag that a site added."""
    index = with_columns(J.CLINIC_INDEX)
    index = index.to_metadata(MetaData())
    index.append_column(Column("STATUS", String(1)))
    return index
