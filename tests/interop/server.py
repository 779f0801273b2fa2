"""
The server under test: C{twistd rtmp} in a process of its own, on a port that the system chooses, recording into a
directory of its own.

    >>> with Server() as server:  # doctest: +SKIP
    ...     publish(server.url("live/test"))
    ...     recording = server.recording("live/test")
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.interop.processes import PATIENCE, Process, waitFor

__all__ = ["LOOPBACK", "ROOT", "TWISTD", "Server"]

LOOPBACK = "tcp:0:interface=127.0.0.1"

#: Where the packages are; C{trial} runs the tests in another directory.
ROOT = Path(__file__).parents[2]

#: C{twistd} of the Python that runs the tests, in the foreground.
TWISTD = ("-c", "from twisted.scripts.twistd import run; run()", "--nodaemon", "--pidfile=", "--umask=022")

#: Record, however little is free.
ANY_DISK = ("--limit", "disk-free-bytes=0", "--limit", "disk-free-percent=0")

#: What must not be in the log of a server, whatever its clients do.
_BUGS = re.compile(r"Traceback \(most recent call last\)|internal error|Unhandled")


class Server:
    """
    @ivar port: where it listens on 127.0.0.1.
    @ivar directory: a temporary directory, for whatever a test needs while the server runs.
    @ivar recordings: where its recordings go.
    """

    port: int

    def __init__(self, *options: str, endpoint: str = LOOPBACK, arguments: tuple[str, ...] = (*TWISTD, "rtmp")) -> None:
        """
        @param options: more options of C{twistd rtmp}.
        @param endpoint: where it listens; C{%} stands for L{directory}.
        @param arguments: what Python is started with; the options follow.
        """
        self._temporary = tempfile.TemporaryDirectory(prefix="rtmptw-interop-")
        self.directory = Path(self._temporary.name)
        self.recordings = self.directory / "recordings"
        self._options = options
        self._endpoint = endpoint
        self._arguments = arguments
        self._killed = False

    def __enter__(self) -> Self:
        self.recordings.mkdir()
        endpoint = self._endpoint.replace("%", str(self.directory))
        command = [sys.executable, *self._arguments, "--port", endpoint, "--record", str(self.recordings), *ANY_DISK]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
        self._process = Process([*command, *self._options], self.directory / "server.log", environment)
        try:
            self.port = int(self.waitForLog(r"RTMPServerFactory.* starting on (\d+)")[0])
        except BaseException:
            self._process.kill()
            self._temporary.cleanup()
            raise
        return self

    def __exit__(
        self, type: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self._process.terminate()
            if not self._killed and "Main loop terminated" not in self.log:
                raise AssertionError(f"the server does not end: {self._process}")
            # What went wrong in the server is the best explanation of what went wrong in the test.
            if _BUGS.search(self.log):
                raise AssertionError(f"the server has logged a bug:\n{self.log}")
        finally:
            self._temporary.cleanup()

    @property
    def log(self) -> str:
        """What it has logged."""
        return self._process.output

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def wait(self) -> int:
        """Wait until it ends by itself, and give its exit status."""
        self._killed = True
        return self._process.wait()

    def url(self, path: str, scheme: str = "rtmp") -> str:
        """The URL of a stream."""
        return f"{scheme}://127.0.0.1:{self.port}/{path}"

    def waitForLog(self, pattern: str, count: int = 1) -> list[str]:
        """
        Wait until a pattern is in the log so many times.

        @return: each match, or its group.
        """

        def matches() -> list[str]:
            found = re.findall(pattern, self.log)
            if len(found) < count and self._process.status is not None:
                raise AssertionError(f"the server has ended: {self._process}")
            return found if len(found) >= count else []

        try:
            return waitFor(f"{count} x {pattern!r} in the log", matches)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self._process}") from None

    def recording(self, path: str, patience: float = PATIENCE) -> Path:
        """The finished recording of a stream, the only one; waited for."""
        return self._only(path, ".flv", patience)

    def partial(self, path: str) -> Path:
        """The recording of a stream that is being published; waited for."""
        return self._only(path, ".flv.part", PATIENCE)

    def _only(self, path: str, ending: str, patience: float) -> Path:
        found = waitFor(
            f"the recording {path}*{ending}", lambda: [*self.recordings.glob(f"{path}-[0-9]*{ending}")], patience
        )
        if len(found) > 1:
            raise AssertionError(f"more than one recording of {path}: {found}")
        return found[0]

    def kill(self) -> None:
        """End it as a power failure would."""
        self._killed = True
        self._process.kill()
