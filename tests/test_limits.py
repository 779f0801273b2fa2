# -*- test-case-name: tests.test_limits -*-
"""
Tests for L{rtmptw.limits}. What each limit does: L{tests.test_limits_reached}.
"""

from __future__ import annotations

from dataclasses import fields, replace
from math import inf, nan
from typing import Any

from twisted.internet.testing import EventLoggingObserver
from twisted.logger import LogLevel, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.errors import AMFLimitExceeded, LimitExceeded, RemoteProtocolError
from rtmptw.limits import NEWS_SECONDS, LimitNews, Limits, Reached, describeLimits, optionName
from rtmptw.wire.amf import COMMAND_LIMITS, DATA_LIMITS
from rtmptw.wire.limits import STRANGER_LIMITS, ReadLimits
from rtmptw.wire.message import MessageType


class LimitsTests(SynchronousTestCase):
    def test_described(self) -> None:
        """Every limit has a name for each place, a unit that its name agrees with, and words; in the same order."""
        described = list(describeLimits())
        self.assertEqual([limit.name for limit in described], [field.name for field in fields(Limits)])
        self.assertEqual(len({limit.option for limit in described}), len(described))
        for limit in described:
            self.assertRegex(limit.option, r"\A[a-z]+(-[a-z]+)*\Z")
            self.assertEqual(limit.option.replace("-", ""), limit.name.lower())
            self.assertEqual(limit.unit == "s", limit.name.endswith("Seconds"), limit.name)
            self.assertEqual(limit.unit == "bytes", limit.name.endswith("Bytes"), limit.name)
            self.assertTrue(limit.text)
            self.assertIs(type(limit.value), int if limit.isWhole else float, limit.name)
            self.assertTrue(limit.least <= limit.value <= limit.most, limit.name)

    def test_alone(self) -> None:
        """The words of each can be read without those of others."""
        for limit in describeLimits():
            self.assertNotIn("the same", limit.text)
        self.assertEqual(optionName("allTapeBytes"), "all-tape-bytes")

    def test_values(self) -> None:
        """Those that are set."""
        limits = Limits(streams=3, handshakeSeconds=2.5)
        changed = {limit.name: limit.value for limit in describeLimits(limits) if limit not in set(describeLimits())}
        self.assertEqual(changed, {"streams": 3, "handshakeSeconds": 2.5})

    def test_bounds(self) -> None:
        """The bounds may be set, nothing beyond them, and nothing that is no number."""
        for limit in describeLimits():
            step: Any = 1 if limit.isWhole else 0.001
            self.assertEqual(getattr(Limits(**{limit.name: limit.least}), limit.name), limit.least)
            wrong = [limit.least - step, nan, inf, -inf]
            if limit.most < inf:
                self.assertEqual(getattr(Limits(**{limit.name: limit.most}), limit.name), limit.most)
                wrong.append(limit.most + step)
            if limit.isWhole:
                wrong.append(limit.least + 0.5)
            for value in wrong:
                with self.assertRaises(ValueError, msg=f"{limit.name}={value}") as raised:
                    Limits(**{limit.name: value})
                self.assertIn(f"{limit.name}: {value!r} is not a", str(raised.exception))

    def test_wordsOfBounds(self) -> None:
        bounds = {limit.name: limit.bounds for limit in describeLimits()}
        self.assertEqual(bounds["streams"], "a whole number, 1 or more")
        self.assertEqual(bounds["amfDepth"], "a whole number from 4 to 128")
        self.assertEqual(bounds["idleSeconds"], "a number from 0.1 to 86400")
        self.assertEqual(bounds["videoBytes"], "a whole number from 1 to 16777215")

    def test_frozen(self) -> None:
        with self.assertRaises(AttributeError):
            Limits().streams = 5  # type: ignore[misc]

    def test_ofPeers(self) -> None:
        """By default what L{rtmptw.wire} says as well; else as it is set; and made once."""
        limits = Limits()
        self.assertEqual((limits.ofStrangers, limits.ofPublishers), (STRANGER_LIMITS, ReadLimits()))
        self.assertIs(limits.ofStrangers, limits.ofStrangers)
        self.assertIs(limits.ofPublishers, limits.ofPublishers)
        limits = Limits(
            strangerMessageBytes=2001,
            strangerPartialBytes=2002,
            commandBytes=2003,
            dataBytes=2004,
            audioBytes=2005,
            videoBytes=2006,
            aggregateBytes=2007,
            partialBytes=2008,
            partialMessages=2009,
            chunkStreams=2010,
        )
        self.assertEqual(limits.ofStrangers, ReadLimits({}, 2001, 2002, 2009, 2010, isStranger=True))
        sizes = {
            MessageType.AUDIO: 2005,
            MessageType.VIDEO: 2006,
            MessageType.DATA: 2004,
            MessageType.DATA_AMF3: 2004,
            MessageType.AGGREGATE: 2007,
        }
        self.assertEqual(limits.ofPublishers, ReadLimits(sizes, 2003, 2008, 2009, 2010))
        self.assertEqual(replace(limits, audioBytes=7).ofPublishers.messageSize[MessageType.AUDIO], 7)

    def test_ofAMF(self) -> None:
        limits = Limits()
        self.assertEqual((limits.ofCommands, limits.ofData), (COMMAND_LIMITS, DATA_LIMITS))
        limits = Limits(
            amfDepth=5,
            amfRepeatedBytes=6,
            commandValues=1007,
            commandKeys=1008,
            commandStringBytes=1009,
            dataValues=1010,
            dataStringBytes=1011,
        )
        self.assertEqual(
            limits.ofCommands,
            replace(COMMAND_LIMITS, depth=5, repeatedBytes=6, values=1007, keys=1008, stringBytes=1009),
        )
        self.assertEqual(
            limits.ofData, replace(DATA_LIMITS, depth=5, repeatedBytes=6, values=1010, keys=1010, stringBytes=1011)
        )


class ReachedTests(SynchronousTestCase):
    def test_add(self) -> None:
        reached = Reached()
        reached.add("pings")
        reached.add("pings", 5)
        reached.add("strangers")
        self.assertEqual(dict(reached.counts), {"pings": 6, "strangers": 1})

    def test_news(self) -> None:
        """What is new since the last time, by name."""
        reached = Reached()
        self.assertEqual(reached.news(), "")
        reached.add("strangers", 12)
        reached.add("pings", 3)
        self.assertEqual([reached.news(), reached.news()], ["pings 3, strangers 12", ""])
        reached.add("strangers")
        reached.add("lingerSeconds")
        # By the names that --limit has for them.
        self.assertEqual([reached.news(), reached.news()], ["linger-seconds 1, strangers 1", ""])
        self.assertEqual(reached.counts["strangers"], 13)

    def test_excess(self) -> None:
        """Only an error that names a limit counts."""
        reached = Reached()
        for error in (
            LimitExceeded("much", limit="videoBytes"),
            AMFLimitExceeded("deep", limit="amfDepth"),
            LimitExceeded("much"),
            RemoteProtocolError("bad"),
        ):
            reached.excess(error)
        self.assertEqual(dict(reached.counts), {"videoBytes": 1, "amfDepth": 1})


class LimitNewsTests(SynchronousTestCase):
    def test_once(self) -> None:
        """At once, but then no more than a line in a minute; nothing if there is no news."""
        log = EventLoggingObserver.createWithCleanup(self, globalLogPublisher)
        reached = Reached()
        news = LimitNews(reached)
        told: list[tuple[float, str]] = []
        for second in range(1000, 1400):
            if 1010 <= second < 1090 or second == 1300:
                reached.add("commands")
            before = len(log)
            news.second(float(second))
            told += [(second, event["log_format"].format(**event)) for event in list(log)[before:]]
        self.assertEqual(NEWS_SECONDS, 60)
        self.assertEqual(
            told,
            [
                (1010, "limits reached since the last such line: commands 1"),
                (1070, "limits reached since the last such line: commands 60"),
                (1130, "limits reached since the last such line: commands 19"),
                (1300, "limits reached since the last such line: commands 1"),
            ],
        )
        self.assertEqual({event["log_level"] for event in log}, {LogLevel.warn})

    def test_tell(self) -> None:
        """At the end, whenever that was last."""
        log = EventLoggingObserver.createWithCleanup(self, globalLogPublisher)
        reached = Reached()
        news = LimitNews(reached)
        for count in (1, 2):
            reached.add("pings", count)
            news.second(1000.0)
        self.assertEqual([news.tell(), news.tell()], [True, False])
        words = [event["log_format"].format(**event).rpartition(": ")[2] for event in log]
        self.assertEqual(words, ["pings 1", "pings 2"])
