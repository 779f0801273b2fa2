# -*- test-case-name: tests.brokenservers.test_bends -*-
"""
Tests for L{tests.brokenservers.bends} and L{tests.brokenservers.bend}: the table holds together.
"""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.causes.causes import CAUSES
from tests.brokenservers.bends import BENDS, Scene
from tests.brokenservers.plain import PlainServer
from tests.brokenservers.talk import Server, said

PUBLISHERS = {"ffmpeg5", "ffmpeg9", "rtmp2sink", "rtmpsink", "nginx-relay"}
PLAYERS = {"ffmpeg5-play", "ffmpeg9-play", "rtmpdump", "rtmp2src"}


class BendTests(SynchronousTestCase):
    def test_names(self) -> None:
        """A bend is named after its cause, and the first of a cause is named only so."""
        for name, bend in BENDS.items():
            self.assertEqual(name.partition(":")[0], bend.cause)
            self.assertIn(bend.cause, BENDS)

    def test_causes(self) -> None:
        """Causes are those that the tools name; what is seen from outside is another one, if it is not the same."""
        for name, bend in BENDS.items():
            self.assertIn(bend.cause, CAUSES)
            if bend.shown:
                self.assertIn(bend.shown, CAUSES)
                self.assertNotEqual(bend.shown, bend.cause, name)

    def test_provenOrNot(self) -> None:
        """Either programs are named, or why there are none."""
        for name, bend in BENDS.items():
            self.assertEqual(bool(bend.affected), not bend.unproven, name)
            self.assertEqual(set(bend.affected) - PUBLISHERS - PLAYERS, set(), name)
            self.assertEqual(len(set(bend.affected)), len(bend.affected), name)

    def test_effects(self) -> None:
        """What is told of some programs is told of those that are named; players alone meet what only players meet."""
        for name, bend in BENDS.items():
            self.assertEqual(set(bend.otherwise) - set(bend.affected), set(), name)
            for program in bend.affected:
                self.assertIn(bend.effectOn(program), ("stalls", "fails", "loses", "slow"))
            if bend.scene is Scene.PLAY:
                self.assertEqual(set(bend.affected) - PLAYERS, set(), name)
            if bend.scene is Scene.FULL_SPEED:
                self.assertNotEqual(bend.media, "short", name)
        self.assertEqual(BENDS["s2-waits-for-c2"].effectOn("rtmp2sink"), "fails")
        self.assertEqual(BENDS["s2-waits-for-c2"].effectOn("ffmpeg5"), "stalls")

    def test_rows(self) -> None:
        """Every row of wire facts 3.6 has a server."""
        self.assertEqual({row for bend in BENDS.values() for row in bend.rows}, set(range(1, 22)))

    def test_everyBendIsThere(self) -> None:
        """All servers are in the table, each once."""
        classes = [bend.connection for bend in BENDS.values()]
        self.assertEqual(len(set(classes)), len(classes))
        for each in _subclasses(PlainServer):
            if each.__module__.startswith("tests.brokenservers") and not each.__name__.startswith("_"):
                self.assertIn(each.__name__, {one.__name__ for one in classes} | {"SlowReader"})

    def test_oneThing(self) -> None:
        """No server has more than two methods of its own that the sound one has, besides what these need."""
        for name, bend in BENDS.items():
            bent = set(vars(bend.connection)) & set(dir(PlainServer)) - {"__init__", "__module__", "__doc__"}
            bent -= set(dir(object))
            self.assertTrue(len(bent) <= 2, f"{name}: {bent}")
            self.assertTrue(bend.connection.__doc__, name)

    def test_server(self) -> None:
        """A bend makes its server."""
        for bend in BENDS.values():
            factory = bend.server(Clock())
            self.assertIs(type(factory.buildProtocol(None)), bend.connection)

    def test_soundServersAreSound(self) -> None:
        """What is compared with does not differ from one time to the next."""
        self.assertEqual(said(PlainServer), said(PlainServer))
        self.assertEqual(len(said(PlainServer)), 9)
        self.assertIs(type(Server().client().protocol), PlainServer)


def _subclasses(parent: type) -> list[type]:
    children: list[type] = parent.__subclasses__()
    return [each for child in children for each in (child, *_subclasses(child))]
