"""
Under attack: while attackers do what stands in a row of the table of hostile input, publishers and viewers lose
nothing, and only attackers are closed. C{python -m benchmarks attacked} does all rows, and measures.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from pathlib import Path
from unittest import TestCase

from benchmarks.bench import RAMP
from benchmarks.load.attack import SOURCES
from benchmarks.load.audience import Audience
from benchmarks.load.child import Child
from benchmarks.load.players import COUNT, PARSE, PlayersSettings
from benchmarks.load.publishers import PublishersSettings
from tests.interop.processes import Process, alone, siege
from tests.interop.server import ROOT, Server

#: How many there are, and what each stream is, bit/s.
PUBLISHERS, VIEWERS, CHECKING = 4, 20, 8
BITRATE = 1e6

#: How long each attack is, s.
SECONDS = 2.0

#: Handshakes, chunks, values, and the names of others.
ROWS = ("A3", "B5", "C1", "D4")

_CLOSED = re.compile(r"\] (\S+):\d+: closed: (.*)")


@siege
class BenchmarkTests(TestCase):
    def test_quick(self) -> None:
        """The case C{attacked} runs: somebody who does nothing, and somebody who attacks."""
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
        with tempfile.TemporaryDirectory(prefix="rtmptw-interop-") as directory:
            file, log = Path(directory, "results.json"), Path(directory, "output.log")
            command = [sys.executable, "-m", "benchmarks", "attacked", "--quick", "--json", str(file)]
            with alone("measuring"), Process(command, log, environment) as process:
                # It says whether it was quick enough, too: that is not of interest here.
                process.wait()
            results = json.loads(file.read_text())["measurements"]
        self.assertEqual([(one["point"], one["error"]) for one in results], [({"none": 0}, None), ({"B5": 8}, None)])
        for one in results:
            found = {key: one["values"][key] for key in ("lost", "reordered", "damaged", "missing")}
            self.assertEqual(found, dict.fromkeys(found, 0), one["values"]["reasons"])
            self.assertTrue(0 < one["values"]["p99"] < 5000, one["values"])
        self.assertGreater(results[1]["values"]["attackers"], 0)


@siege
class UnderAttackTests(TestCase):
    def attack(self, row: str, server: Server) -> dict[str, object]:
        """
        Let them attack.

        @return: their account.
        """
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
        where = ["--port", str(server.port), "--from", SOURCES, "--seconds", str(SECONDS)]
        command = [sys.executable, "-m", "tests.attackers", row, *where]
        with Process(command, server.directory / f"{row}.log", environment) as attackers:
            attackers.succeed()
            account: dict[str, object] = json.loads(attackers.output.splitlines()[-1])
            return account

    def test_othersNoticeNothing(self) -> None:
        """Nothing is lost, nobody goes, and all attackers have been there."""
        with alone("measuring"), Server() as server:
            publishersSettings = PublishersSettings(server.port, count=PUBLISHERS, bitrate=BITRATE)
            players = [PlayersSettings(server.port, does, streams=PUBLISHERS) for does in (COUNT, PARSE)]
            with (
                Child("benchmarks.load.publishers", publishersSettings) as publishers,
                Audience(*(Child("benchmarks.load.players", settings) for settings in players)) as audience,
            ):
                self.assertEqual(publishers.ask("start")["publishing"], PUBLISHERS)
                joined = audience.join(VIEWERS, CHECKING, RAMP)
                self.assertEqual((joined["joined"], joined["failed"]), (VIEWERS, 0), joined["reasons"])
                for load in (publishers, audience):
                    load.ask("begin")
                accounts = {row: self.attack(row, server) for row in ROWS}
                seen, sent = audience.ask("end"), publishers.ask("end")
                log = server.log
            for row, account in accounts.items():
                self.assertGreater(int(str(account["connections"])), 3, f"{row}: {account}")
            self.assertEqual((sent["closed"], seen["closed"]), (0, 0), seen["reasons"])
            found = {key: seen[key] for key in ("lost", "reordered", "duplicated", "damaged")}
            self.assertEqual(found, dict.fromkeys(found, 0))
            self.assertGreater(seen["messages"], 0)
            closed = _CLOSED.findall(log)
            network = SOURCES.rpartition(".")[0]
            self.assertEqual([each for each in closed if not each[0].startswith(f"{network}.")], [])
            self.assertGreater(len(closed), 10)
