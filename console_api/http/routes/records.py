"""The register, the clocks report and the audit log."""

import re
from typing import Final

from litestar import Response

from console_api import store
from console_api.accounts.audit import list_entries
from console_api.http.answers import AuditAnswer, AuditEntry, ClocksAnswer, RegisterAnswer
from console_api.http.bodies import AuditQuery, ClocksQuery, RegisterQuery
from console_api.http.call import JSON
from console_api.http.calls import CSV
from console_api.http.connection import AnyRequest
from console_api.http.context import console_of, json_answer, put_on_record
from console_api.http.decode import choose_media_type, read_query
from console_api.http.problem import at_parameter
from console_api.http.register_csv import register_csv
from console_api.http.route import route

_ID: Final = re.compile(r"[0-9]{1,18}")


@route("show_register")
async def show_register(request: AnyRequest) -> Response[bytes]:
    """Give the register of a month in the form that the client likes best."""
    return await _register(request, choose_media_type(request, (JSON, CSV)))


@route("show_register_json")
async def show_register_json(request: AnyRequest) -> Response[bytes]:
    """Give the register of a month as JSON."""
    return await _register(request, JSON)


@route("show_register_csv")
async def show_register_csv(request: AnyRequest) -> Response[bytes]:
    """Give the register of a month as CSV."""
    return await _register(request, CSV)


@route("report_clocks")
async def report_clocks(request: AnyRequest) -> Response[bytes]:
    """Report how the clocks ran in a span of time."""
    console = console_of(request)
    query = read_query(request, ClocksQuery)
    if query.start >= query.end:
        raise at_parameter("to", "must be later than from")
    clocks = await console.database.read(
        store.clock_report, query.start, query.end, console.now(), rules=console.rules
    )
    return json_answer(ClocksAnswer(query.start, query.end, clocks))


@route("list_audit")
async def list_audit(request: AnyRequest) -> Response[bytes]:
    """List who read or did what; the look at the log goes into the log, too."""
    console = console_of(request)
    query = read_query(request, AuditQuery)
    if query.cursor is not None and not _ID.fullmatch(query.cursor):
        raise at_parameter("cursor", "take the `next` of the page before")
    found = await console.database.read(
        list_entries,
        before=int(query.cursor) if query.cursor else None,
        limit=query.limit,
        case=query.case,
        actor=query.actor,
    )
    await put_on_record(request, "list_audit")
    entries = [
        AuditEntry(e.id, e.at, e.actor, e.address, e.action, e.cases, e.detail) for e in found
    ]
    more = str(entries[-1].id) if len(entries) == query.limit else None
    return json_answer(AuditAnswer(entries, more))


async def _register(request: AnyRequest, media_type: str) -> Response[bytes]:
    console = console_of(request)
    query = read_query(request, RegisterQuery)
    rows = await console.database.read(
        store.register, query.month, console.now(), drill=query.drill, rules=console.rules
    )
    detail = {"month": query.month, "drill": query.drill}
    await put_on_record(request, "show_register", tuple(row.case for row in rows), detail)
    headers = {"vary": "accept"}
    if media_type == JSON:
        return json_answer(RegisterAnswer(query.month, query.drill, rows), headers=headers)
    name = f"register-{query.month}{'-drill' if query.drill else ''}.csv"
    headers["content-disposition"] = f'attachment; filename="{name}"'
    return Response(register_csv(rows), media_type=f"{CSV}; charset=utf-8", headers=headers)
