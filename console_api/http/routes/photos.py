"""Photos of a case: attached, and shown so that a browser can do nothing else with them."""

import asyncio
import contextlib
import hashlib

from litestar import Response

from console_api import store
from console_api.errors import AlreadyExistsError
from console_api.http.bodies import Nothing, PhotoQuery
from console_api.http.connection import AnyRequest
from console_api.http.context import actor_of, console_of, json_answer, put_on_record
from console_api.http.decode import read_query
from console_api.http.problem import at_pointer
from console_api.http.read import raw_body
from console_api.http.route import route
from console_api.http.routes.cases import check_reach
from console_api.photos import NotAPhotoError, Photo, examine
from console_api.store.views import PhotoView


@route("add_photo")
async def add_photo(request: AnyRequest) -> Response[bytes]:
    """Attach a photo; the same one to the same case again is the one that is there."""
    console = console_of(request)
    query = read_query(request, PhotoQuery)
    case: str = request.path_params["case"]
    await _check_case(request, case)
    content = await raw_body(request, console.settings.limits.photo_bytes)
    loop = asyncio.get_running_loop()
    try:
        photo = await loop.run_in_executor(
            console.labour, examine, content, console.settings.limits.photo_pixels
        )
    except NotAPhotoError as error:
        raise at_pointer("", str(error)) from error
    view = _view(request, case, photo, query.note)
    await loop.run_in_executor(console.labour, console.photos.keep, photo, content)
    with contextlib.suppress(AlreadyExistsError):
        await console.database.write(
            store.attach_photo,
            view,
            actor=actor_of(request),
            now=console.now(),
            rules=console.rules,
        )
    return json_answer(await console.database.read(store.photo, view.id), 201)


@route("show_photo")
async def show_photo(request: AnyRequest) -> Response[bytes]:
    """Give the file of a photo, as it was sent."""
    console = console_of(request)
    read_query(request, Nothing)
    photo = await console.database.read(store.photo, request.path_params["photo"])
    await _check_case(request, photo.case)
    await put_on_record(request, "show_photo", (photo.case,), {"photo": photo.id})
    etag = f'"{photo.sha256}"'
    headers = {
        "etag": etag,
        "cache-control": "private, max-age=31536000, immutable",
        "content-security-policy": "default-src 'none'; sandbox",
        "content-disposition": f'inline; filename="{photo.id}.{photo.file.rpartition(".")[2]}"',
    }
    if etag in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers, media_type=photo.media_type)
    content = await asyncio.get_running_loop().run_in_executor(
        console.labour, console.photos.read, photo.file
    )
    return Response(content, headers=headers, media_type=photo.media_type)


async def _check_case(request: AnyRequest, case: str) -> None:
    console = console_of(request)
    brief = await console.database.read(store.case_brief, case, console.now(), rules=console.rules)
    check_reach(request, brief)


def _view(request: AnyRequest, case: str, photo: Photo, note: str | None) -> PhotoView:
    identity = hashlib.sha256(f"{case}\n{photo.sha256}".encode()).hexdigest()[:32]
    return PhotoView(
        id=identity,
        case=case,
        file=photo.file,
        sha256=photo.sha256,
        media_type=photo.media_type,
        bytes=photo.size,
        width=photo.width,
        height=photo.height,
        by=actor_of(request).name,
        at=console_of(request).now(),
        note=note,
        taken_at=photo.taken_at,
        lat=photo.lat,
        lon=photo.lon,
    )
