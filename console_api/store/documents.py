"""The document of a case for the data centre, a CloudEvent, queued in the outbox."""

from datetime import datetime

import msgspec
from sqlalchemy import Connection, func, insert, select

from console_api.cycle.model import Case
from console_api.rules import Rules
from console_api.store.log import Head
from console_api.store.render import register_row
from console_api.store.schema import outbox
from console_api.store.times import to_ms
from console_api.store.views import RegisterRow

TYPE = "id.siaga.case.registered.v1"


class Witness(msgspec.Struct, frozen=True):
    """The log's head when the document was made: a copy of it outside of this console."""

    seq: int
    hash: str


class Data(msgspec.Struct, frozen=True):
    """The register row, and what the data centre can hold the console's log against."""

    register: RegisterRow
    log: Witness


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A CloudEvent 1.0 in structured mode."""

    specversion: str = "1.0"
    id: str
    source: str
    type: str = TYPE
    subject: str
    time: datetime
    datacontenttype: str = "application/json"
    data: Data


def queue_document(
    connection: Connection, case: Case, number: str, head: Head, rules: Rules
) -> None:
    """Queue this version of a case, in the open transaction."""
    document = Document(
        id=f"{case.id}:{case.version}",
        source=rules.source,
        subject=case.id,
        time=case.at,
        data=Data(
            register=register_row(case, number, case.at, rules),
            log=Witness(head.seq, head.hash.hex()),
        ),
    )
    last = connection.execute(select(func.max(outbox.c.id))).scalar_one() or 0
    connection.execute(
        insert(outbox).values(
            id=last + 1,
            case_id=case.id,
            version=case.version,
            body=msgspec.json.encode(document),
            status="pending",
            attempts=0,
            retry_ms=to_ms(case.at),
            created_ms=to_ms(case.at),
        )
    )
