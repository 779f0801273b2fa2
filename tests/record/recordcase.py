"""
A recorder that stands on a hub in memory and on a real directory, with a thread that works when it is told to.
"""

from __future__ import annotations

import struct
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from twisted.internet.defer import maybeDeferred

from rtmptw.limits import Limits, Reached
from rtmptw.live.livestream import Publication
from rtmptw.record.flvfile import Tag
from rtmptw.record.recorder import Recorder
from rtmptw.wire.message import Message, MessageType
from tests.live.doubles import LiveTestCase, inter, metadata, pictureHeader, soundHeader
from tests.record.disk import HandThread, makeDirectory, readTags

#: However full the disk is that the tests run on.
NO_LIMITS = Limits(diskFreeBytes=0, diskFreePercent=0)

#: What the tests of disks use in the place of the real marks, and the body of a large message.
SMALL_HIGH_WATER, SMALL_LOW_WATER = 64 * 1024, 48 * 1024
BODY = bytes(4096)
BEGINNING = [metadata(0, width=640.0), pictureHeader(0), soundHeader(0)]
DATA = int(MessageType.DATA)


class RecorderTestCase(LiveTestCase):
    """A recorder on a hub, a real directory, and whatever runs its work."""

    def setUp(self) -> None:
        """The thread works when it is told to."""
        super().setUp()
        self.root = makeDirectory(self)
        self.thread = HandThread()
        self.reached = Reached()
        self.options: dict[str, Any] = {"limits": NO_LIMITS, "reached": self.reached, "now": self.now}
        self.seconds = 0.0
        self.useThread()

    def now(self) -> datetime:
        """The time of day goes with the clock, unless somebody sets it."""
        return datetime.fromtimestamp(1_700_000_000 + self.seconds + self.clock.seconds(), UTC)

    def useThread(self, **options: Any) -> None:
        """Have another recorder."""
        self.options.update(options)
        self.recorder = Recorder(str(self.root), self.clock, self.thread.run, **self.options)
        self.hub.observers[:] = [self.recorder]

    def useNoThread(self, **options: Any) -> None:
        """Work is done at once."""
        self.options.update(options)
        self.recorder = Recorder(str(self.root), self.clock, maybeDeferred, **self.options)
        self.hub.observers[:] = [self.recorder]

    def limit(self, **limits: float) -> Limits:
        """Limits of which some are not as they are in all tests."""
        return replace(NO_LIMITS, **limits)  # type: ignore[arg-type]

    def files(self) -> list[Path]:
        """The files that there are, by name."""
        found = [path for path in self.root.rglob("*") if path.is_file()]
        # What has the same time has a number.
        return sorted(found, key=lambda path: (path.name.partition("Z")[0], len(path.name), path))

    def tags(self) -> list[Tag]:
        """What is in the only file, but for the metadata in front."""
        (path,) = self.files()
        return self.tagsOf(path)

    def tagsOf(self, path: Path) -> list[Tag]:
        """What is in a file, but for the metadata in front."""
        tags = [(tag.type, tag.timestamp, tag.payload) for tag in readTags(path)]
        self.assertEqual(tags[0][:2], (DATA, 0))
        return tags[1:]

    def duration(self) -> float:
        """The duration that the only file says it has, seconds."""
        (path,) = self.files()
        payload = readTags(path)[0].payload
        (duration,) = struct.unpack_from(">d", payload, payload.index(b"\0\x08duration\0") + 11)
        return float(duration)

    def fill(self, publication: Publication, size: int = SMALL_HIGH_WATER, start: int = 1) -> list[Message]:
        """Publish just more than so many bytes."""
        sent = [inter(start + index, BODY) for index in range(size // len(BODY) + 1)]
        self.send(publication, *sent)
        return sent

    def assertFinished(self, *endings: str) -> None:
        """Assert that nothing is in work any more."""
        self.assertEqual(self.recorder._recordings, {})
        self.assertEqual(self.thread.waiting, [])
        self.assertEqual([path.suffix for path in self.files()], list(endings))
