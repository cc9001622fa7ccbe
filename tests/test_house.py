"""The import rules of the house (docs/architecture.md)."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("console_api", "firmware", "gateway", "siaga", "simulators")
MAY_KNOW = {
    "firmware/button": {"firmware.button"},
    "firmware/bench": {"firmware.bench", "firmware.button"},
    "gateway": {"gateway"},
    "console_api": {"console_api"},
    "simulators": {"simulators", "firmware.button"},
    "siaga": set(ROOMS),
}
BOARD_MODULES = {
    "array",
    "asyncio",
    "binascii",
    "errno",
    "gc",
    "hashlib",
    "io",
    "json",
    "machine",
    "micropython",
    "network",
    "os",
    "random",
    "select",
    "socket",
    "ssl",
    "struct",
    "sys",
    "termios",
    "time",
    "tls",
}
# For type checkers alone. A board that loaded one would fail: it has no typing module.
INTERFACES = {"firmware/button/interfaces.py", "firmware/button/boards/board.py"}


def _imports(path: Path) -> Iterator[str]:
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*base, node.module) if node.module else base)
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def _knows(name: str, allowed: set[str]) -> bool:
    return any(name == room or name.startswith(f"{room}.") for room in allowed)


@pytest.mark.parametrize("room", MAY_KNOW)
def test_a_room_imports_only_the_rooms_it_may_know(room: str) -> None:
    strangers = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in (ROOT / room).rglob("*.py")
        for name in _imports(path)
        if name.split(".")[0] in ROOMS and not _knows(name, MAY_KNOW[room])
    }
    assert strangers == set()


def test_the_button_imports_nothing_but_itself_and_what_the_board_has() -> None:
    strangers = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in (ROOT / "firmware/button").rglob("*.py")
        for name in _imports(path)
        if name.split(".")[0] not in BOARD_MODULES and not _knows(name, {"firmware.button"})
        if name.split(".")[0] != "typing" or str(path.relative_to(ROOT)) not in INTERFACES
    }
    assert strangers == set()


def test_the_board_modules_named_here_are_no_packages_from_an_index() -> None:
    micropython_only = {"machine", "micropython", "network", "tls"}
    assert BOARD_MODULES - micropython_only <= sys.stdlib_module_names
