"""An order as it is asked for, checked against what this hospital offers and can hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from adapters.columns import Statement
from adapters.database import Source
from adapters.fitting import fitted
from adapters.junwei import tables
from adapters.junwei.order_patients import OrderPatients
from adapters.junwei.order_rows import Draft
from adapters.junwei.settings import JunweiSettings
from adapters.orders import Offer, offers
from services.faults import InvalidArgument
from services.ordering import MOST_ITEMS, OrderLine, OrderPatient
from services.terms import LAB

_M, _E = tables.LAB_TEST_MASTER.c, tables.EXAM_MASTER.c


class OrderDrafts:
    """Drafts of one hospital's orders."""

    def __init__(self, source: Source, settings: JunweiSettings) -> None:
        self._source = source
        self._settings = settings
        self._patients = OrderPatients(source, settings)

    def statements(self) -> Iterable[Statement]:
        """Selects that name every table and column that patients are looked for in."""
        return self._patients.statements()

    def draft(
        self, connection: Connection, item_class: str, arguments: Mapping[str, Any], now: datetime
    ) -> Draft:
        """The order that is asked for. Raises what PlaceLabOrder and PlaceExamOrder raise."""
        asked: OrderPatient = arguments["Patient"]
        specimen: str | None = arguments.get("Specimen")
        dept = self._virtual_department(arguments["VirtualDept"])
        lines = self._lines(connection, item_class, arguments["Items"], specimen)
        lab = item_class == LAB

        def fit(column: Any, name: str) -> str | None:
            return fitted(self._source, column, arguments.get(name), name)

        diagnosis = fit(_M.RELEVANT_CLINIC_DIAG if lab else _E.CLIN_DIAG, "ClinicalDiagnosis")
        provider = fit(_M.ORDERING_PROVIDER if lab else _E.REQ_PHYSICIAN, "OrderingProvider")
        notes = fit(_M.NOTES_FOR_SPCM if lab else _E.REQ_MEMO, "Notes")
        if diagnosis is None or provider is None:
            empty = "ClinicalDiagnosis" if diagnosis is None else "OrderingProvider"
            raise self._source.fault(
                InvalidArgument, f"缺少 {empty}。", f"{empty} is empty.", field=empty
            )
        return Draft(
            item_class=item_class,
            lines=lines,
            diagnosis=diagnosis,
            dept=dept,
            provider=provider,
            specimen=(fit(_M.SPECIMEN, "Specimen") or lines[0].specimen) if lab else None,
            notes=notes,
            at=now,
            # The last, for it may write.
            patient=self._patients.of(connection, asked, dept, now),
        )

    def _virtual_department(self, code: str) -> str:
        code = code.strip()
        if code in self._settings.virtual_departments:
            return code
        raise self._source.fault(
            InvalidArgument,
            f"本院没有虚拟科室 {code}。请用本院分配的代码，或请本院在 virtual_departments 中登记。",
            f"This hospital has no virtual department {code}. Use the code that it gave out, or "
            "have it entered in virtual_departments.",
            field="VirtualDept",
        )

    def _lines(
        self,
        connection: Connection,
        item_class: str,
        asked: list[OrderLine],
        specimen: str | None,
    ) -> tuple[Offer, ...]:
        wanted = [line.ItemCode.strip() for line in asked]
        offered = {offer.code: offer for offer in offers(connection, item_class)}
        if not wanted:
            raise self._item_fault("没有项目。", "there is no item")
        if len(wanted) > MOST_ITEMS:
            raise self._item_fault(
                f"一张申请单最多 {MOST_ITEMS} 个项目，请分开。",
                f"an order holds {MOST_ITEMS} items at most; divide it",
            )
        for place, code in enumerate(wanted):
            if code in wanted[:place]:
                raise self._item_fault(f"项目 {code} 重复。", f"item {code} is there twice")
            if code not in offered:
                kind = "检验" if item_class == LAB else "检查"
                raise self._item_fault(
                    f"本院没有可开的{kind}项目 {code}。请查询可开项目。",
                    f"{code} is not among the items of class {item_class} on offer here; "
                    "ListOrderableItems tells them",
                )
        lines = tuple(offered[code] for code in wanted)
        # One order is one specimen, or one examination, of one department.
        if item_class == LAB:
            kinds = {line.specimen for line in lines if line.specimen and not specimen}
        else:
            kinds = {f"{line.exam_class}/{line.exam_sub_class}" for line in lines}
        kinds_of = ({line.performed_by for line in lines}, kinds)
        for zh, en, kinds_here in zip(
            ("执行科室", "标本" if item_class == LAB else "检查类别"),
            ("performing departments", "specimens" if item_class == LAB else "classes"),
            kinds_of,
            strict=True,
        ):
            if len(kinds_here) > 1:
                raise self._item_fault(
                    f"这些项目的{zh}不同（{'、'.join(sorted(kinds_here))}），请分开开单。",
                    f"these items have different {en} ({', '.join(sorted(kinds_here))}); order "
                    "them separately",
                )
        if len({line.name for line in lines}) < len(lines):
            raise self._item_fault("有两个项目同名。", "two of the items have one name")
        return lines

    def _item_fault(self, zh: str, en: str) -> InvalidArgument:
        return self._source.fault(InvalidArgument, zh, en, field="Items")
