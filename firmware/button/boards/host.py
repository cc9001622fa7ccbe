"""The button on a computer: pressed by lines on a pipe, its light printed as lines.

micropython -m firmware.button.boards.host --credentials FILE --flash DIR
    [--gnss PATH] [--control FIFO|-]

Control lines: press, hold, multi N, silent, cancel, drill, down, up, quit. The path given
to --gnss is a file, or a terminal that its opener has put into raw mode.
"""

import asyncio
import gc
import sys

from firmware.button import events, message
from firmware.button.app import App
from firmware.button.boards.board import Board
from firmware.button.boards.host_input import ByteInput
from firmware.button.compat import MICROPYTHON
from firmware.button.credentials import Credentials, load
from firmware.button.errors import ButtonError
from firmware.button.storage import Storage
from firmware.button.values import Value

USAGE = "usage: --credentials FILE --flash DIR [--gnss PATH] [--control FIFO|-]"

_LONGEST_LINE = 64
_MOST_PRESSES = 99
_PLAIN = {
    "press": (events.Gesture, (message.PRESS, 1)),
    "hold": (events.Gesture, (message.HOLD, 1)),
    "silent": (events.Gesture, (message.SILENT, 1)),
    "cancel": (events.CancelRequested, ()),
    "drill": (events.DrillRequested, ()),
    "down": (events.Down, ()),
    "up": (events.Up, ()),
}


class UsageError(ButtonError):
    """The command line is wrong; the message is what to write instead."""


class HostBoard(Board):
    """Lights and logs as lines on standard output."""

    def __init__(self) -> None:
        self.rebooting = False
        self.on_reboot: App | None = None

    def light(self, rung: str, boot: "int | None", seq: "int | None") -> None:
        """Print `light RUNG [BOOT,SEQ]`."""
        _say(f"light {rung}" if boot is None else f"light {rung} {boot},{seq}")

    def sound(self, rung: str) -> None:
        """Print what would be heard."""
        self.log(f"sound {rung}")

    def hush(self) -> None:
        """Print what would be heard."""
        self.log("sound off")

    def identify(self) -> None:
        """Print what would be seen."""
        self.log("identify")

    def self_test(self) -> "str | None":
        """Return None: a computer has nothing of a button to test."""
        return None

    def health(self) -> "dict[int, object]":
        """Return power (mains) and free heap."""
        health: dict[int, object] = {2: 1}
        if MICROPYTHON:
            health[9] = gc.mem_free()  # type: ignore[attr-defined]  # MicroPython's
        return health

    def log(self, text: str) -> None:
        """Print `log TEXT`."""
        _say("log " + text)

    def reboot(self) -> None:
        """End this run; `main` starts another."""
        self.rebooting = True
        if self.on_reboot is not None:
            self.on_reboot.stop()


class Options:
    """The command line."""

    def __init__(self, arguments: "list[str]") -> None:
        """Parse it. Raises `UsageError`."""
        values: dict[str, str] = {}
        names = ("--credentials", "--flash", "--gnss", "--control")
        for index in range(0, len(arguments), 2):
            name = arguments[index]
            if name not in names or index + 1 == len(arguments):
                raise UsageError(USAGE)
            values[name] = arguments[index + 1]
        if "--credentials" not in values or "--flash" not in values:
            raise UsageError(USAGE)
        self.credentials = values["--credentials"]
        self.flash = values["--flash"]
        self.gnss = values.get("--gnss")
        self.control = values.get("--control")


def event_of(line: str) -> "Value | None":
    """Return what a control line asks for, or None if it is no such line."""
    words = line.split()
    if len(words) == 1 and words[0] in _PLAIN:
        kind, arguments = _PLAIN[words[0]]
        return kind(*arguments)
    if len(words) == 2 and words[0] == "multi" and words[1].isdigit():
        presses = int(words[1])
        if 2 <= presses <= _MOST_PRESSES:
            return events.Gesture(message.MULTI_PRESS, presses)
    return None


async def run(credentials: Credentials, storage: Storage, options: Options) -> bool:
    """Be a button until `quit`; return whether it is to start again."""
    board = HostBoard()
    app = App(credentials, storage, board)
    board.on_reboot = app
    if not MICROPYTHON:
        # MicroPython's unix port knows no signals: a kill is a power cut there.
        for signal in (2, 15):
            asyncio.get_event_loop().add_signal_handler(signal, app.stop)
    tasks = []
    if options.gnss is not None:
        tasks.append(asyncio.create_task(_listen(app, board, options.gnss)))
    if options.control is not None:
        tasks.append(asyncio.create_task(_obey(app, board, options.control)))
    try:
        await app.run()
    finally:
        for task in tasks:
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                pass
    return board.rebooting


async def _listen(app: App, board: HostBoard, path: str) -> None:
    try:
        source = ByteInput(path)
        data = await source.read()
        while data:
            app.feed_gnss(data)
            data = await source.read()
    except OSError as error:
        board.log(f"gnss {path}: {error}")
    else:
        board.log("gnss ended")


async def _obey(app: App, board: HostBoard, path: str) -> None:
    line = bytearray()
    try:
        source = ByteInput(path)
        data = await source.read()
        while data:
            for byte in data:
                if byte != 10:
                    line.append(byte)
                elif _command(app, board, line):
                    app.stop()
                    return
                else:
                    line = bytearray()
                if len(line) > _LONGEST_LINE:
                    line = bytearray()
            data = await source.read()
    except OSError as error:
        board.log(f"control {path}: {error}")
    else:
        board.log("control ended")


def _command(app: App, board: HostBoard, line: bytearray) -> bool:
    try:
        text = str(bytes(line), "utf-8").strip()
    except UnicodeError:
        text = "?"
    if text == "quit":
        return True
    event = event_of(text)
    if event is not None:
        app.dispatch(event)
    elif text:
        board.log(f"unknown control line {text}")
    return False


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    if not MICROPYTHON:
        sys.stdout.flush()


def main(arguments: "list[str]", make_storage: "type[Storage]" = Storage) -> int:
    """Run a button; return the exit code: 0 done, 1 failed, 2 wrong usage.

    A test hands in a storage that pulls the plug.
    """
    try:
        options = Options(arguments)
        credentials = load(options.credentials)
        # A reboot is a new run over the same flash.
        while asyncio.run(run(credentials, make_storage(options.flash), options)):
            gc.collect()
    except UsageError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except (ButtonError, OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
