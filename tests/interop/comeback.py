"""
Many clients that come back at once, each from an address of its own and among them some publishers, and try again as
encoders and players do, half a second later, if they do not get in. It is run as C{python -m tests.interop.comeback
PORT PUBLISHERS PLAYERS RESULTS}. The results are JSON: how long each needed until it was told that it publishes or
plays, seconds.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from pathlib import Path

from rtmptw.wire.chunkreader import ChunkReader
from rtmptw.wire.chunkwriter import ChunkWriter
from rtmptw.wire.command import Command
from rtmptw.wire.handshake import ClientHandshake
from rtmptw.wire.message import MessageType
from tests.interop.flood import address

__all__: list[str] = []

#: What the server says when it is so far.
STARTS = (b"NetStream.Publish.Start", b"NetStream.Play.Start")

#: Seconds until another try.
AGAIN = 0.5

#: When it is given up, seconds.
PATIENCE = 30.0


async def attempt(port: int, number: int, action: str, name: str) -> asyncio.StreamWriter:
    """
    Connect, and publish or play.

    @raise OSError: the connection is lost, or closed.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address(number), 0))
    handshake, chunks, messages = ClientHandshake(), ChunkWriter(), ChunkReader()

    async def read() -> bytes:
        data = await reader.read(1 << 16)
        if not data:
            raise ConnectionError("closed")
        return data

    writer.write(handshake.start())
    rest: bytes | None = None
    while rest is None:
        reply, rest = handshake.feed(await read())
        writer.write(reply)
    for command in (
        Command("connect", 1.0, {"app": "live", "tcUrl": f"rtmp://127.0.0.1:{port}/live"}).encode(),
        Command("createStream", 2.0).encode(),
        Command(action, 3.0, None, (name, "live")).encode(streamId=1),
    ):
        writer.write(chunks.write(command))
    while True:
        for message in messages.feed(rest):
            if message.type == MessageType.COMMAND and any(start in message.payload for start in STARTS):
                return writer
        rest = await read()


async def comeBack(port: int, number: int, action: str, name: str) -> tuple[float, asyncio.StreamWriter]:
    """Try until it works."""
    began = time.monotonic()
    while True:
        try:
            writer = await asyncio.wait_for(attempt(port, number, action, name), PATIENCE)
            return time.monotonic() - began, writer
        except OSError:
            if time.monotonic() - began > PATIENCE:
                raise
            await asyncio.sleep(AGAIN)


async def main() -> None:
    """All at once, in any order."""
    port, publishers, players = map(int, sys.argv[1:4])
    who = [("publish", f"stream{number}") for number in range(publishers)]
    who += [("play", f"stream{number % publishers}") for number in range(players)]
    order = list(range(len(who)))
    random.shuffle(order)
    done = await asyncio.gather(*(comeBack(port, number, *who[number]) for number in order))
    times: dict[str, list[float]] = {"publish": [], "play": []}
    for number, (seconds, _) in zip(order, done, strict=True):
        times[who[number][0]].append(seconds)
    Path(sys.argv[4]).write_text(json.dumps({"publishers": times["publish"], "players": times["play"]}))
    for _, writer in done:
        writer.transport.abort()


if __name__ == "__main__":
    asyncio.run(main())
