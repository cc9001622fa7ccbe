"""What a request says, read within limits and checked, with the place of each fault."""

import asyncio
import re
from typing import Final, TypeVar

import msgspec

from console_api.http.connection import AnyRequest
from console_api.http.problem import Kinds, Problem, at_header, at_parameter, at_pointer

T = TypeVar("T")

_MEMBER: Final = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")
_FIELD: Final = re.compile(r"(?:missing required|contains unknown) field `([^`]*)`")
_VERSION: Final = re.compile(r'(?:W/)?"?([0-9]{1,18})"?')
_QUALITY: Final = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?")
_KEY: Final = re.compile(r"[\x21-\x7e]{1,128}")


async def read_body(request: AnyRequest, limit: int, seconds: float) -> bytes:
    """Read at most `limit` bytes; a longer body is refused before it is read whole."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise _too_large(limit)
    chunks = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                chunks += chunk
                if len(chunks) > limit:
                    raise _too_large(limit)
    except TimeoutError as error:
        detail = f"the body was not complete after {seconds:g} s; send it again"
        headers = {"connection": "close"}
        raise Problem(Kinds.TOO_SLOW, detail, headers=headers) from error
    return bytes(chunks)


def check_media_type(request: AnyRequest, accepted: tuple[str, ...]) -> str:
    """Return the body's media type if it is among the accepted ones."""
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding != "identity":
        detail = f"content encoding {encoding[:40]!r} is not read; send the body as it is"
        raise Problem(Kinds.UNSUPPORTED_MEDIA_TYPE, detail)
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in accepted:
        detail = f"content type {media_type[:80]!r} is not read here; send {' or '.join(accepted)}"
        headers = {"accept": ", ".join(accepted)}
        raise Problem(Kinds.UNSUPPORTED_MEDIA_TYPE, detail, headers=headers)
    return media_type


def decode_body(content: bytes, shape: type[T]) -> T:
    """Decode JSON into a checked shape, or raise a Problem that points at the fault."""
    try:
        return msgspec.json.decode(content, type=shape)
    except msgspec.ValidationError as error:
        pointer, detail = place_of(error)
        raise at_pointer(pointer, detail) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Problem(Kinds.MALFORMED_BODY, f"the body is not JSON: {error}") from error


def read_query(request: AnyRequest, shape: type[T]) -> T:
    """Convert the query string into a checked shape; an unknown parameter is an error."""
    values: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name in values:
            raise at_parameter(name, "given twice; give it once")
        values[name] = str(value)
    try:
        return msgspec.convert(values, shape, strict=False)
    except msgspec.ValidationError as error:
        pointer, detail = place_of(error)
        raise at_parameter(pointer.removeprefix("/"), detail) from error


def read_version(request: AnyRequest) -> int:
    """Return the version of `If-Match`, which an action on a case must carry."""
    given = request.headers.get("if-match")
    if given is None:
        detail = 'send the version that you saw as If-Match: "<version>"'
        raise at_header("If-Match", detail, Kinds.VERSION_REQUIRED)
    version = _VERSION.fullmatch(given.strip())
    if version is None:
        raise at_header("If-Match", 'give one version as a number in quotes, like "3"')
    return int(version.group(1))


def read_idempotency_key(request: AnyRequest) -> str | None:
    """Return the `Idempotency-Key`, if there is one."""
    key = request.headers.get("idempotency-key")
    if key is not None and not _KEY.fullmatch(key):
        raise at_header("Idempotency-Key", "use 1 to 128 printable ASCII characters, no spaces")
    return key


def choose_media_type(request: AnyRequest, offered: tuple[str, ...]) -> str:
    """Return the offered type that `Accept` likes best (RFC 9110 §12.5.1), the first if equal."""
    wishes = _wishes(request.headers.get("accept", "*/*"))
    liked = {media_type: _liking(media_type, wishes) for media_type in offered}
    best = max(offered, key=lambda media_type: liked[media_type])
    if liked[best] == 0:
        detail = f"available are {' and '.join(offered)}"
        raise at_header("Accept", detail, Kinds.NOT_ACCEPTABLE)
    return best


def place_of(error: msgspec.ValidationError) -> tuple[str, str]:
    """Split a msgspec message into a JSON pointer (RFC 6901) and what is wrong there."""
    detail, _, path = str(error).partition(" - at `")
    members = [name or index for name, index in _MEMBER.findall(path.rstrip("`"))]
    if field := _FIELD.search(detail):
        members.append(field.group(1))
    escaped = (member.replace("~", "~0").replace("/", "~1") for member in members)
    return "".join(f"/{member}" for member in escaped), detail


def _wishes(accept: str) -> dict[str, float]:
    wishes: dict[str, float] = {}
    for wish in accept.split(",")[:50]:
        media_range, *parameters = (part.strip().lower() for part in wish.split(";"))
        quality = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        wishes[media_range] = float(quality) if _QUALITY.fullmatch(quality) else 0.0
    return wishes


def _liking(media_type: str, wishes: dict[str, float]) -> float:
    for media_range in (media_type, media_type.partition("/")[0] + "/*", "*/*"):
        if media_range in wishes:
            return wishes[media_range]
    return 0.0


def _too_large(limit: int) -> Problem:
    detail = f"the body is over {limit} bytes; send less at a time"
    return Problem(Kinds.TOO_LARGE, detail, extensions={"limit_bytes": limit})
