"""What a call of the API is: the shape of the rows of the table in `calls`."""

from dataclasses import dataclass
from typing import Final, Literal

from console_api.http.bodies import Nothing
from console_api.http.problem import Kinds

JSON: Final = "application/json"
Method = Literal["GET", "POST", "PATCH", "DELETE"]


@dataclass(frozen=True, slots=True)
class Answer:
    """A good answer: its status and, for each media type, the shape of its body."""

    status: int
    says: str
    shapes: tuple[tuple[str, object], ...] = ()
    etag: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """One method of one path.

    `body` is the shape of a JSON body, or `bytes` for one of the `media`; `None` where
    there is no body. `versioned` calls need `If-Match`; `keyed` ones take an
    `Idempotency-Key`; `public` ones need no login. `problems` are those that its
    handler raises; what every call of its sort can raise is added by `problems_of`.
    """

    name: str
    method: Method
    path: str
    english: str
    indonesian: str
    answer: Answer
    body: object = None
    media: tuple[str, ...] = (JSON,)
    query: type = Nothing
    versioned: bool = False
    keyed: bool = False
    public: bool = False
    problems: tuple[Kinds, ...] = ()


def problems_of(call: Call) -> frozenset[Kinds]:
    """Every problem that a call can be answered with."""
    kinds = {Kinds.INVALID_PARAMETER, Kinds.INTERNAL, Kinds.UNAVAILABLE, *call.problems}
    if not call.public:
        kinds |= {Kinds.NOT_AUTHENTICATED, Kinds.NOT_ALLOWED}
        if call.method != "GET":
            kinds.add(Kinds.CROSS_SITE)
    if "{" in call.path:
        kinds.add(Kinds.NOT_FOUND)
    if call.body is not None:
        kinds |= {
            Kinds.MALFORMED_BODY,
            Kinds.INVALID_BODY,
            Kinds.TOO_LARGE,
            Kinds.TOO_SLOW,
            Kinds.UNSUPPORTED_MEDIA_TYPE,
        }
    if call.versioned:
        kinds |= {Kinds.VERSION_REQUIRED, Kinds.STALE_VERSION}
    if call.keyed:
        kinds.add(Kinds.KEY_REUSED)
    return frozenset(kinds)
