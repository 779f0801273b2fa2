"""
Many players in one process, over TLS: each says what every player says, and reads to the end. It is run as
C{python -m tests.interop.lightplayers PORT PATH COUNT INTERVAL AUTHORITY RESULTS}: one player more in each interval
(seconds). The results are a list, as JSON: what each has got (see L{Got}).
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rtmptw.wire.chunkreader import ChunkReader
from rtmptw.wire.chunkwriter import ChunkWriter
from rtmptw.wire.command import Command
from rtmptw.wire.handshake import ClientHandshake
from tests.interop.compare import isFrame, mediaOf

__all__ = ["Got", "read"]


@dataclass
class Got:
    """
    How it went for a player.

    @ivar joined: when it had asked for the stream, seconds since 1970.
    @ivar first: the timestamp of its first picture or sound, ms.
    @ivar serial: the serial number of the server's certificate, in hexadecimal digits.
    @ivar frames: type and SHA-256 of every picture and sound.
    """

    joined: float
    first: int = -1
    serial: str = ""
    frames: list[tuple[int, str]] = field(default_factory=list)


def read(file: Path) -> list[Got]:
    """Read the results."""
    players = [Got(**each) for each in json.loads(file.read_text())]
    for player in players:
        player.frames = [(type, digest) for type, digest in player.frames]
    return players


async def play(port: int, path: str, context: ssl.SSLContext) -> Got:
    """Play a stream to its end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    handshake, chunks, messages = ClientHandshake(), ChunkWriter(), ChunkReader()
    writer.write(handshake.start())
    app, _, name = path.partition("/")
    rest: bytes | None = None
    while rest is None:
        reply, rest = handshake.feed(await reader.read(1 << 16))
        writer.write(reply)
    for command in (
        Command("connect", 1.0, {"app": app, "tcUrl": f"rtmps://127.0.0.1:{port}/{app}"}).encode(),
        Command("createStream", 2.0).encode(),
        Command("play", 3.0, None, (name,)).encode(streamId=1),
    ):
        writer.write(chunks.write(command))
    got = Got(time.time(), serial=writer.get_extra_info("peercert")["serialNumber"])
    frames = []
    while True:
        frames += [message for message in messages.feed(rest) if isFrame(message)]
        rest = await reader.read(1 << 16)
        if not rest:
            break
    got.first = frames[0].timestamp if frames else -1
    got.frames = [(type, digest) for type, _, digest in mediaOf(frames)]
    writer.close()
    return got


async def main() -> None:
    """Play, all together."""
    port, path, count, interval, authority, results = sys.argv[1:]
    context = ssl.create_default_context(cafile=authority)

    async def later(number: int) -> Got:
        await asyncio.sleep(number * float(interval))
        return await play(int(port), path, context)

    got = await asyncio.gather(*(later(number) for number in range(int(count))))
    Path(results).write_text(json.dumps([asdict(each) for each in got]))


if __name__ == "__main__":
    asyncio.run(main())
