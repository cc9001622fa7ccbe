"""The button on a computer: pressed by lines on a pipe, its light printed as lines.

micropython -m firmware.button.boards.host --credentials FILE --flash DIR
    [--gnss PATH] [--control FIFO|-]

Control lines: press, hold, multi N, silent, cancel, drill, down, up, quit. The path given
to --gnss is a file, a FIFO or a terminal, whose speed is as it was set.
"""

import asyncio
import gc
import sys

from firmware.button import events, message
from firmware.button.app import App
from firmware.button.boards.host_input import ByteInput
from firmware.button.compat import MICROPYTHON
from firmware.button.credentials import Credentials, load
from firmware.button.errors import ButtonError
from firmware.button.storage import Storage
from firmware.button.values import Value

USAGE = "usage: --credentials FILE --flash DIR [--gnss PATH] [--control FIFO|-]"

_OPTIONS = ("--credentials", "--flash", "--gnss", "--control")
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


class HostBoard:
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
            health[9] = gc.mem_free()  # type: ignore[attr-defined, unused-ignore]  # MicroPython's
        return health

    def log(self, text: str) -> None:
        """Print `log TEXT`."""
        _say("log " + text)

    def reboot(self) -> None:
        """End this run; `main` starts another."""
        self.rebooting = True
        if self.on_reboot is not None:
            self.on_reboot.stop()


def options_of(arguments: "list[str]") -> "dict[str, str] | None":
    """Return the command line's values by their names, or None: it is wrong."""
    options: dict[str, str] = {}
    for index in range(0, len(arguments), 2):
        name = arguments[index]
        if name not in _OPTIONS or index + 1 == len(arguments):
            return None
        options[name] = arguments[index + 1]
    return options if "--credentials" in options and "--flash" in options else None


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


async def run(
    credentials: Credentials, storage: Storage, gnss: "str | None", control: "str | None"
) -> bool:
    """Be a button until `quit`; return whether it is to start again."""
    board = HostBoard()
    app = App(credentials, storage, board)
    board.on_reboot = app
    if not MICROPYTHON:
        # MicroPython's unix port knows no signals: a kill is a power cut there.
        for signal in (2, 15):
            asyncio.get_event_loop().add_signal_handler(signal, app.stop)
    tasks = []
    if gnss is not None:
        tasks.append(asyncio.create_task(_listen(app, board, gnss)))
    if control is not None:
        tasks.append(asyncio.create_task(_obey(app, board, control)))
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
        source = ByteInput(path, raw=True)
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
    options = options_of(arguments)
    if options is None:
        sys.stderr.write(USAGE + "\n")
        return 2
    try:
        credentials = load(options["--credentials"])
        gnss, control = options.get("--gnss"), options.get("--control")
        # A reboot is a new run over the same flash.
        while asyncio.run(run(credentials, make_storage(options["--flash"]), gnss, control)):
            gc.collect()
    except (ButtonError, OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
