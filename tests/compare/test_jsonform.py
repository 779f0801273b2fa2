# -*- test-case-name: tests.compare.test_jsonform -*-
"""
Tests for L{rtmptw.compare.jsonform}.
"""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.compare.comparison import compareConversations
from rtmptw.compare.jsonform import toJSON
from rtmptw.wire.amf import AMFValue
from tests.compare.bending import capture, change, command, conversation, isCommand, rewrite, told
from tests.compare.test_comparison import CONNECTED, PROPERTIES


class ToJSONTests(SynchronousTestCase):
    def test_nothing(self) -> None:
        entries = told("ffmpeg5-publish")
        found = json.loads(json.dumps(toJSON(compareConversations(entries, entries, ("one", "two")))))
        self.assertEqual(found["labels"], ["one", "two"])
        client = {"name": "FFmpeg", "version": "Lavf59.27.100", "role": "publishes"}
        self.assertEqual(found["clients"], [client, client])
        self.assertEqual((found["sameClient"], found["first"], found["differences"]), (True, None, []))
        self.assertEqual((found["folded"], found["notes"]), ({}, []))
        video = next(each for each in found["totals"] if each["what"] == "video")
        self.assertEqual((video["side"], video["a"]["count"], video["a"]), ("client", 62, video["b"]))

    def test_difference(self) -> None:
        client, server = capture("ffmpeg5-publish")
        server = rewrite(server)
        properties: AMFValue = {"fmsVer": "x"}
        bent = rewrite(
            server,
            lambda m: (
                [change(m, "_result", 2.0, properties, CONNECTED), command("onBWDone", 0.0, None)]
                if isCommand(m, "_result", "Connect")
                else [m]
            ),
        )
        found = json.loads(
            json.dumps(toJSON(compareConversations(conversation(client, server), conversation(client, bent))))
        )
        self.assertEqual(found["first"], 0)
        first, second = found["differences"]
        self.assertEqual(
            {key: first[key] for key in ("how", "side", "what", "weight", "why", "source", "offsets")},
            {
                "how": "other",
                "side": "server",
                "what": "the answer to connect",
                "weight": "stops",
                "why": None,
                "source": None,
                "offsets": [3114, 3114],
            },
        )
        place = 3136
        self.assertEqual(
            first["fields"],
            [
                {
                    "name": "_result.transactionId",
                    "weight": "matters",
                    "a": {"text": "1", "type": "number", "meaning": "connect's", "offset": place},
                    "b": {"text": "2", "type": "number", "meaning": "releaseStream's", "offset": place},
                },
                {
                    "name": "_result[0].capabilities",
                    "weight": "little",
                    "a": {"text": "31", "type": "number", "meaning": "", "offset": 3184},
                    "b": None,
                },
            ],
        )
        (violation,) = first["violations"]
        self.assertEqual(
            (violation["in"], violation["cause"], violation["severity"], violation["offset"]),
            ("B", "connect-transaction-id", "stops", place),
        )
        for key in ("words", "title", "mend", "source", "clients", "affected"):
            self.assertTrue(violation[key], key)
        self.assertEqual((second["how"], second["what"], second["offsets"][0]), ("extra", "onBWDone", None))
        self.assertEqual(second["source"], "wire facts 3.4")
        self.assertTrue(second["why"])
        self.assertEqual(found["folded"]["servers' versions"], 1)

    def test_secrets(self) -> None:
        """Masked, unless they are asked for."""
        client, server = capture("ffmpeg5-publish")
        client = rewrite(
            client, lambda m: [change(m, "publish", 5.0, None, "SecretKey1")] if isCommand(m, "publish") else [m]
        )
        bent = rewrite(
            server,
            lambda m: [m, command("onSecret", 0.0, "SecretKey1")] if isCommand(m, "_result", "Connect") else [m],
        )
        properties: AMFValue = {**dict(PROPERTIES), "SecretKey1": "x"} if isinstance(PROPERTIES, dict) else None
        bent = rewrite(
            bent,
            lambda m: [change(m, "_result", 1.0, properties, CONNECTED)] if isCommand(m, "_result", "Connect") else [m],
        )
        comparison = compareConversations(conversation(client, server), conversation(client, bent), ("SecretKey1", "b"))
        self.assertNotIn("SecretKey1", json.dumps(toJSON(comparison)))
        self.assertIn("SecretKey1", json.dumps(toJSON(comparison, showSecrets=True)))
