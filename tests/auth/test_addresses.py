# -*- test-case-name: tests.auth.test_addresses -*-
"""
Tests for L{rtmptw.auth.addresses}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.auth.addresses import AddressList, addressOf, readRange
from rtmptw.auth.rule import ACTIONS, PLAY, PUBLISH

UNIX = "UNIXAddress('/run/rtmp')"


class AddressTests(SynchronousTestCase):
    def test_addressOf(self) -> None:
        rows = [
            ("192.0.2.7:4000", "192.0.2.7"),
            ("[2001:db8::7]:4000", "2001:db8::7"),
            ("[2001:DB8:0:0::7]:4000", "2001:db8::7"),
            ("[::ffff:192.0.2.7]:4000", "192.0.2.7"),
            ("[fe80::7%eth0]:4000", "fe80::7"),
            (UNIX, "None"),
            ("", "None"),
            ("a.example:4000", "None"),
        ]
        for peer, address in rows:
            self.assertEqual((peer, str(addressOf(peer))), (peer, address))


class ReadTests(SynchronousTestCase):
    def test_read(self) -> None:
        rows: list[tuple[str, tuple[str, ...], str]] = [
            ("10.0.0.0/8", ACTIONS, "10.0.0.0/8"),
            ("publish:10.0.0.0/8", (PUBLISH,), "10.0.0.0/8"),
            ("play:192.0.2.7", (PLAY,), "192.0.2.7/32"),
            ("2001:db8::/32", ACTIONS, "2001:db8::/32"),
            ("play:2001:db8::7", (PLAY,), "2001:db8::7/128"),
            ("::1", ACTIONS, "::1/128"),
            ("publish:::1", (PUBLISH,), "::1/128"),
            ("::/0", ACTIONS, "::/0"),
            ("::ffff:10.0.0.0/104", ACTIONS, "10.0.0.0/8"),
            ("::ffff:192.0.2.7", ACTIONS, "192.0.2.7/32"),
            ("0.0.0.0/0", ACTIONS, "0.0.0.0/0"),
            ("10.0.0.0/255.0.0.0", ACTIONS, "10.0.0.0/8"),
            ("all", ACTIONS, "all"),
            ("publish:unix", (PUBLISH,), "unix"),
        ]
        for text, actions, network in rows:
            for allows in (True, False):
                range = readRange(text, allows)
                self.assertEqual((range.allows, range.actions, str(range.network)), (allows, actions, network), text)

    def test_wrong(self) -> None:
        for text, problem in (
            ("", "'' is no network"),
            ("publish:", "'' is no network"),
            ("record:10.0.0.0/8", "'record:10.0.0.0/8' is no network"),
            ("10.0.0.0/33", "is no network"),
            ("10.0.0", "is no network"),
            ("a.example", "is no network"),
            ("::%\0\0", r"'::%\x00\x00' is no network"),
            ("play:::1%\x1b[2J/64", r"'::1%\x1b[2J/64' is no network"),
            ("\u0661.0.0.0", "is no network"),
            ("10.0.0.1/8", "10.0.0.1/8 has bits behind its prefix: the network is 10.0.0.0/8"),
            ("2001:db8::1/32", "the network is 2001:db8::/32"),
        ):
            words = str(self.assertRaises(ValueError, readRange, text, True))
            self.assertIn(problem, words)
            self.assertTrue(words.isprintable() and words.isascii(), text)


class ListTests(SynchronousTestCase):
    def check(self, lines: list[str], *rows: tuple[str, str, bool]) -> None:
        """Lines such as C{"allow publish:all"}; then action, peer, and whether it is allowed."""
        ranges = [readRange(line.partition(" ")[2], line.startswith("allow ")) for line in lines]
        addresses = AddressList(tuple(ranges))
        for action, peer, allowed in rows:
            self.assertEqual((action, peer, addresses.allows(action, peer)), (action, peer, allowed))

    def test_empty(self) -> None:
        self.check([], (PUBLISH, "192.0.2.7:1", True), (PLAY, UNIX, True))
        self.assertTrue(AddressList().allows(PLAY, "[::1]:1"))

    def test_firstMatch(self) -> None:
        """In either order; who is in no range may not, since something was allowed."""
        self.check(
            ["deny 10.0.0.7", "allow 10.0.0.0/8"],
            (PUBLISH, "10.0.0.7:1", False),
            (PUBLISH, "10.0.0.8:1", True),
            (PUBLISH, "11.0.0.8:1", False),
            (PLAY, "[::ffff:10.0.0.7]:1", False),
            (PLAY, "[::ffff:10.0.0.8]:1", True),
            (PLAY, "[::10.0.0.8]:1", False),
            (PLAY, UNIX, False),
        )
        self.check(["allow 10.0.0.0/8", "deny 10.0.0.7"], (PUBLISH, "10.0.0.7:1", True))

    def test_denyOnly(self) -> None:
        """Who is in no range may."""
        self.check(
            ["deny 2001:db8::/32", "deny play:192.0.2.0/24"],
            (PUBLISH, "[2001:db8::7]:1", False),
            (PLAY, "[2001:db8:ffff::7]:1", False),
            (PLAY, "[2001:db9::7]:1", True),
            (PUBLISH, "192.0.2.7:1", True),
            (PLAY, "192.0.2.7:1", False),
            (PLAY, UNIX, True),
        )

    def test_actions(self) -> None:
        """What was allowed for the one says nothing about the other."""
        self.check(
            ["allow publish:10.0.0.0/8"],
            (PUBLISH, "10.0.0.7:1", True),
            (PUBLISH, "192.0.2.7:1", False),
            (PLAY, "192.0.2.7:1", True),
        )

    def test_words(self) -> None:
        self.check(
            ["allow unix", "deny publish:all", "allow play:0.0.0.0/0"],
            (PUBLISH, UNIX, True),
            (PUBLISH, "192.0.2.7:1", False),
            (PUBLISH, "[::1]:1", False),
            (PLAY, "192.0.2.7:1", True),
            (PLAY, "[::1]:1", False),
        )
