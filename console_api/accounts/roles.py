"""Roles and the one table of who may make which call.

The keys are the names of the calls in `console_api.http.calls`; a test holds the
two tables to the same set, and asks every call as every role.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Role(StrEnum):
    """What a person or a service is appointed to."""

    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    OFFICER = "officer"
    TECHNICIAN = "technician"
    AUDITOR = "auditor"
    GATEWAY = "gateway"
    DATA_CENTRE = "data_centre"


PEOPLE: Final = frozenset(
    {Role.OPERATOR, Role.SUPERVISOR, Role.OFFICER, Role.TECHNICIAN, Role.AUDITOR},
)
SERVICES: Final = frozenset({Role.GATEWAY, Role.DATA_CENTRE})

_EVERYONE: Final = PEOPLE | SERVICES
_DESK: Final = frozenset({Role.OPERATOR, Role.SUPERVISOR})
_FIELD: Final = _DESK | {Role.OFFICER}
_READERS: Final = _FIELD | {Role.AUDITOR}
_SUPERVISOR: Final = frozenset({Role.SUPERVISOR})
_GATEWAY: Final = frozenset({Role.GATEWAY})

MAY: Final[Mapping[str, frozenset[Role]]] = MappingProxyType(
    {
        "show_session": _EVERYONE,
        "close_session": PEOPLE,
        "post_events": _GATEWAY,
        "list_notices": _GATEWAY,
        "list_cases": _READERS,
        "show_case": _READERS,
        "open_case": _DESK,
        "dispatch_case": _DESK,
        "accept_case": _FIELD,
        "decline_case": _FIELD,
        "arrive_case": _FIELD,
        "clear_case": _FIELD,
        "report_case": _FIELD,
        "update_case": _FIELD,
        "register_case": _DESK,
        "close_case": _DESK,
        "dismiss_case": _DESK,
        "merge_case": _DESK,
        "reopen_case": _SUPERVISOR,
        "note_case": _FIELD,
        "propose_units": _DESK,
        "add_photo": _FIELD,
        "show_photo": _READERS,
        "stream": _READERS | {Role.TECHNICIAN},
        "list_units": _READERS,
        "show_unit": _READERS,
        "add_unit": _SUPERVISOR,
        "change_unit": _FIELD,
        "move_unit": _FIELD,
        "list_devices": _DESK | {Role.TECHNICIAN, Role.AUDITOR},
        "show_device": _DESK | {Role.TECHNICIAN, Role.AUDITOR},
        "command_device": frozenset({Role.SUPERVISOR, Role.TECHNICIAN}),
        "show_register": _DESK | {Role.AUDITOR, Role.DATA_CENTRE},
        "show_register_json": _DESK | {Role.AUDITOR, Role.DATA_CENTRE},
        "show_register_csv": _DESK | {Role.AUDITOR, Role.DATA_CENTRE},
        "report_clocks": _DESK | {Role.AUDITOR},
        "list_audit": frozenset({Role.SUPERVISOR, Role.AUDITOR}),
        "list_users": _SUPERVISOR,
        "add_user": _SUPERVISOR,
        "change_user": _SUPERVISOR,
    },
)
PUBLIC: Final = frozenset(
    {"open_session", "health", "ready", "metrics", "openapi", "docs"},
)


def may(role: Role, call: str) -> bool:
    """Say whether this role may make this call; an unknown call is nobody's."""
    return role in MAY.get(call, frozenset())
