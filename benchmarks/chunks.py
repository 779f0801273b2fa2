"""
How fast the chunk reader reads: MB/s of payload, beside a plain loop in the same run.

    python -m benchmarks.chunks

Each case is about 8 MB of well-formed chunks, given in one piece and in segments of 1448 bytes (a TCP segment on
Ethernet). The figure is the median of several runs, alternating between the two readers; look at the ratio, because
machines differ.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Callable, Iterable
from time import process_time

from benchmarks.reference import PlainChunkReader
from rtmptw.wire.chunkreader import ChunkReader
from rtmptw.wire.chunkwriter import ChunkWriter
from rtmptw.wire.message import Message, MessageType

__all__ = ["main"]

MESSAGE_SIZES = (372, 15_000, 120_000)
CHUNK_SIZES = (128, 4096, 65536)
SEGMENT = 1448
TOTAL = 8_000_000


def _stream(messageSize: int, chunkSize: int) -> tuple[bytes, int]:
    """C{TOTAL} bytes of video messages, and how many messages they are."""
    writer = ChunkWriter()
    announced = Message(MessageType.SET_CHUNK_SIZE, 0, 0, chunkSize.to_bytes(4, "big"), 2)
    payload = bytes(range(256)) * (messageSize // 256 + 1)
    count = TOTAL // messageSize
    chunks = [writer.write(announced)]
    for number in range(count):
        chunks.append(writer.write(Message(MessageType.VIDEO, number * 33, 1, payload[:messageSize], 6)))
    return b"".join(chunks), count


def _rate(newReader: Callable[[], Callable[[bytes], Iterable[Message]]], pieces: list[bytes], count: int) -> float:
    """
    MB of payload per second of CPU.

    @raise AssertionError: if a message is missing.
    """
    feed = newReader()
    messages = size = 0
    start = process_time()
    for piece in pieces:
        for message in feed(piece):
            messages += 1
            size += len(message.payload)
    spent = process_time() - start
    assert messages == count + 1, f"{messages} messages instead of {count + 1}"
    return size / 1e6 / spent


def main(arguments: list[str] | None = None) -> int:
    """
    Measure, and print a table.

    @return: the exit status.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chunks", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="runs of each case; the median counts (default 5)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args(arguments)
    rows = []
    for messageSize in MESSAGE_SIZES:
        for chunkSize in CHUNK_SIZES:
            data, count = _stream(messageSize, chunkSize)
            segments = [data[start : start + SEGMENT] for start in range(0, len(data), SEGMENT)]
            for how, pieces in (("one piece", [data]), ("segments", segments)):
                ours, plain = [], []
                for _ in range(options.runs):
                    ours.append(_rate(lambda: ChunkReader().feed, pieces, count))
                    plain.append(_rate(lambda: PlainChunkReader().feed, pieces, count))
                ratio = statistics.median(mine / other for mine, other in zip(ours, plain, strict=True))
                rows.append(
                    {
                        "message": messageSize,
                        "chunk": chunkSize,
                        "input": how,
                        "MB/s": round(statistics.median(ours)),
                        "loop MB/s": round(statistics.median(plain)),
                        "ratio": round(ratio, 2),
                    }
                )
    if options.json:
        json.dump(rows, sys.stdout, indent=1)
        print()
        return 0
    print(f"{'message':>8} {'chunk':>6}  {'input':<9} {'MB/s':>7} {'loop':>7} {'ratio':>6}")
    for row in rows:
        print("{message:>8} {chunk:>6}  {input:<9} {MB/s:>7} {loop MB/s:>7} {ratio:>6}".format(**row))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
