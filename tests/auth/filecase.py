"""
What the tests of files have in common: a file that is written, and what is logged.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from twisted.internet.testing import EventLoggingObserver
from twisted.logger import formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

__all__ = ["FileCase"]


class FileCase(SynchronousTestCase):
    """
    @ivar path: the file; it is not there at first.
    @ivar log: what was logged since the test began.
    """

    def setUp(self) -> None:
        directory = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, directory)
        self.path = directory / "file"
        self.log = EventLoggingObserver.createWithCleanup(self, globalLogPublisher)

    def write(self, data: str | bytes, mode: int = 0o600) -> str:
        """Write the file; return its path."""
        self.path.write_bytes(data.encode() if isinstance(data, str) else data)
        self.path.chmod(mode)
        return str(self.path)

    def lines(self) -> list[str]:
        """What was logged since this was asked last."""
        lines = [formatEvent(event) for event in self.log]
        self.log._events.clear()
        return lines
