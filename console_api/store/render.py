"""How a case looks from outside."""

from datetime import datetime

import msgspec

from console_api.clocks import clocks
from console_api.cycle.model import (
    Case,
    Position,
)
from console_api.rules import Rules
from console_api.store.views import CaseDetail, CaseView, EventView, PhotoView, RegisterRow


def case_view(case: Case, now: datetime, rules: Rules) -> CaseView:
    """Show a case as lists and the stream do."""
    return CaseView(
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
    view = msgspec.structs.asdict(case_view(case, now, rules))
    return CaseDetail(**view, events=events, track=track, photos=photos)


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
