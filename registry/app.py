"""The registry as an ASGI application: UDDI, its WSDLs, health, and the page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeVar

import structlog
from anyio import CapacityLimiter, to_thread
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from registry import contract_api, health_api, lease_api, watch_api
from registry.accounts import Accounts
from registry.config import RegistryConfig
from registry.errors import UddiError
from registry.failures import described
from registry.health import HealthBook
from registry.housekeeping import Housekeeping
from registry.lease_sweep import LeaseSweep
from registry.leases import Leases
from registry.lived_time import LivedTime
from registry.probing import Prober
from registry.store import Store
from registry.tables import POOL_SIZE
from registry.uddi import dispatch, http_get
from registry.uddi.context import Context
from registry.uddi.notifier import Notifier
from registry.uddi.soap import CONTENT_TYPE
from registry.uddi.wsdl import wsdl
from registry.versions import Versions
from registry.watch import Watch
from registry.web.routes import routes as page_routes
from registry.web.site import Site
from services.soap.wsdl_diff import compare

T = TypeVar("T")

log = structlog.get_logger("registry")

#: Passwords verified at one time, and messages that may wait for their turn. scrypt takes a core
#: for some 50 ms on purpose: many logins, right or wrong, must leave room for everything else.
LOGINS, LOGINS_WAITING = 1, 20


NOBODY_CAN_PUBLISH = (
    "没有配置任何 publishers：只能查询，任何节点都不能发布。请在配置中加入 [[publishers]]，"
    "口令散列用 yilian hash-password 生成 / no publishers are configured: this registry can be "
    "searched but nobody can publish; add [[publishers]], with a hash by: yilian hash-password"
)


def create_app(config: RegistryConfig) -> Starlette:
    """The registry over the configured store, which is created and seeded where it is new.
    SQLAlchemyError where the database cannot be had."""
    store = Store(
        config.store.url,
        max_rows=config.inquiry.max_rows,
        find_all=config.inquiry.find_all_without_criteria,
        default_rows=config.inquiry.default_rows,
    )
    accounts = Accounts(store.engine, config.publishers, config.security.token_lifetime_minutes)

    context = Context(store, accounts, config.limits, config.subscription, config.inquiry.max_rows)
    notifier = Notifier(context)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        if not config.publishers:
            log.warning(NOBODY_CAN_PUBLISH)
        await to_thread.run_sync(app.state.leases.begin)
        await app.state.watch.start()
        app.state.housekeeping.start()
        notifier.start()
        if config.health.probe:
            app.state.prober.start()
        yield
        await to_thread.run_sync(app.state.prober.stop)
        await to_thread.run_sync(notifier.stop)
        await app.state.watch.stop()
        await to_thread.run_sync(app.state.housekeeping.stop)
        store.close()

    app = Starlette(
        routes=[
            Route("/health", _health, methods=["GET"]),
            *http_get.routes(),
            Route("/uddi/{port}", _wsdl, methods=["GET"]),
            Route("/uddi/{port}", _uddi, methods=["POST"]),
            *contract_api.routes(),
            *health_api.routes(),
            *lease_api.routes(),
            *watch_api.routes(),
            *page_routes(),
        ],
        lifespan=lifespan,
    )
    app.state.config = config
    app.state.store = store
    app.state.context = context
    health = config.health
    app.state.health = HealthBook(
        store.engine, stale_seconds=max(900.0, 10 * health.interval_seconds)
    )
    app.state.lived = LivedTime(store.engine)
    app.state.leases = Leases(store, app.state.lived, seconds=config.lease.seconds)
    app.state.versions = Versions(store)
    app.state.watch = Watch(store, config.watch.waiters)
    sweep = LeaseSweep(
        store,
        app.state.lived,
        app.state.leases,
        hide_after_seconds=config.lease.hide_after_seconds,
        answers=app.state.health.answering,
    )
    app.state.prober = Prober(store, app.state.health, config.health)
    app.state.housekeeping = Housekeeping(
        store, app.state.lived, sweep, keep_days=config.changes.keep_days
    )
    # As many threads as the pool has connections, so that nobody waits for one in a thread.
    app.state.limiter = CapacityLimiter(POOL_SIZE)
    app.state.site = Site(
        store,
        app.state.limiter,
        public_url=config.listen.public_url or "",
        health=app.state.health,
        leases=app.state.leases,
        versions=app.state.versions,
        compare=compare,
        trying=config.trying,
    )
    app.state.logins = CapacityLimiter(LOGINS)
    app.state.logging_in = 0
    return app


async def _in_thread(
    request: Request,
    function: Callable[..., T],
    *arguments: Any,
    limiter: CapacityLimiter | None = None,
) -> T:
    limiter = limiter or request.app.state.limiter
    return await to_thread.run_sync(partial(function, *arguments), limiter=limiter)


async def _uddi(request: Request) -> Response:
    port = request.path_params["port"]
    if port not in dispatch.PORTS:
        return _no_such_port(port)
    answered: dispatch.Answer
    try:
        body = await _body(request)
    except UddiError as error:
        answered = dispatch.refuse(error)
    except ClientDisconnect:
        return Response(status_code=400)
    else:
        try:
            answered = await _answer(request, port, body)
        except dispatch.LoginAsked:
            answered = await _log_in(request, port, body)
    return Response(answered.body, answered.status, {"Content-Type": CONTENT_TYPE})


async def _answer(
    request: Request, port: str, body: bytes, limiter: CapacityLimiter | None = None
) -> dispatch.Answer:
    """Without a ``limiter`` of its own, LoginAsked for what needs one."""
    context, content_type = request.app.state.context, request.headers.get("content-type")
    work = partial(dispatch.answer, logins=limiter is not None)
    return await _in_thread(request, work, context, port, body, content_type, limiter=limiter)


async def _log_in(request: Request, port: str, body: bytes) -> dispatch.Answer:
    """The answer to a get_authToken, in threads of its own. E_busy where too many wait."""
    state = request.app.state
    # Counted here: the limiter's own count lags behind while tasks are about to wait for it.
    if state.logging_in >= LOGINS + LOGINS_WAITING:
        log.warning("uddi login refused", waiting=LOGINS_WAITING)
        message = "同时登录的太多，请稍后再试 / too many are logging in at once; try again later"
        return dispatch.refuse(UddiError("busy", message))
    state.logging_in += 1
    try:
        return await _answer(request, port, body, state.logins)
    finally:
        state.logging_in -= 1


async def _body(request: Request) -> bytes:
    """The message, read no further than it may be long."""
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise UddiError(
            "fatalError",
            "不接受压缩的请求 / a request with a Content-Encoding is not accepted",
        )
    limit = request.app.state.config.inquiry.max_body_bytes
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise UddiError(
                "messageTooLarge",
                f"消息超过 {limit} 字节 / the message is longer than {limit} bytes",
            )
        chunks.append(chunk)
    return b"".join(chunks)


async def _wsdl(request: Request) -> Response:
    port = request.path_params["port"]
    if port not in dispatch.PORTS:
        return _no_such_port(port)
    if port == "inquiry" and http_get.asks(request.query_params):
        return await http_get.by_key(request)
    if "wsdl" not in {name.lower() for name in request.query_params} or not dispatch.PORTS[port]:
        return PlainTextResponse(
            "请用 POST 发送 UDDI 消息，或 GET ?wsdl / POST UDDI messages here, or GET ?wsdl\n",
            405,
            {"Allow": "POST"},
        )
    address = f"{public_url(request)}/uddi/{port}"
    return Response(wsdl(port, address), media_type="text/xml")


def _no_such_port(port: str) -> Response:
    ports = ", ".join(f"/uddi/{name}" for name in dispatch.PORTS)
    return PlainTextResponse(f"没有此地址 / no such address; there are: {ports}\n", 404)


def public_url(request: Request) -> str:
    """How the asker reaches this registry: as configured, else as it asked."""
    configured: str | None = request.app.state.config.listen.public_url
    return configured or str(request.base_url).rstrip("/")


async def _health(request: Request) -> Response:
    store: Store = request.app.state.store
    try:
        await _in_thread(request, store.check)
    except SQLAlchemyError as error:
        log.error("registry store failed", error=described(error))
        return JSONResponse({"status": "critical", "store": "unavailable"}, 503)
    return JSONResponse({"status": "passing", "store": "available"})
