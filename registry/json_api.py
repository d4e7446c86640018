"""What the registry's JSON addresses share: threads, tokens, bodies with a bound, errors."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from functools import partial, wraps
from typing import Any, TypeVar

import structlog
from anyio import to_thread
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from registry.config import Publisher
from registry.errors import UddiError
from registry.failures import busy, described

T = TypeVar("T")
Endpoint = Callable[[Request], Awaitable[Response]]

log = structlog.get_logger("registry")

_STATUS = {
    "authTokenRequired": 401,
    "authTokenExpired": 401,
    "unknownUser": 401,
    "userMismatch": 403,
    "valueNotAllowed": 403,
    "invalidKeyPassed": 404,
    "messageTooLarge": 413,
    "busy": 503,
}
_NOT_STORED = {"Cache-Control": "no-store"}


async def in_thread(request: Request, function: Callable[..., T], *arguments: Any) -> T:
    """Run what asks the database in one of the registry's request threads."""
    limiter = request.app.state.limiter
    return await to_thread.run_sync(partial(function, *arguments), limiter=limiter)


def answering(function: Endpoint) -> Endpoint:
    """The endpoint, with its errors answered as JSON: ``{"error": {"code", "message"}}``."""

    @wraps(function)
    async def answer(request: Request) -> Response:
        try:
            return await function(request)
        except UddiError as error:
            return refused(error)
        except ClientDisconnect:
            return Response(status_code=400)
        except SQLAlchemyError as error:
            log.error("registry store failed", path=request.url.path, error=described(error))
            if busy(error):
                text = (
                    "注册中心数据库忙，请稍后再试 / "
                    "the registry's database is busy; try again later"
                )
                return refused(UddiError("busy", text))
            text = "注册中心数据库出错，见其日志 / the registry's database failed; see its log"
            return refused(UddiError("fatalError", text, server=True))

    return answer


def refused(error: UddiError, **more: Any) -> JSONResponse:
    status = 500 if error.server and error.code != "busy" else _STATUS.get(error.code, 400)
    headers = dict(_NOT_STORED)
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if status == 503:
        headers["Retry-After"] = "5"
    body = {"error": {"code": error.code, "message": error.message, **more}}
    return JSONResponse(body, status, headers)


def answered(body: Any, status: int = 200) -> JSONResponse:
    """What is true now, and need not be so in a second."""
    return JSONResponse(body, status, _NOT_STORED)


async def publisher_of(request: Request) -> Publisher:
    """Whose token stands in ``Authorization: Bearer``. E_authTokenRequired, E_authTokenExpired."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        token = ""
    accounts = request.app.state.context.accounts
    return await in_thread(request, accounts.publisher, token)


async def body_of(request: Request, limit: int) -> bytes:
    """The body. E_messageTooLarge as soon as it is longer than ``limit`` bytes."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            text = f"内容超过 {limit} 字节 / longer than {limit} bytes"
            raise UddiError("messageTooLarge", text)
        parts.append(part)
    return b"".join(parts)


async def json_of(request: Request, limit: int) -> dict[str, Any]:
    """The body, a JSON object. E_fatalError where it is something else."""
    try:
        found = json.loads(await body_of(request, limit))
    except (ValueError, RecursionError) as error:
        raise UddiError(
            "fatalError", f"内容不是 JSON / the body is not JSON: {type(error).__name__}"
        ) from error
    if not isinstance(found, dict):
        raise UddiError("fatalError", "内容应是 JSON 对象 / the body must be a JSON object")
    return found


def number_of(request: Request, name: str, default: int, least: int, most: int) -> int:
    """A whole number of the query string. E_fatalError where it is none, or out of range."""
    text = request.query_params.get(name)
    if text is None or text == "":
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise UddiError("fatalError", f"{name} 应是整数 / {name} must be a whole number")
    if not least <= int(text) <= most:
        raise UddiError(
            "fatalError", f"{name} 应在 {least} 与 {most} 之间 / {name}: {least} to {most}"
        )
    return int(text)
