"""The picture and the tables of docs/dispatch-cycle.md, drawn from the data.

`python -m console_api.cycle.diagram` prints them; with a path it rewrites what stands
between the markers in that file.
"""

import sys
from pathlib import Path

from console_api.cycle.model import STAGES, State
from console_api.cycle.table import TABLE, Transition
from console_api.rules import RULES, Rules

BEGIN = "<!-- drawn by python -m console_api.cycle.diagram: begin -->"
END = "<!-- end -->"


def draw(rules: Rules = RULES) -> str:
    """Draw the state diagram (Mermaid) and the tables of actions, clocks and escalations."""
    return "\n\n".join((_diagram(), _actions(), _stages(), _clocks(rules), _escalations(rules)))


def rewrite(document: str, drawn: str) -> str:
    """Put what is drawn between the markers. Raises ValueError if they are not there."""
    before, found, rest = document.partition(BEGIN)
    _, closed, after = rest.partition(END)
    if not (found and closed):
        raise ValueError(f"the document has no lines {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{drawn}\n\n{END}{after}"


def _diagram() -> str:
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {State.RECEIVED}: press"]
    for source in State:
        lines += [
            f"    {source} --> {row.target}: {_label(row)}"
            for row in TABLE.values()
            if source in row.sources and row.target is not None
        ]
    return "\n".join((*lines, "```"))


def _label(row: Transition) -> str:
    return f"{row.action} (two people if silent)" if row.two_people else row.action


def _actions() -> str:
    return _table(
        ("action", "possible in", "leads to", "by"),
        [
            (
                row.action,
                "any state" if len(row.sources) == len(State) else _names(row.sources, State),
                row.target or "(stays)",
                ", ".join(sorted(row.roles)),
            )
            for row in TABLE.values()
        ],
    )


def _stages() -> str:
    return _table(
        ("state of the case", "what its buttons show"),
        [(state, stage) for state, stage in STAGES.items()],
    )


def _clocks(rules: Rules) -> str:
    return _table(
        ("clock", "from", "to", "standard", "stretch targets"),
        [
            (
                str(rule.clock),
                rule.start,
                rule.end,
                f"{rule.standard_s:g} s",
                "; ".join(
                    f"{target.start} to {target.end}: {target.share:.0%} in {target.target_s:g} s"
                    for target in rule.targets
                ),
            )
            for rule in rules.clocks
        ],
    )


def _escalations(rules: Rules) -> str:
    yellow = f"{rules.yellow_share:.0%} of its standard"
    return _table(
        ("rule", "state", "after", "asks for"),
        [
            *(
                (rule.name, rule.state, f"{rule.after_s:g} s", rule.level)
                for rule in rules.escalations
            ),
            ("each clock", "while it runs", yellow, "yellow"),
            ("each clock", "any", "its standard", "red, and an event `breached`"),
        ],
    )


def _names(states: frozenset[State], order: type[State]) -> str:
    return ", ".join(state for state in order if state in states)


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main(arguments: list[str]) -> int:
    """Print the drawing, or write it into the file that is named."""
    drawn = draw()
    if not arguments:
        sys.stdout.write(drawn + "\n")
        return 0
    path = Path(arguments[0])
    path.write_text(rewrite(path.read_text(encoding="utf-8"), drawn), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
