"""What every source that takes orders does: once, whole, under a number of its own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest

from services.faults import Conflict, Fault, NotFound
from services.ordering import OrderLine, OrderPatient
from tests.compliance.conftest import Offered
from yilian.demo_data.core_orders import VIRTUAL_DEPARTMENT


def patient(n: int) -> OrderPatient:
    return OrderPatient(
        PatientId=None,
        Name="四变付",
        Sex="2",
        BirthDate=date(1990, 2, 3),
        IdentityType="01",
        IdentityNo=f"1101011991020{n:05d}",
        InsuranceNo=None,
        ChargeType="自费",
        Phone=None,
    )


@pytest.fixture
def adapter(offered: Offered) -> Any:
    return offered.adapter


def place(adapter: Any, request: str, n: int, item_class: str = "03", **changed: Any) -> Any:
    (item, *_) = [one for one in adapter.ListOrderableItems() if one.ItemClass == item_class]
    operation = adapter.PlaceLabOrder if item_class == "03" else adapter.PlaceExamOrder
    given = {
        "RequestId": request,
        "Patient": patient(n),
        "Items": [OrderLine(item.ItemCode)],
        "ClinicalDiagnosis": "高血压病",
        "VirtualDept": VIRTUAL_DEPARTMENT,
        "OrderingProvider": "赵医生",
    }
    return operation(**(given | changed))


@pytest.mark.contract("Ordering")
@pytest.mark.parametrize("item_class", ["03", "02"])
def test_an_order_is_placed_once_read_back_and_cancelled(adapter: Any, item_class: str) -> None:
    request = f"once{item_class}"
    order = place(adapter, request, 1, item_class)
    assert place(adapter, request, 1, item_class) == order
    with pytest.raises(Conflict) as caught:
        place(adapter, request, 2, item_class)
    assert caught.value.field == "RequestId"
    read = adapter.GetOrderStatus(order.OrderNo, item_class)
    assert read == order
    cancelled = adapter.CancelOrder(f"back{item_class}", order.OrderNo, "开错了")
    assert cancelled == adapter.CancelOrder(f"back{item_class}", order.OrderNo, "开错了")
    assert adapter.GetOrderStatus(order.OrderNo, item_class).State == cancelled.State != order.State
    with pytest.raises(NotFound):
        adapter.GetOrderStatus("none")


@pytest.mark.contract("Ordering")
def test_orders_at_once_have_numbers_of_their_own(adapter: Any) -> None:
    def one(n: int) -> Any:
        try:
            return place(adapter, f"many{n // 2}", 100 + n // 2)  # every request twice
        except Fault as fault:
            return fault

    with ThreadPoolExecutor(8) as threads:
        orders = list(threads.map(one, range(16)))
    assert not [order for order in orders if isinstance(order, Fault)]
    assert all(orders[n] == orders[n + 1] for n in range(0, 16, 2))
    assert len({order.OrderNo for order in orders}) == 8
