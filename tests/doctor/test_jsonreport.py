"""
Tests for L{rtmptw.doctor.jsonreport}: what programs read.
"""

from __future__ import annotations

import json
import re
from typing import Any

from rtmptw.causes.causes import CAUSES
from rtmptw.dialects.finding import STEPS, Progress
from rtmptw.doctor import jsonreport
from rtmptw.doctor.examination import Answer, Report, examine
from rtmptw.doctor.jsonreport import reportToJSON
from rtmptw.show.secrets import Secrets
from rtmptw.testing import DIALECTS, PROBES
from tests.brokenservers.bends import BENDS
from tests.doctor.network import Network, NetworkTestCase

_FINDING = set(re.findall(r'"(\w+)"', (jsonreport.__doc__ or "").partition("A finding is")[2].partition("}")[0]))


class JSONTests(NetworkTestCase):
    def report(self, server: str) -> Report:
        network = self.network(server)
        clients = [DIALECTS[name] for name in ("ffmpeg-publish", "srs-publish", "librtmp-play")]
        return network.run(examine(network.target(), clients, [PROBES["busy"]]))

    def test_keys(self) -> None:
        """Those that are documented, for every server; and all of it can be written."""
        for name in BENDS:
            shown = reportToJSON(self.report(name), "rtmp://host/live", Secrets(["live"]))
            self.assertEqual(json.loads(json.dumps(shown, allow_nan=False)), shown)
            for key in shown:
                self.assertIn(f"\n    {key} ", jsonreport.__doc__ or "")
            for each in shown["clients"]:
                self.assertEqual(set(each), {"name", "program", "steps", "findings", "refusal"})
                self.assertEqual(list(each["steps"]), [step.value for step in STEPS])
            for each in shown["probes"]:
                self.assertEqual(set(each), {"name", "question", "findings", "untestable"})
            for part in (*shown["clients"], *shown["probes"]):
                for found in part["findings"]:
                    self.assertEqual(set(found), _FINDING)
                    self.assertIn(found["cause"], CAUSES)
            self.assertNotIn("sesame", json.dumps(shown), name)

    def test_values(self) -> None:
        network = self.network("connect-transaction-id")
        report = network.run(examine(network.target(), [DIALECTS["ffmpeg-publish"]], []))
        shown = reportToJSON(report, "rtmp://host/live")
        self.assertEqual((shown["server"], shown["healthy"], shown["untested"]), ("rtmp://host/live", False, []))
        [client] = shown["clients"]
        self.assertEqual((client["name"], client["program"]), ("ffmpeg-publish", "FFmpeg"))
        self.assertEqual(client["steps"]["connect"], "STOPS")
        [found] = client["findings"]
        cause = CAUSES["connect-transaction-id"]
        rows: dict[str, Any] = {
            "cause": cause.name,
            "title": cause.title,
            "severity": "stops",
            "step": "connect",
            "client": "FFmpeg",
            "words": "connect was sent with transaction ID 1, and the _result that came has 0",
            "offset": 3136,
            "needs": dict(cause.clients),
            "mend": cause.mend,
            "source": cause.source,
        }
        for key, value in rows.items():
            self.assertEqual(found[key], value)
        self.assertEqual((found["sent"]["name"], found["sent"]["transactionId"]), ("connect", 1))
        self.assertEqual([each["name"] for each in found["came"]], ["_result"])

    def test_about(self) -> None:
        """Sentences pass through what hides; a server of which not all is known is not said to be healthy."""
        report = Report([Progress("somebody", "a program", refusal="a key")], [Answer(PROBES["tail"], [], "a key")])
        shown = reportToJSON(report, "", None, lambda words: words.replace("key", "door"))
        self.assertFalse(shown["healthy"])
        self.assertTrue(reportToJSON(Report(), "")["healthy"])
        self.assertEqual(shown["clients"][0]["refusal"], "a door")
        self.assertEqual(shown["probes"][0]["untestable"], "a door")
        self.assertEqual(shown["untested"], ["somebody: a door", "tail: a door"])

    def test_nothingSent(self) -> None:
        network = Network("tail-dropped")
        report = network.run(examine(network.target(), [], [PROBES["tail"]]))
        self.assertEqual(reportToJSON(report, "")["probes"][0]["findings"], [])
        network = Network("unasked-acks")
        report = network.run(examine(network.target(), [], [PROBES["tail"]]))
        [found] = reportToJSON(report, "")["probes"][0]["findings"]
        self.assertIsNone(found["sent"])
        self.assertIsNone(found["offset"])
