"""
FFmpeg as a server for one client: C{-listen 1}, as a receiver of what is published, and as a source of what is played.
"""

from __future__ import annotations

import socket
from pathlib import Path

from tests.interop.processes import Process, freePort, waitFor

__all__ = ["FFmpegListening", "freeURL", "listenAndPlay", "listenAndReceive"]

#: Where it listens, on 127.0.0.1.
_PATH = "live/listened"


def listenAndReceive(program: str, url: str, file: Path) -> list[str]:
    """FFmpeg, which waits for a publisher and writes what that publishes into a file. It makes tags of its own."""
    quiet = [program, "-nostdin", "-v", "warning", "-copyts"]
    return [*quiet, "-listen", "1", "-i", url, "-map", "0", "-c", "copy", "-f", "flv", str(file)]


def listenAndPlay(program: str, url: str, file: Path) -> list[str]:
    """FFmpeg, which waits for a player and sends a file to it, as fast as it goes."""
    quiet = [program, "-nostdin", "-v", "warning"]
    return [*quiet, "-i", str(file), "-map", "0", "-c", "copy", "-f", "flv", "-listen", "1", url]


class FFmpegListening(Process):
    """
    To be used in a C{with}; it listens when it is made.

    @ivar url: where.
    """

    def __init__(self, command: list[str], url: str, log: Path) -> None:
        """
        @param command: one of the above, with a L{freeURL}.
        """
        self.url = url
        super().__init__(command, log)
        port = int(url.split(":")[2].partition("/")[0])
        try:
            waitFor("FFmpeg to listen", lambda: self.status is not None or _isTaken(port))
        except BaseException:
            self.kill()
            raise
        if self.status is not None:
            raise AssertionError(f"FFmpeg does not listen: {self}")


def freeURL() -> str:
    """A URL with a port that was free a moment ago; FFmpeg does not say which one it would choose."""
    return f"rtmp://127.0.0.1:{freePort()}/{_PATH}"


def _isTaken(port: int) -> bool:
    """
    Whether somebody listens there. FFmpeg takes the first connection and no other, so it must not be tried; but a port
    where somebody listens, and only such a one, can't be bound by somebody who shares.
    """
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind(("127.0.0.1", port))
        except OSError:
            return True
        return False
