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
from adapters.junwei import codes, order_rows, tables
from adapters.junwei.order_drafts import OrderDrafts
from adapters.junwei.order_numbers import following, prefix_of
from adapters.junwei.order_rows import Draft, Held
from adapters.junwei.settings import JunweiSettings
from adapters.keys import Padding, matches
from adapters.ledger import Ledger
from adapters.orders import ITEM, ORDER, PATIENT, offers
from adapters.specimens import SPECIMEN_EVENT, Event
from services.faults import Conflict, NotFound
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
from services.ordering import Order, OrderableItem, SpecimenRecord
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
        self._drafts = OrderDrafts(source, settings)
        self.ledger = Ledger(source, clock, (ITEM, ORDER, PATIENT, SPECIMEN_EVENT))

    def statements(self) -> Iterable[Statement]:
        """Selects that name every table of the HIS in use; those of ours are made when needed."""
        yield from order_rows.statements()
        yield from self._drafts.statements()
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
            now = self._clock().replace(microsecond=0)
            draft = self._drafts.draft(connection, item_class, arguments, now)
            number = self._inserted(connection, draft)
            held = order_rows.head(connection, number, item_class, self._padding)
            assert held is not None  # written a moment ago
            return self._order(connection, item_class, held)

        return self.ledger.once(operation, arguments, Order, work)

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
        this = matches(_M.TEST_NO, made.OrderNo, self._padding)
        master = update(tables.LAB_TEST_MASTER).where(this)
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
    def _padding(self) -> Padding:
        return self._settings.char_padding
