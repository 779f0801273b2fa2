"""
A flood of connections, as a program: so many a second, from so many addresses of the loopback (127.0.1.1 and on, none
of which a server trusts), which say nothing, or something, and stay open until it is ended, or L{most} others have
come::

    python -m tests.interop.flood PORT RATE ADDRESSES SECONDS WORDS
"""

from __future__ import annotations

import os
import resource
import socket
import sys
import time
from collections import deque
from contextlib import suppress
from pathlib import Path

from tests.interop.processes import Process, waitFor
from tests.interop.server import ROOT

__all__ = ["Flood", "address", "connectFrom"]

#: IP_BIND_ADDRESS_NO_PORT of Linux: the port is not chosen before the connect, so that each address has all of them.
_NO_PORT = 24


def address(number: int) -> str:
    """One of the addresses."""
    return f"127.0.{1 + number // 250}.{1 + number % 250}"


def connectFrom(number: int, port: int) -> socket.socket:
    """
    Begin to connect to a port of 127.0.0.1.

    @param number: from which L{address}.
    """
    connection = socket.socket()
    connection.setblocking(False)
    if sys.platform == "linux":
        connection.setsockopt(socket.IPPROTO_IP, _NO_PORT, 1)
    connection.bind((address(number), 0))
    connection.connect_ex(("127.0.0.1", port))
    return connection


class Flood(Process):
    """The program as a child, to be used in a C{with}; at its end all of its connections are closed."""

    def __init__(self, port: int, rate: int, addresses: int, seconds: float, log: Path, words: bytes = b"") -> None:
        """
        @param rate: how many connections are begun in a second.
        @param words: what each of them says.
        """
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
        numbers = map(str, (port, rate, addresses, seconds))
        super().__init__([sys.executable, "-m", "tests.interop.flood", *numbers, words.hex()], log, environment)

    def over(self) -> int:
        """
        Wait until no new ones are begun.

        @return: how many there were.
        """
        return int(waitFor("the end of the flood", lambda: [w for w in self.output.split() if w.isdigit()])[0])


def main() -> None:
    """Flood."""
    port, rate, addresses = map(int, sys.argv[1:4])
    seconds, words = float(sys.argv[4]), bytes.fromhex(sys.argv[5])
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 50
    held: deque[socket.socket] = deque()
    silent: deque[socket.socket] = deque()
    count, began = 0, time.monotonic()
    while (passed := time.monotonic() - began) < seconds:
        # Who has been kept waiting by the machine does not make up for all of it at once.
        for _ in range(min(int(passed * rate) - count, rate // 10)):
            connection = connectFrom(count % addresses, port)
            count += 1
            held.append(connection)
            if words:
                silent.append(connection)
            if len(held) > most:
                held.popleft().close()
        while silent:
            with suppress(BlockingIOError, OSError):
                silent[0].send(words)
            silent.popleft()
        time.sleep(0.002)
    print(count, flush=True)
    time.sleep(600)


if __name__ == "__main__":
    main()
