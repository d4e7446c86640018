"""The configuration of a source: which database, which adapter, what it offers, what bounds it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from adapters import ADAPTERS, ARCHIVES
from adapters.drivers import DRIVERS, with_driver
from adapters.http_source import SCHEMES
from services.catalogue import CONTRACTS
from services.contract import describe


class WrongSetting(ValueError):
    """A value that is refused; ``where`` is the way to it from the field being checked."""

    def __init__(self, zh: str, en: str, where: tuple[str | int, ...] = ()) -> None:
        super().__init__(f"{zh} / {en}")
        self.zh = zh
        self.en = en
        self.where = where


def _url(value: object) -> URL:
    """A SQLAlchemy URL of a database that a driver is there for, or of an HTTP server."""
    if isinstance(value, URL):
        url = value
    else:
        try:
            url = make_url(str(value))
        except ArgumentError:
            raise WrongSetting(
                "不是 SQLAlchemy 的 URL，应如 sqlite:///hx.db",
                "not a SQLAlchemy URL such as sqlite:///hx.db",
            ) from None
    if url.drivername in SCHEMES:
        if not url.host or url.query:
            raise WrongSetting(
                "应如 http://用户:口令@主机:8042", "should be like http://user:password@host:8042"
            )
        return url
    url = with_driver(url)
    driver = DRIVERS.get(url.drivername)
    if driver is None:
        known = ", ".join(DRIVERS)
        raise WrongSetting(
            f"尚不支持数据库 {url.drivername}；支持：{known}",
            f"no driver for {url.drivername}; there are: {known}",
        )
    try:
        driver.check(url)
    except ValueError as wrong:
        raise WrongSetting(*wrong.args) from None
    return url


class SourceConfig(BaseModel):
    """One ``[sources.NAME]`` of a node. Times are in seconds."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, arbitrary_types_allowed=True, hide_input_in_errors=True
    )

    adapter: str
    url: Annotated[URL, BeforeValidator(_url)]
    # Only where the database does not know what its text is in.
    text_encoding: Literal["", "gbk", "gb18030"] = ""
    # Writes need it to be false. A HIS is not ours: what only reads must not be able to write.
    read_only: bool = True
    # Empty for an archive, which completes what another source offers.
    offers: list[str] = Field(default=[], validate_default=True)
    pool_size: int = Field(4, ge=1, le=64)
    queue_length: int = Field(64, ge=0, le=10_000)
    queue_wait_seconds: float = Field(2.0, gt=0, le=600)
    statement_timeout_seconds: float = Field(10.0, gt=0, le=3600)
    login_timeout_seconds: float = Field(5.0, gt=0, le=600)
    breaker_failures: int = Field(5, ge=0, le=1000)
    breaker_seconds: float = Field(5.0, gt=0, le=600)
    single_flight: bool = True
    cache_seconds: dict[str, Annotated[float, Field(ge=0, le=60)]] = Field(
        default={"QueryNumberSource": 1.0}
    )
    settings: dict[str, Any] = Field(default_factory=dict, validate_default=True)

    @field_validator("text_encoding")
    @classmethod
    def _taken_by_the_driver(cls, value: str, info: ValidationInfo) -> str:
        url = info.data.get("url")
        driver = None if url is None else DRIVERS.get(url.drivername)
        if value and url is not None and not (driver and driver.takes_encoding):
            raise WrongSetting(
                f"{url.drivername} 自行转换编码，不用此项；它只用于 SQL_ASCII 的 PostgreSQL",
                f"{url.drivername} converts text by itself; this is for PostgreSQL in SQL_ASCII",
            )
        return value

    @field_validator("cache_seconds")
    @classmethod
    def _only_reads(cls, value: dict[str, float]) -> dict[str, float]:
        operations = {
            operation.name: operation.writes
            for contract in CONTRACTS.values()
            for operation in describe(contract).operations
        }
        for name in value:
            if operations.get(name, True):
                raise WrongSetting(
                    f"{name!r} 不是查询操作；只有查询可以缓存，如 QueryNumberSource",
                    f"{name!r} is no query; only queries are kept, as QueryNumberSource",
                    (name,),
                )
        return value

    @field_validator("adapter")
    @classmethod
    def _known_adapter(cls, value: str) -> str:
        if value not in ADAPTERS and value not in ARCHIVES:
            known = ", ".join([*ADAPTERS, *ARCHIVES])
            raise WrongSetting(
                f"没有适配器 {value!r}；可用：{known}", f"no adapter {value!r}; there are: {known}"
            )
        return value

    @field_validator("url")
    @classmethod
    def _of_the_adapters_kind(cls, value: URL, info: ValidationInfo) -> URL:
        name = info.data.get("adapter", "")
        is_http = value.drivername in SCHEMES
        if name in ARCHIVES and not is_http:
            raise WrongSetting(
                f"{name} 是 HTTP 服务，url 应如 http://用户:口令@主机:8042",
                f"{name} is an HTTP server; its url is like http://user:password@host:8042",
            )
        if name in ADAPTERS and is_http:
            raise WrongSetting(
                f"{name} 读数据库，url 应如 sqlite:///hx.db",
                f"{name} reads a database; its url is like sqlite:///hx.db",
            )
        return value

    @field_validator("read_only")
    @classmethod
    def _an_archive_is_only_read(cls, value: bool, info: ValidationInfo) -> bool:
        if not value and info.data.get("adapter") in ARCHIVES:
            raise WrongSetting("影像归档只读", "an archive is only read from")
        return value

    @field_validator("offers")
    @classmethod
    def _offered_by_the_adapter(cls, value: list[str], info: ValidationInfo) -> list[str]:
        if info.data.get("adapter") in ARCHIVES and value:
            raise WrongSetting(
                "影像归档不单独提供契约，它补全 ExamResults 的影像；请删去 offers",
                "an archive offers no contract, it completes the images of ExamResults; leave "
                "offers out",
            )
        adapter = ADAPTERS.get(info.data.get("adapter", ""))
        if adapter is None:
            return value  # which is reported by itself, or an archive
        if not value:
            raise WrongSetting("至少写明一个契约", "name at least one contract")
        possible = [name for name, contract in CONTRACTS.items() if adapter.implements(contract)]
        for index, name in enumerate(value):
            if name not in possible:
                raise WrongSetting(
                    f"适配器不提供 {name!r}；它提供：{', '.join(possible)}",
                    f"the adapter has no {name!r}; it has: {', '.join(possible)}",
                    (index,),
                )
            if name in value[:index]:
                raise WrongSetting(f"{name} 写了两次", f"{name} is there twice", (index,))
            if info.data.get("read_only") and _must_write(name):
                raise WrongSetting(
                    f"{name} 要写数据库，请设 read_only = false",
                    f"{name} writes; set read_only = false",
                    (index,),
                )
        return value

    @field_validator("settings")
    @classmethod
    def _as_the_adapter_says(cls, value: Mapping[str, Any], info: ValidationInfo) -> dict[str, Any]:
        name = info.data.get("adapter", "")
        adapter = ADAPTERS.get(name) or ARCHIVES.get(name)
        if adapter is None:
            return dict(value)
        try:
            adapter.settings_model.model_validate(value)
        except ValidationError as error:
            for one in error.errors(include_url=False, include_input=False):
                if one["type"] == "extra_forbidden":
                    known = ", ".join(adapter.settings_model.model_fields)
                    raise WrongSetting(
                        f"未知的设置；{info.data['adapter']} 的设置：{known}",
                        f"unknown setting; {info.data['adapter']} has: {known}",
                        tuple(one["loc"]),
                    ) from None
            raise
        return dict(value)


def _must_write(name: str) -> bool:
    contract = CONTRACTS[name]
    writes = any(operation.writes for operation in describe(contract).operations)
    return writes and not contract.contract_reads_alone
