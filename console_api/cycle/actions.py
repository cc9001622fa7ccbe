"""What people can do to a case: one frozen struct an action, as it comes in a request body."""

from typing import Annotated, TypeAlias

import msgspec

from console_api.cycle.model import Casualties, DismissReason
from console_api.errors import InvalidInputError, NotFoundError

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=4000)]
Note = Annotated[str, msgspec.Meta(max_length=4000)]
Identity = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class _Action(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="action"):
    """A body with no member that is not known: a typo must not lose what was meant."""

    @property
    def name(self) -> str:
        """The action's name in the URL and in the transition table."""
        return str(self.__struct_config__.tag)


class Open(_Action, frozen=True, tag="open"):
    """An operator takes the case and verifies it."""


class DispatchTo(_Action, frozen=True, tag="dispatch"):
    """Send a unit; the operator decides, whatever was proposed."""

    unit: Identity
    note: Note | None = None


class Accept(_Action, frozen=True, tag="accept"):
    """The officer confirms to be on the way."""


class Decline(_Action, frozen=True, tag="decline"):
    """The officer hands the dispatch back."""

    reason: Text


class Arrive(_Action, frozen=True, tag="arrive"):
    """The officer is there."""


class Clear(_Action, frozen=True, tag="clear"):
    """The work on site is done."""

    note: Note | None = None


class FileReport(_Action, frozen=True, tag="report"):
    """The officer's handling report."""

    actions_taken: Text
    outcome: Text
    casualties: Casualties = Casualties()
    remarks: Note | None = None


class Update(_Action, frozen=True, tag="update"):
    """The report is complete."""

    remarks: Note | None = None


class Register(_Action, frozen=True, tag="register"):
    """Enter the case into the register and send it to the data centre."""


class Close(_Action, frozen=True, tag="close"):
    """The work is finished; a silent alarm needs this from two people."""


class Dismiss(_Action, frozen=True, tag="dismiss"):
    """Nothing was to be handled; a silent alarm needs this from two people."""

    reason: DismissReason
    note: Note | None = None


class Merge(_Action, frozen=True, tag="merge"):
    """The same incident as the case `into`."""

    into: Identity


class Reopen(_Action, frozen=True, tag="reopen"):
    """Take an ended case up again."""

    reason: Text


class AddNote(_Action, frozen=True, tag="note"):
    """Something worth keeping; changes nothing."""

    text: Text


Action: TypeAlias = (
    Open
    | DispatchTo
    | Accept
    | Decline
    | Arrive
    | Clear
    | FileReport
    | Update
    | Register
    | Close
    | Dismiss
    | Merge
    | Reopen
    | AddNote
)

ACTIONS: dict[str, type[Action]] = {
    str(kind.__struct_config__.tag): kind
    for kind in (
        Open,
        DispatchTo,
        Accept,
        Decline,
        Arrive,
        Clear,
        FileReport,
        Update,
        Register,
        Close,
        Dismiss,
        Merge,
        Reopen,
        AddNote,
    )
}


def parse_action(name: str, body: bytes) -> Action:
    """Read the body of `POST /v1/cases/{id}/{name}`; an empty body is an empty object.

    Raises `NotFoundError` for an unknown action, `InvalidInputError` for a body that
    does not fit it.
    """
    kind = ACTIONS.get(name)
    if kind is None:
        raise NotFoundError("action", name)
    try:
        return msgspec.json.decode(body or b"{}", type=kind)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise InvalidInputError(f"body of {name}", str(error)) from error
