"""Ordering over the junwei tables: an order, its cancellation and its specimen's way, each one
transaction with the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Select, delete, select, update
from sqlalchemy.exc import IntegrityError

from adapters import specimens
from adapters import values as v
from adapters.columns import Statement
from adapters.database import Source
from adapters.dictionary import named
from adapters.fitting import fitted
from adapters.junwei import codes, order_rows, tables
from adapters.junwei.order_numbers import following, prefix_of
from adapters.junwei.order_patients import OrderPatients
from adapters.junwei.order_rows import Draft, Held
from adapters.junwei.settings import JunweiSettings
from adapters.ledger import Ledger
from adapters.orders import ITEM, ORDER, PATIENT, Offer, offers
from adapters.specimens import SPECIMEN_EVENT, Event
from services.faults import Conflict, InvalidArgument, NotFound
from services.order_states import (
    ACCEPTED,
    CANCELLED,
    COLLECTED,
    DONE,
    ORDERED,
    OTHER,
    PRELIMINARY,
    RECEIVED,
    REJECTED,
    REPORTED,
    may_cancel,
    specimen_wanted,
)
from services.ordering import (
    MOST_ITEMS,
    Order,
    OrderableItem,
    OrderLine,
    OrderPatient,
    SpecimenRecord,
)
from services.terms import EXAMINATION, LAB, VOID

#: by RESULT_STATUS
STATES = {
    **{"0": ORDERED, "1": ACCEPTED, "2": DONE, "3": PRELIMINARY, "4": REPORTED, "7": CANCELLED},
    "9": OTHER,
}
#: a duplicate number is met once for each order that is placed at the same moment
_ATTEMPTS = 200
_M, _E, _A = tables.LAB_TEST_MASTER.c, tables.EXAM_MASTER.c, tables.EXAM_APPOINTS.c
_OURS = select(ORDER.c.ITEM_CLASS, ORDER.c.CANCELLED_AT, ORDER.c.CANCEL_REASON)


class Orders:
    """The operations of Ordering, with one hospital's settings. ``clock`` gives local time."""

    def __init__(
        self,
        source: Source,
        settings: JunweiSettings,
        clock: Callable[[], datetime] = datetime.now,
    ) -> None:
        self._source = source
        self._settings = settings
        self._clock = clock
        self._departments = codes.departments(settings)
        self._patients = OrderPatients(source, settings)
        self.ledger = Ledger(source, clock, (ITEM, ORDER, PATIENT, SPECIMEN_EVENT))

    def statements(self) -> Iterable[Statement]:
        """Selects that name every table of the HIS in use; those of ours are made when needed."""
        yield from order_rows.statements()
        yield self._departments.statement

    # --- read -------------------------------------------------------------------------------------

    def orderable(self, item_class: str | None) -> list[OrderableItem]:
        """ListOrderableItems."""
        self.ledger.prepare()
        with self._source.connect() as connection:
            names = self._departments.read(connection)
            return [
                OrderableItem(
                    ItemCode=offer.code,
                    ItemName=offer.name,
                    ItemClass=offer.item_class,
                    Specimen=offer.specimen,
                    Price=offer.price,
                    PerformedBy=offer.performed_by,
                    PerformedByName=named(offer.performed_by, names, "PERFORMED_BY") or "",
                )
                for offer in offers(connection, item_class)
            ]

    def status(self, order_no: str, item_class: str | None) -> Order:
        """GetOrderStatus."""
        self.ledger.prepare()
        with self._source.connect() as connection:
            ours = self._ours(connection, order_no)
            classes = [item_class] if item_class else [EXAMINATION, LAB]
            if ours is not None and item_class is None:
                classes = [ours[0]]
            found = [
                (one, held)
                for one in classes
                if (held := order_rows.head(connection, order_no, one, self._padding))
            ]
            if len(found) > 1:
                raise self._source.fault(
                    Conflict,
                    f"本院的检查和检验各有一张 {order_no}。请用 ItemClass 说明是哪一张。",
                    f"A lab test and an examination here have the number {order_no}. Say which "
                    "by ItemClass.",
                    field="ItemClass",
                )
            if not found:
                raise self._unknown(order_no)
            return self._order(connection, *found[0])

    def specimen_events(self, order_no: str) -> list[SpecimenRecord]:
        """ListSpecimenEvents."""
        self.ledger.prepare()
        with self._source.connect() as connection:
            held = self._lab_order(connection, order_no, lock=False)
            return specimens.events(connection, held.number)

    # --- placing ----------------------------------------------------------------------------------

    def place(self, operation: str, item_class: str, arguments: Mapping[str, Any]) -> Order:
        """PlaceLabOrder and PlaceExamOrder; ``arguments`` are theirs."""

        def work(connection: Connection) -> Order:
            draft = self._draft(connection, item_class, arguments)
            number = self._inserted(connection, draft)
            held = order_rows.head(connection, number, item_class, self._padding)
            assert held is not None  # written a moment ago
            return self._order(connection, item_class, held)

        return self.ledger.once(operation, arguments, Order, work)

    def _draft(
        self, connection: Connection, item_class: str, arguments: Mapping[str, Any]
    ) -> Draft:
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
        now = self._clock().replace(microsecond=0)
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

    def _inserted(self, connection: Connection, draft: Draft) -> str:
        """The number under which all of the order's rows are in."""
        day = draft.at.date()
        start = self._settings.order_number_start
        numbers = following(day, self._taken(connection, prefix_of(day)), start)
        duplicate: IntegrityError | None = None
        for number in islice(numbers, _ATTEMPTS):
            try:
                with connection.begin_nested():
                    for statement in order_rows.rows(number, draft):
                        connection.execute(statement)
            except IntegrityError as error:
                duplicate = error
            else:
                return number
        if duplicate is not None:
            raise duplicate
        raise self._source.fault(
            Conflict,
            f"{day} 的申请单号已用完。请与本院信息科联系。",
            f"The order numbers of {day} are used up. Speak to this hospital's IT department.",
        )

    def _taken(self, connection: Connection, prefix: str) -> set[str]:
        """The numbers of a day that stand anywhere where ours would have to."""
        keys = (_M.TEST_NO, _E.EXAM_NO, _A.EXAM_NO, tables.OUTP_ORDERS.c.SERIAL_NO)
        found: set[str] = set()
        for key in (*keys, ORDER.c.ORDER_NO):
            statement = select(key).where(key >= prefix, key <= prefix + "zzzz")
            found.update(
                str(value).rstrip(" ") for value in connection.execute(statement).scalars()
            )
        return found

    # --- cancelling -------------------------------------------------------------------------------

    def cancel(self, arguments: Mapping[str, Any]) -> Order:
        """CancelOrder."""
        order_no, reason = arguments["OrderNo"].strip(), arguments["Reason"].strip()

        def work(connection: Connection) -> Order:
            ours = self._ours(connection, order_no, lock=True)
            if ours is None:
                raise self._not_ours(connection, order_no)
            item_class = ours[0]
            held = order_rows.head(connection, order_no, item_class, self._padding, lock=True)
            if held is None:
                raise self._unknown(order_no)
            may_cancel(STATES[held.status])
            self._uncharge(connection, order_no, item_class)
            self._void(connection, order_no, item_class)
            connection.execute(
                update(ORDER)
                .where(ORDER.c.ORDER_NO == order_no)
                .values(CANCELLED_AT=self._clock().replace(microsecond=0), CANCEL_REASON=reason)
            )
            held = order_rows.head(connection, order_no, item_class, self._padding)
            assert held is not None  # its row is void, and there
            return self._order(connection, item_class, held)

        return self.ledger.once("CancelOrder", arguments, Order, work)

    def _uncharge(self, connection: Connection, order_no: str, item_class: str) -> None:
        """Take the order from the cashier's list; Conflict where it has been paid for."""
        rows = order_rows.treatments(connection, order_no, item_class, self._padding, lock=True)
        if any(row.charged for row in rows):
            raise self._source.fault(
                Conflict,
                f"申请单 {order_no} 已收费，请先在本院退费。",
                f"Order {order_no} has been paid for. Have it refunded at this hospital first.",
                field="OrderNo",
            )
        for serial in {row.serial_no for row in rows}:
            t, o = tables.OUTP_TREAT_REC, tables.OUTP_ORDERS
            connection.execute(delete(t).where(t.c.SERIAL_NO == serial))
            connection.execute(delete(o).where(o.c.SERIAL_NO == serial))

    def _void(self, connection: Connection, order_no: str, item_class: str) -> None:
        if item_class == LAB:
            master, key, status = tables.LAB_TEST_MASTER, _M.TEST_NO, _M.RESULT_STATUS
        else:
            master, key, status = tables.EXAM_MASTER, _E.EXAM_NO, _E.RESULT_STATUS
            appointed = delete(tables.EXAM_APPOINTS).where(_A.EXAM_NO == order_no)
            connection.execute(appointed)
        changed = connection.execute(
            update(master)
            .where(key == order_no, status == order_rows.REQUESTED)
            .values(RESULT_STATUS=VOID)
        ).rowcount
        if changed != 1:  # it was accepted just now
            may_cancel(ACCEPTED)

    # --- specimens --------------------------------------------------------------------------------

    def record_specimen(self, arguments: Mapping[str, Any]) -> SpecimenRecord:
        """RecordSpecimenEvent."""
        event = Event(
            arguments["Event"],
            arguments["At"],
            arguments["Person"],
            arguments.get("Place"),
            arguments.get("Reason"),
        )

        def work(connection: Connection) -> SpecimenRecord:
            held = self._lab_order(connection, arguments["OrderNo"], lock=True)
            specimen_wanted(STATES[held.status])
            made = specimens.record(
                connection, self._source, held.number, event, self._clock().replace(microsecond=0)
            )
            self._follow(connection, made)
            return made

        return self.ledger.once("RecordSpecimenEvent", arguments, SpecimenRecord, work)

    def _follow(self, connection: Connection, made: SpecimenRecord) -> None:
        """What the laboratory's own programs see of an event in LAB_TEST_MASTER."""
        master = update(tables.LAB_TEST_MASTER).where(_M.TEST_NO == made.OrderNo)
        if made.Event == COLLECTED:
            connection.execute(master.values(SPCM_SAMPLE_DATE_TIME=made.At))
        elif made.Event == RECEIVED:
            connection.execute(master.values(SPCM_RECEIVED_DATE_TIME=made.At))
            requested = _M.RESULT_STATUS == "0"
            connection.execute(master.where(requested).values(RESULT_STATUS="1"))
        elif made.Event == REJECTED:
            # There is no specimen any more: the order waits for another one.
            nothing = {"SPCM_SAMPLE_DATE_TIME": None, "SPCM_RECEIVED_DATE_TIME": None}
            connection.execute(master.values(**nothing))
            accepted = _M.RESULT_STATUS == "1"
            connection.execute(master.where(accepted).values(RESULT_STATUS="0"))

    def _lab_order(self, connection: Connection, order_no: str, *, lock: bool) -> Held:
        held = order_rows.head(connection, order_no, LAB, self._padding, lock=lock)
        if held is None:
            raise self._unknown(order_no)
        return held

    # --- what an order reads as -------------------------------------------------------------------

    def _order(self, connection: Connection, item_class: str, held: Held) -> Order:
        ours = self._ours(connection, held.number)
        cancelled = ours is not None and ours[0] == item_class and ours[1] is not None
        way = specimens.events(connection, held.number) if item_class == LAB else []
        return Order(
            OrderNo=held.number,
            ItemClass=item_class,
            State=CANCELLED if cancelled else STATES[held.status],
            PatientId=held.patient_id,
            VirtualDept=held.dept,
            OrderingProvider=held.provider,
            OrderedAt=held.at,
            ClinicalDiagnosis=held.diagnosis,
            Specimen=held.specimen,
            Notes=held.notes,
            Charges=held.charges,
            SpecimenState=way[-1].Event if way else None,
            CancelledAt=v.moment(ours[1], "CANCELLED_AT") if cancelled and ours else None,
            CancelReason=v.text(ours[2], "CANCEL_REASON") if cancelled and ours else None,
            Items=order_rows.items(connection, held.number, item_class, self._padding),
        )

    def _ours(
        self, connection: Connection, order_no: str, *, lock: bool = False
    ) -> tuple[str, Any, Any] | None:
        """Class, time and reason of the cancellation of an order that was placed from outside."""
        statement: Select[Any] = _OURS.where(ORDER.c.ORDER_NO == order_no)
        row = connection.execute(statement.with_for_update() if lock else statement).first()
        return None if row is None else (v.required(row[0], "ITEM_CLASS"), row[1], row[2])

    def _not_ours(self, connection: Connection, order_no: str) -> NotFound | Conflict:
        if any(
            order_rows.head(connection, order_no, one, self._padding) for one in (LAB, EXAMINATION)
        ):
            return self._source.fault(
                Conflict,
                f"申请单 {order_no} 是本院医生开的，只能在本院撤销。",
                f"Order {order_no} was placed by a doctor of this hospital, and is cancelled "
                "there alone.",
                field="OrderNo",
            )
        return self._unknown(order_no)

    def _unknown(self, order_no: str) -> NotFound:
        return self._source.fault(
            NotFound,
            f"医院 {self._source.hospital} 没有申请单 {order_no}。请核对单号。",
            f"Hospital {self._source.hospital} has no such order {order_no}. Check the number.",
            field="OrderNo",
        )

    @property
    def _padding(self) -> Any:
        return self._settings.char_padding
