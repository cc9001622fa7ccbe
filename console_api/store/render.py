"""How a case looks from outside."""

from datetime import datetime
from typing import TypedDict

from console_api.clocks import ClockView, clocks
from console_api.cycle.model import (
    Area,
    Case,
    Category,
    DataCentre,
    DeviceInfo,
    DismissReason,
    Escalation,
    FirstPerson,
    Marks,
    Position,
    ProbableDuplicate,
    State,
    Trigger,
)
from console_api.rules import Rules
from console_api.store.views import CaseDetail, CaseView, EventView, PhotoView, RegisterRow


class _Members(TypedDict):
    id: str
    state: State
    version: int
    drill: bool
    silent: bool
    category: Category
    categories: tuple[Category, ...]
    trigger: Trigger
    device: DeviceInfo
    area: Area | None
    address: str | None
    position: Position | None
    late: bool
    cancelled: bool
    presses: int
    marks: Marks
    clocks: tuple[ClockView, ...]
    operator: str | None
    unit: str | None
    register_number: str | None
    data_centre: DataCentre
    escalations: tuple[Escalation, ...]
    probable_duplicates: tuple[ProbableDuplicate, ...]
    awaiting_second: FirstPerson | None
    merged_into: str | None
    merged_from: tuple[str, ...]
    dismiss_reason: DismissReason | None


def case_view(case: Case, now: datetime, rules: Rules) -> CaseView:
    """Show a case as lists and the stream do."""
    return CaseView(**_members(case, now, rules))


def case_detail(
    case: Case,
    now: datetime,
    rules: Rules,
    *,
    events: tuple[EventView, ...],
    track: tuple[Position, ...],
    photos: tuple[PhotoView, ...],
) -> CaseDetail:
    """Show a case with all that happened to it."""
    return CaseDetail(**_members(case, now, rules), events=events, track=track, photos=photos)


def register_row(case: Case, number: str, now: datetime, rules: Rules) -> RegisterRow:
    """Show a case as a row of the register (docs/dispatch-cycle.md)."""
    report = case.report
    remarks = [report.remarks if report else None, case.remarks]
    return RegisterRow(
        register_number=number,
        case=case.id,
        version=case.version,
        state=case.state,
        drill=case.drill,
        silent=case.silent,
        marks=case.marks,
        clocks=clocks(case, now, rules),
        device=case.device.id,
        device_label=case.device.label,
        category=case.category,
        area=case.area,
        address=case.address,
        position=case.position,
        operator=case.operator,
        unit=case.unit,
        actions_taken=report.actions_taken if report else None,
        outcome=report.outcome if report else None,
        casualties=report.casualties if report else None,
        dismiss_reason=case.dismiss_reason,
        merged_from=case.merged_from,
        photos=case.photos,
        remarks="\n".join(remark for remark in remarks if remark) or None,
    )


def _members(case: Case, now: datetime, rules: Rules) -> _Members:
    return _Members(
        id=case.id,
        state=case.state,
        version=case.version,
        drill=case.drill,
        silent=case.silent,
        category=case.category,
        categories=case.categories,
        trigger=case.trigger,
        device=case.device,
        area=case.area,
        address=case.address,
        position=case.position,
        late=case.late,
        cancelled=case.cancelled,
        presses=case.presses,
        marks=case.marks,
        clocks=clocks(case, now, rules),
        operator=case.operator,
        unit=case.unit,
        register_number=case.register_number,
        data_centre=case.data_centre,
        escalations=case.escalations,
        probable_duplicates=case.probable_duplicates,
        awaiting_second=case.first_person,
        merged_into=case.merged_into,
        merged_from=case.merged_from,
        dismiss_reason=case.dismiss_reason,
    )
