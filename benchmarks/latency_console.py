"""A console that only notes when each alarm came: prints `PORT`, then `ID SECONDS` a line.

Seconds are of the clock that all processes of a machine share (CLOCK_MONOTONIC).
"""

import asyncio
import sys
import time

import msgspec


class _Event(msgspec.Struct):
    id: str
    type: str


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
        except asyncio.IncompleteReadError:
            return
        if head.startswith(b"get"):
            # No notices, and none for as long as the gateway likes to wait.
            await asyncio.sleep(20)
            _answer(writer, {"notices": [], "cursor": None})
            continue
        size = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
        events = msgspec.json.decode(await reader.readexactly(size), type=list[_Event])
        now = time.monotonic()
        for event in events:
            if event.type == "id.siaga.button.alarm.v1":
                print(event.id, now, flush=True)
        _answer(writer, {"results": [{"id": one.id, "status": "created"} for one in events]})


def _answer(writer: asyncio.StreamWriter, content: object) -> None:
    body = msgspec.json.encode(content)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


async def main() -> None:
    server = await asyncio.start_server(_serve, "127.0.0.1", 0, limit=2**21)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)


if __name__ == "__main__":
    asyncio.run(main())
