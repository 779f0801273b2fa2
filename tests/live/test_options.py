"""
Tests for L{rtmptw.live.options}.
"""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.limits import Limits, Reached
from rtmptw.live.busy import Busy
from rtmptw.live.options import StreamOptions, makeHub


class StreamOptionsTests(SynchronousTestCase):
    def parse(self, *arguments: str) -> StreamOptions:
        """What is made of a command line."""
        options = StreamOptions()
        options.parseOptions(arguments)
        return options

    def test_defaults(self) -> None:
        """A silent publisher loses the name, and one that is lost is waited for."""
        options = self.parse()
        self.assertEqual((options["busy"], options["grace"]), (Busy.REPLACE_SILENT, 10.0))

    def test_busy(self) -> None:
        """The rules by their names; no others."""
        for rule in ("refuse", "replace", "replace-silent"):
            self.assertEqual(self.parse("--busy", rule)["busy"].value, rule)
        for rule in ("", "Refuse", "steal"):
            error = self.assertRaises(UsageError, self.parse, f"--busy={rule}")
            self.assertEqual(
                str(error), f"--busy {rule}: there is no such rule; there are refuse, replace, replace-silent"
            )

    def test_grace(self) -> None:
        """A number of seconds, 0 too."""
        for text, seconds in (("0", 0.0), ("2.5", 2.5), ("86400", 86400.0)):
            self.assertEqual(self.parse("--grace", text)["grace"], seconds)
        for text in ("", "-1", "nan", "inf", "86401", "soon"):
            error = self.assertRaises(UsageError, self.parse, f"--grace={text}")
            self.assertEqual(str(error), f"--grace {text}: a number of seconds, 86400 at most")

    def test_makeHub(self) -> None:
        """The hub has all of it."""
        options = self.parse("--busy=refuse", "--grace=3", "--flush=0:0", "--cache-frames=7")
        limits, reached = Limits(behindBytes=2048), Reached()
        hub = makeHub(options, Clock(), limits, reached)
        self.assertEqual((hub.busy, hub.grace, hub.rounds.times.most), (Busy.REFUSE, 3.0, 0.0))
        self.assertIs(hub.reached, reached)
        stream = hub._stream("live/x")
        self.assertEqual((stream.limits, stream.grace), (limits, 3.0))
