# -*- test-case-name: tests.interop.test_slowhandshakes -*-
"""
A siege: thousands of attackers who begin a handshake and never end it, and what honest publishers notice of them::

    python -m tests.attackers.siege A2 --connections 10000 --addresses 250
    python -m tests.attackers.siege A7 --connections 2000 --addresses 250

When it is over, the attackers do not go: they are stopped (SIGSTOP), so that their side of every connection stays as it
is, and nothing comes. After 12 s all places that they had must be free: a hundred publishers from the attackers' own
addresses find one each, and the server has as many descriptors as before.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

from tests.interop.processes import Process
from tests.interop.server import LOOPBACK, ROOT, Server
from tests.tls.authority import Authority

__all__ = ["Siege", "Stood", "besiege"]

#: How many attackers come in a second: what 250 addresses with 20 each may, and then some.
RATE = 2000.0

#: How long after the last byte every place has to be free, s: the deadline of a handshake is 10 s.
FREE = 12.0

#: Where attackers come from, and honest publishers whom the server does not know.
ATTACKERS, STRANGERS, TRUSTED = "127.0.1.0/24", "127.0.2.0/24", "127.0.0.1"

_LOOK = 0.1
_PATIENCE = 120.0


@dataclass(frozen=True)
class Siege:
    """
    @ivar row: C{A2} or C{A7}.
    @ivar connections: how many attackers there are at a time, if the server lets them.
    @ivar addresses: from how many addresses they come.
    @ivar honest: how many publishers try, each time.
    @ivar atOnce: how many of these at a time.
    @ivar nice: how nice the attackers are.
    @ivar options: more of C{twistd rtmp}.
    """

    row: str = "A2"
    connections: int = 10_000
    addresses: int = 250
    honest: int = 100
    atOnce: int = 10
    nice: int = 0
    options: tuple[str, ...] = ()


@dataclass
class Stood:
    """
    What came of it.

    @ivar residentBefore: the server's VmRSS, bytes.
    @ivar residentMost: the most of it during the siege.
    @ivar descriptorsBefore: how many the server has open.
    @ivar descriptorsMost: the most of it during the siege.
    @ivar descriptorsAfter: that, L{FREE} seconds after the attackers' last byte.
    @ivar before: what honest publishers found before it.
    @ivar trusted: the same, of those from 127.0.0.1, during it.
    @ivar strangers: the same, of those from an address that has done nothing.
    @ivar after: the same, from the attackers' addresses, after it.
    @ivar attack: the attackers' account.
    """

    residentBefore: int = 0
    residentMost: int = 0
    descriptorsBefore: int = 0
    descriptorsMost: int = 0
    descriptorsAfter: int = 0
    before: dict[str, Any] = field(default_factory=dict)
    trusted: dict[str, Any] = field(default_factory=dict)
    strangers: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    attack: dict[str, Any] = field(default_factory=dict)


def _resident(pid: int) -> int:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) * 1024 if found else 0


def _descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


class _Watch(Thread):
    """Looks at the server all the time, to be used in a C{with}."""

    def __init__(self, pid: int, stood: Stood) -> None:
        super().__init__(daemon=True)
        self._pid, self._stood, self._isOver = pid, stood, Event()
        stood.residentBefore, stood.descriptorsBefore = _resident(pid), _descriptors(pid)

    def run(self) -> None:
        stood = self._stood
        while not self._isOver.wait(_LOOK):
            stood.residentMost = max(stood.residentMost, _resident(self._pid))
            stood.descriptorsMost = max(stood.descriptorsMost, _descriptors(self._pid))

    def __enter__(self) -> None:
        self.start()

    def __exit__(self, *_: object) -> None:
        self._isOver.set()
        self.join()


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}


def _honest(server: Server, siege: Siege, source: str, count: int | None = None) -> dict[str, Any]:
    """Let honest publishers try."""
    command = [sys.executable, "-m", "tests.attackers.honest", "--port", str(server.port), "--from", source]
    command += ["--count", str(count or siege.honest), "--at-once", str(siege.atOnce)]
    if siege.row == "A7":
        command += ["--ca", str(server.directory / "authority.pem")]
    with Process(command, server.directory / "honest.log", _environment()) as process:
        process.succeed(_PATIENCE)
        found: dict[str, Any] = json.loads(process.output.splitlines()[-1])
    return found


@contextmanager
def _attackers(server: Server, siege: Siege) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "tests.attackers", siege.row, "--port", str(server.port), "--seconds", "600"]
    command += ["--connections", str(siege.connections), "--rate", str(RATE), "--nice", str(siege.nice)]
    command += ["--from", ATTACKERS, "--addresses", str(siege.addresses)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=_environment())
    try:
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def _server(siege: Siege) -> Server:
    if siege.row != "A7":
        return Server(*siege.options, endpoint=f"{LOOPBACK}:backlog=4096")
    files = "privateKey=%/key.pem:certKey=%/certificate.pem"
    server = Server(*siege.options, endpoint=f"ssl:0:interface=127.0.0.1:{files}:backlog=4096")
    authority, now = Authority(), datetime.now(UTC).timestamp()
    day = timedelta(days=1).total_seconds()
    certificate = authority.certify("127.0.0.1", notBefore=now - day, notAfter=now + day)
    contents = {"key": certificate.keyPEM, "certificate": certificate.pem, "authority": authority.pem}
    for name, content in contents.items():
        (server.directory / f"{name}.pem").write_bytes(content)
    return server


def besiege(siege: Siege) -> Stood:
    """
    Do it.

    @raise AssertionError: if the server has logged a bug, or ends.
    """
    stood = Stood()
    with _server(siege) as server:
        # The tests' processes do not tell their IDs otherwise.
        pid = server._process._child.pid
        stood.before = _honest(server, siege, TRUSTED)
        with _Watch(pid, stood), _attackers(server, siege) as attackers:
            time.sleep(siege.connections / RATE + 3)
            stood.trusted = _honest(server, siege, TRUSTED)
            stood.strangers = _honest(server, siege, STRANGERS)
            attackers.send_signal(signal.SIGSTOP)
            time.sleep(FREE)
            stood.descriptorsAfter = _descriptors(pid)
            stood.after = _honest(server, siege, ATTACKERS)
            attackers.send_signal(signal.SIGCONT)
            attackers.terminate()
            output, _ = attackers.communicate(timeout=_PATIENCE)
            stood.attack = json.loads(output)
    return stood


def main() -> None:
    """The process."""
    parser = argparse.ArgumentParser(prog="python -m tests.attackers.siege")
    add = parser.add_argument
    add("row", choices=("A2", "A7"))
    add("--connections", type=int, default=Siege.connections)
    add("--addresses", type=int, default=Siege.addresses)
    add("--honest", type=int, default=Siege.honest)
    add("options", nargs="*", help="more of twistd rtmp; after --")
    chosen = parser.parse_args()
    siege = Siege(chosen.row, chosen.connections, chosen.addresses, chosen.honest, options=tuple(chosen.options))
    stood = besiege(siege)
    grown = stood.residentMost - stood.residentBefore
    print(json.dumps({**asdict(stood), "grownMB": round(grown / 1e6, 1)}, indent=1))


if __name__ == "__main__":
    main()
