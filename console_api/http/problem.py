"""Errors as `application/problem+json` (RFC 9457), each with a type that never changes."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from typing import Final

import msgspec

MEDIA_TYPE: Final = "application/problem+json"
TYPE_PREFIX: Final = "urn:siaga:problem:"


@dataclass(frozen=True, slots=True)
class Kind:
    """What one type of problem always has in common."""

    name: str
    status: int
    title: str

    @property
    def uri(self) -> str:
        """The stable `type`."""
        return TYPE_PREFIX + self.name


class Kinds(Enum):
    """Every problem that this API can answer with."""

    MALFORMED_BODY = Kind("malformed-body", 400, "The body cannot be read")
    INVALID_PARAMETER = Kind("invalid-parameter", 400, "A parameter or header is not usable")
    NOT_AUTHENTICATED = Kind("not-authenticated", 401, "Log in first")
    WRONG_CREDENTIALS = Kind("wrong-credentials", 401, "The user name or password is wrong")
    NOT_ALLOWED = Kind("not-allowed", 403, "Your role may not do this")
    CROSS_SITE = Kind("cross-site", 403, "The request came from another site")
    NOT_FOUND = Kind("not-found", 404, "There is no such thing")
    METHOD_NOT_ALLOWED = Kind("method-not-allowed", 405, "This address has no such method")
    NOT_ACCEPTABLE = Kind("not-acceptable", 406, "No form that you accept is available")
    TOO_SLOW = Kind("too-slow", 408, "The body took too long to arrive")
    CONFLICT = Kind("conflict", 409, "The present state does not allow this")
    STALE_VERSION = Kind("stale-version", 412, "Somebody else was first")
    TOO_LARGE = Kind("too-large", 413, "The body is too large")
    UNSUPPORTED_MEDIA_TYPE = Kind("unsupported-media-type", 415, "This kind of body is not read")
    INVALID_BODY = Kind("invalid-body", 422, "A member of the body is not usable")
    KEY_REUSED = Kind("idempotency-key-reused", 422, "The idempotency key was used otherwise")
    VERSION_REQUIRED = Kind("version-required", 428, "Say which version you saw")
    TOO_MANY_ATTEMPTS = Kind("too-many-attempts", 429, "Too many attempts")
    INTERNAL = Kind("internal", 500, "A fault in Siaga")
    UNAVAILABLE = Kind("unavailable", 503, "Not able to answer at the moment")


class Problem(Exception):  # noqa: N818 - RFC 9457 calls it a problem
    """An answer that is an error: what was wrong, where, and what to do next.

    `extensions` are further members of the answer; a member `errors` is a list of
    `{"pointer" | "parameter" | "header", "detail"}`, one for each place.
    """

    def __init__(
        self,
        kind: Kinds,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        extensions: Mapping[str, object] | None = None,
    ) -> None:
        self.kind = kind.value
        self.detail = detail
        self.headers = dict(headers or {})
        self.extensions = dict(extensions or {})
        super().__init__(detail)

    def body(self, instance: str) -> dict[str, object]:
        """Members of the answer; `instance` is the path that was asked for."""
        return {
            "type": self.kind.uri,
            "title": self.kind.title,
            "status": self.kind.status,
            "detail": self.detail,
            "instance": instance,
            **self.extensions,
        }


class ProblemPlace(msgspec.Struct, omit_defaults=True):
    """One place that was wrong: a JSON pointer, a query parameter or a header."""

    detail: str
    pointer: str | None = None
    parameter: str | None = None
    header: str | None = None


class ProblemBody(msgspec.Struct, omit_defaults=True):
    """Shape of a problem, for the API's description."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: list[ProblemPlace] = []


def at_pointer(pointer: str, detail: str) -> Problem:
    """Return the problem of one member of the body."""
    return Problem(
        Kinds.INVALID_BODY,
        f"{pointer or 'the body'}: {detail}",
        extensions={"errors": [{"pointer": pointer, "detail": detail}]},
    )


def at_parameter(parameter: str, detail: str) -> Problem:
    """Return the problem of one query parameter."""
    return Problem(
        Kinds.INVALID_PARAMETER,
        f"parameter {parameter}: {detail}",
        extensions={"errors": [{"parameter": parameter, "detail": detail}]},
    )


def at_header(header: str, detail: str, kind: Kinds = Kinds.INVALID_PARAMETER) -> Problem:
    """Return the problem of one header."""
    return Problem(
        kind,
        f"header {header}: {detail}",
        extensions={"errors": [{"header": header, "detail": detail}]},
    )


def phrase(status: int) -> str:
    """Name of an HTTP status, for descriptions."""
    return HTTPStatus(status).phrase
