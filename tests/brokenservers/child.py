"""
All broken servers that a test wants, in a process of their own.
"""

from __future__ import annotations

import json
import os
import re
import socket
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.interop.processes import Process, waitFor
from tests.interop.server import ROOT

__all__ = ["PATH", "BrokenServers"]

#: What is published and played, if nothing else is said.
PATH = "live/test"


class BrokenServers(Process):
    """
    C{python -m tests.brokenservers} as a child, to be used in a C{with}; all of them listen when it is made::

        with BrokenServers(["plain", "onstatus-ecma"], directory / "servers.log") as servers:
            publish(servers.url("onstatus-ecma"))
            servers.state()["onstatus-ecma"]["connections"][0]["heard"]
    """

    def __init__(self, names: Iterable[str], log: Path) -> None:
        """
        @param names: of L{tests.brokenservers.bends.BENDS}, or C{plain}; for several of one kind, with a label behind
            C{@}.
        """
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
        super().__init__([sys.executable, "-m", "tests.brokenservers", *names], log, environment)
        try:
            waitFor("the servers to listen", lambda: re.search(r"^state \d+\n", self.output, re.MULTILINE))
        except BaseException:
            self.kill()
            raise
        self._ports = dict(re.findall(r"^(\S+) (?:rtmp://127.0.0.1:)?(\d+)$", self.output, re.MULTILINE))

    def url(self, name: str, path: str = PATH) -> str:
        """Where one of them is."""
        return f"rtmp://127.0.0.1:{self._ports[name]}/{path}"

    def state(self) -> dict[str, Any]:
        """What has happened in all of them so far: by name, L{tests.brokenservers.__main__.describe}."""
        with socket.create_connection(("127.0.0.1", int(self._ports["state"]))) as connection:
            state: dict[str, Any] = json.load(connection.makefile())
        return state

    def __exit__(self, *reason: Any) -> None:
        super().__exit__(*reason)
        if "Traceback" in self.output or "Unhandled" in self.output:
            raise AssertionError(f"the servers have logged a bug: {self}")
