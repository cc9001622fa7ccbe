"""The OpenAPI 3.1 description, made from the table of calls."""

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from console_api.accounts.roles import MAY
from console_api.cycle import ACTIONS
from console_api.http.auth import COOKIE
from console_api.http.call import Call, problems_of
from console_api.http.calls import CALLS
from console_api.http.problem import MEDIA_TYPE, ProblemBody

Json = dict[str, object]
_REFERENCE: Final = "#/components/schemas/{name}"
_TITLE: Final = "Siaga console"
_ABOUT: Final = (
    "Operator API of a panic button service. Errors are application/problem+json (RFC 9457)"
    " with a stable `type`. Times are RFC 3339 in UTC. Lists are paged: pass the `next` of a"
    " page as `cursor`. Actions on a case need `If-Match` with the version that was seen and"
    " may carry an `Idempotency-Key`, which makes a repetition answer the same."
)


def document() -> Json:
    """Return the whole description."""
    shapes = list(_shapes())
    schemas, components = msgspec.json.schema_components(shapes, ref_template=_REFERENCE)
    by_shape = {repr(shape): schema for shape, schema in zip(shapes, schemas, strict=True)}
    _let_paths_name_actions(components)
    paths: dict[str, Json] = {}
    for call in CALLS.values():
        paths.setdefault(call.path, {})[call.method.lower()] = _operation(call, by_shape)
    return {
        "openapi": "3.1.0",
        "info": {"title": _TITLE, "version": "1", "description": _ABOUT},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": COOKIE},
            },
        },
    }


def _shapes() -> Iterator[object]:
    yield ProblemBody
    for call in CALLS.values():
        if _structured(call.body):
            yield call.body
        yield from (shape for _, shape in call.answer.shapes if _structured(shape))
        yield from (field.type for field in msgspec.structs.fields(call.query))


def _structured(shape: object) -> bool:
    return shape is not None and shape is not bytes and shape is not str


def _let_paths_name_actions(components: dict[str, Json]) -> None:
    """Drop the tag from the bodies of actions: the path says which action it is."""
    for shape in ACTIONS.values():
        component = components[shape.__name__]
        for member in ("properties", "required"):
            listed = component.get(member)
            if isinstance(listed, dict):
                listed.pop("action", None)
            elif isinstance(listed, list):
                listed.remove("action")


def _operation(call: Call, schemas: dict[str, Json]) -> Json:
    operation: Json = {
        "operationId": call.name,
        "summary": call.english,
        "description": _description(call),
        "security": [] if call.public else [{"bearer": []}, {"cookie": []}],
        "responses": _responses(call, schemas),
    }
    if parameters := list(_parameters(call, schemas)):
        operation["parameters"] = parameters
    if call.body is not None:
        schema = schemas[repr(call.body)] if _structured(call.body) else {}
        operation["requestBody"] = {
            "required": call.body is bytes or not _all_optional(call.body),
            "content": {media_type: {"schema": schema} for media_type in call.media},
        }
    return operation


def _all_optional(shape: object) -> bool:
    return isinstance(shape, type(msgspec.Struct)) and all(
        not field.required for field in msgspec.structs.fields(shape)
    )


def _description(call: Call) -> str:
    if call.public:
        return call.indonesian
    return f"{call.indonesian}. Roles: {', '.join(sorted(MAY[call.name]))}."


def _parameters(call: Call, schemas: dict[str, Json]) -> Iterator[Json]:
    for name in re.findall(r"\{(\w+)\}", call.path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
    for field in msgspec.structs.fields(call.query):
        yield {
            "name": field.encode_name,
            "in": "query",
            "required": field.required,
            "schema": schemas[repr(field.type)],
        }
    if call.versioned:
        yield _header("If-Match", 'The version that was seen, like "3"', required=True)
    if call.keyed:
        yield _header("Idempotency-Key", "1 to 128 characters; the same key, the same answer")
    if call.name == "stream":
        yield _header("Last-Event-ID", "Resume behind this id")


def _header(name: str, says: str, *, required: bool = False) -> Json:
    return {
        "name": name,
        "in": "header",
        "required": required,
        "description": says,
        "schema": {"type": "string"},
    }


def _responses(call: Call, schemas: dict[str, Json]) -> Json:
    good: Json = {"description": call.answer.says}
    if call.answer.shapes:
        good["content"] = {
            media_type: {"schema": schemas[repr(shape)] if _structured(shape) else {}}
            for media_type, shape in call.answer.shapes
        }
    if call.answer.etag:
        good["headers"] = {"ETag": {"schema": {"type": "string"}}}
    responses: Json = {str(call.answer.status): good}
    if call.name == "show_photo":
        responses["304"] = {"description": "The photo that you have is the one"}
    by_status: dict[int, list[str]] = {}
    for kind in sorted(problems_of(call), key=lambda kind: kind.value.name):
        says = f"{kind.value.title} (`{kind.value.uri}`)"
        by_status.setdefault(kind.value.status, []).append(says)
    problem = {"schema": schemas[repr(ProblemBody)]}
    for status, titles in sorted(by_status.items()):
        responses[str(status)] = {
            "description": "; ".join(titles),
            "content": {MEDIA_TYPE: problem},
        }
    return responses


DOCUMENT: Final = msgspec.json.encode(document())
