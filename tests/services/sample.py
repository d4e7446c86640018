"""A contract that uses everything a contract may use, for the codec's tests."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

from services.contract import Code, Contract, Count, Doc, Money, Text, read, write

COLOUR = Code({"R": ("红", "red"), "G": ("绿", "green")})


@dataclass(frozen=True)
class Line:
    Item: Annotated[str, Text(5, 1), Doc("项目", "item")]
    Amount: Annotated[Decimal, Money(6, 2), Doc("金额", "amount")]
    Note: Annotated[str, Text(8), Doc("备注", "note")] | None


@dataclass(frozen=True)
class Person:
    Name: Annotated[str, Text(6, 1), Doc("姓名", "name")]
    Born: Annotated[date, Doc("出生", "born")] | None
    Lines: list[Line]


class Sample(Contract, version=3, zh="样例"):
    """Everything at once."""

    @read("问", probe={"Id": "1"})
    @abstractmethod
    def Ask(
        self,
        Id: Annotated[str, Text(4, 1), Doc("号", "id")],
        Day: Annotated[date, Doc("日", "day")] | None = None,
        At: Annotated[datetime, Doc("时", "at")] | None = None,
        Many: Annotated[int, Count(0, 99), Doc("数", "many")] | None = None,
        Flag: Annotated[bool, Doc("旗", "flag")] | None = None,
        Price: Annotated[Decimal, Money(5, 2), Doc("价", "price")] | None = None,
        Free: Annotated[str, Doc("文", "free text")] | None = None,
    ) -> list[Person]:
        """Ask."""

    @write("记")
    @abstractmethod
    def Put(
        self,
        RequestId: Annotated[str, Text(8, 1), Doc("请求号", "request id")],
        Who: Person,
        Colour: Annotated[str, COLOUR, Doc("色", "colour")],
        More: list[Line] | None = None,
    ) -> Annotated[str, Doc("果", "result")]:
        """Put."""
