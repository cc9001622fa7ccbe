"""Faults of the rooms below, as the problems that a client sees."""

import errno
import logging
import secrets
from typing import Final

import msgspec
from litestar import Response
from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException
from sqlalchemy.exc import OperationalError

from console_api.accounts.errors import (
    AccountExistsError,
    AccountsError,
    InvalidAccountError,
    ThrottledError,
    UnknownAccountError,
    WrongCredentialsError,
)
from console_api.cycle import Conflict, ConflictReason
from console_api.errors import (
    AlreadyExistsError,
    InvalidInputError,
    NotFoundError,
    RequestError,
)
from console_api.http.connection import AnyRequest
from console_api.http.context import console_of
from console_api.http.problem import MEDIA_TYPE, Kinds, Problem, at_pointer

log: Final = logging.getLogger(__name__)

_CONFLICTS: Final = {
    ConflictReason.STALE: Kinds.STALE_VERSION,
    ConflictReason.ROLE: Kinds.NOT_ALLOWED,
    ConflictReason.UNIT: Kinds.NOT_ALLOWED,
    ConflictReason.KEY_REUSED: Kinds.KEY_REUSED,
}
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})


def conflict_problem(conflict: Conflict) -> Problem:
    """Return the problem of an action that came too late or is not allowed now."""
    return Problem(
        _CONFLICTS.get(conflict.reason, Kinds.CONFLICT),
        conflict.message,
        headers={"etag": f'"{conflict.version}"'},
        extensions={
            "reason": conflict.reason.value,
            "version": conflict.version,
            "state": conflict.state,
            "by": conflict.by,
            "at": conflict.at,
            "action": conflict.action,
        },
    )


def answer_problem(request: AnyRequest, error: Exception) -> Response[bytes]:
    """Answer with the problem that an exception stands for; never with a traceback."""
    problem = _problem(request, error)
    return Response(
        msgspec.json.encode(problem.body(request.url.path)),
        status_code=problem.kind.status,
        media_type=MEDIA_TYPE,
        headers=problem.headers,
    )


def _problem(request: AnyRequest, error: Exception) -> Problem:
    if isinstance(error, Problem):
        return error
    if isinstance(error, AccountsError):
        return _account_problem(error)
    if isinstance(error, RequestError):
        return _request_problem(error)
    if isinstance(error, HTTPException):
        return _http_problem(request, error)
    return _unavailable(error) or _fault(request, error)


def _unavailable(error: Exception) -> Problem | None:
    """Return the problem of a database or disk that cannot take anything at the moment."""
    if isinstance(error, OperationalError):
        log.error("the database cannot answer: %s", error.orig)
        detail = "the database cannot answer at the moment, nothing was changed; try again"
        return Problem(Kinds.UNAVAILABLE, detail, headers={"retry-after": "1"})
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        log.error("a photo cannot be kept: %s", error)
        detail = "there is no room for photos at the moment, nothing was changed; try again later"
        return Problem(Kinds.UNAVAILABLE, detail, headers={"retry-after": "60"})
    return None


def _account_problem(error: AccountsError) -> Problem:
    if isinstance(error, ThrottledError):
        seconds = max(1, -int(-error.wait.total_seconds() // 1))
        return Problem(Kinds.TOO_MANY_ATTEMPTS, str(error), headers={"retry-after": str(seconds)})
    if isinstance(error, WrongCredentialsError):
        return Problem(Kinds.WRONG_CREDENTIALS, str(error))
    if isinstance(error, AccountExistsError):
        return Problem(Kinds.CONFLICT, str(error))
    if isinstance(error, UnknownAccountError):
        return Problem(Kinds.NOT_FOUND, str(error))
    if isinstance(error, InvalidAccountError):
        return at_pointer(f"/{error.member}", str(error).partition(": ")[2])
    return Problem(Kinds.CONFLICT, str(error))


def _request_problem(error: RequestError) -> Problem:
    if isinstance(error, NotFoundError):
        return Problem(Kinds.NOT_FOUND, str(error))
    if isinstance(error, AlreadyExistsError):
        return Problem(Kinds.CONFLICT, str(error))
    if isinstance(error, InvalidInputError):
        return Problem(
            Kinds.INVALID_PARAMETER,
            str(error),
            extensions={"errors": [{"parameter": error.where, "detail": error.problem}]},
        )
    return Problem(Kinds.CONFLICT, str(error))


def _http_problem(request: AnyRequest, error: HTTPException) -> Problem:
    if isinstance(error, NotFoundException):
        detail = f"nothing is at {request.url.path}; see /docs for what is where"
        return Problem(Kinds.NOT_FOUND, detail)
    if isinstance(error, MethodNotAllowedException):
        headers = {name.lower(): value for name, value in (error.headers or {}).items()}
        detail = f"{request.scope['method']} is not for {request.url.path}"
        return Problem(
            Kinds.METHOD_NOT_ALLOWED,
            f"{detail}; it takes {headers.get('allow', 'nothing')}",
            headers=headers,
        )
    if error.status_code < 500:
        return Problem(Kinds.INVALID_PARAMETER, error.detail)
    return _fault(request, error)


def _fault(request: AnyRequest, error: Exception) -> Problem:
    identity = secrets.token_hex(6)
    log.error(
        "fault %s at %s %s",
        identity,
        request.scope["method"],
        request.url.path,
        exc_info=error,
    )
    console_of(request).metrics.faults.inc()
    detail = f"this is our fault, not yours; tell your administrator the id {identity}"
    return Problem(Kinds.INTERNAL, detail, extensions={"id": identity})
