# -*- test-case-name: tests.relay.test_outlet -*-
"""
Tests for L{rtmptw.relay.outlet}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from rtmptw.interfaces import IOutlet
from rtmptw.relay.outlet import RelayOutlet
from tests.live.doubles import MemoryOutlet


class RelayOutletTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.outlet = RelayOutlet("rtmp://target.test/live")
        self.told: list[str] = []

    def tell(self) -> None:
        self.told.append("one")

    def tellOther(self) -> None:
        self.told.append("other")

    def test_interface(self) -> None:
        verifyObject(IOutlet, self.outlet)
        self.assertEqual(self.outlet.peer, "rtmp://target.test/live")

    def test_unconnected(self) -> None:
        """It takes nothing, and what is written regardless goes nowhere, also later."""
        self.outlet.attach(self.tell)
        self.assertIs(self.outlet.ready, False)
        self.outlet.write(b"early")
        inner = MemoryOutlet()
        self.outlet.open(inner)
        self.assertEqual((inner.blocks, self.told), ([], ["one"]))

    def test_connected(self) -> None:
        """It is what the connection's is; who waits is told when it comes, and whenever it is ready again."""
        inner = MemoryOutlet(room=1)
        self.outlet.attach(self.tell)
        self.outlet.open(inner)
        self.assertEqual((self.told, self.outlet.ready, inner.attached), (["one"], True, 1))
        self.outlet.write(b"data")
        self.assertEqual((inner.blocks, self.outlet.ready), ([b"data"], False))
        inner.drain(room=1)
        self.assertEqual((self.told, self.outlet.ready), (["one", "one"], True))

    def test_connectedButFull(self) -> None:
        """Nobody is told before there is room."""
        inner = MemoryOutlet(room=0)
        self.outlet.attach(self.tell)
        self.outlet.open(inner)
        self.assertEqual((self.told, self.outlet.ready), ([], False))
        inner.drain()
        self.assertEqual((self.told, self.outlet.ready), (["one"], True))

    def test_shut(self) -> None:
        """Then it is as before; the old connection says nothing any more, and a new one is as good as the first."""
        first, second = MemoryOutlet(), MemoryOutlet()
        self.outlet.open(first)
        self.outlet.attach(self.tell)
        for _ in range(2):
            self.outlet.shut()
            self.assertEqual((self.outlet.ready, first.attached), (False, 0))
        self.outlet.write(b"nowhere")
        first.drain()
        self.outlet.open(second)
        self.outlet.write(b"there")
        self.assertEqual((first.blocks, second.blocks, self.told), ([], [b"there"], ["one"]))

    def test_offer(self) -> None:
        """What is offered is offered to the connection, as much as that likes; without one it goes nowhere."""
        self.assertEqual((self.outlet.block, self.outlet.offer(b"nowhere")), (0, 7))
        inner = MemoryOutlet(part=3)
        self.outlet.open(inner)
        self.assertEqual((self.outlet.block, self.outlet.offer(b"abcdef")), (MemoryOutlet.block, 3))
        self.assertEqual((inner.blocks, self.outlet.ready), ([b"abc"], False))
        self.outlet.write(memoryview(b"abcdef")[3:])
        inner.drain()
        self.assertEqual((self.outlet.offer(b"ghi"), inner.blocks), (3, [b"abc", b"def", b"ghi"]))
        self.outlet.shut()
        self.assertEqual((self.outlet.block, self.outlet.offer(b"nowhere"), len(inner.blocks)), (0, 7, 3))

    def test_detach(self) -> None:
        """Who is detached is not told, also by somebody who is told before; who is not attached may be detached."""
        self.outlet.detach(self.tell)

        def detachOther() -> None:
            self.told.append("first")
            self.outlet.detach(self.tellOther)

        for drained in (detachOther, self.tellOther, self.tell):
            self.outlet.attach(drained)
        self.outlet.open(MemoryOutlet())
        self.assertEqual(self.told, ["first", "one"])

    def test_fullAgain(self) -> None:
        """When one who is told fills it, or shuts it, the others wait."""
        inner = MemoryOutlet(room=1)
        steps = [lambda: self.outlet.write(b"much"), self.outlet.shut]
        self.outlet.attach(lambda: steps.pop(0)())
        self.outlet.attach(self.tell)
        self.outlet.open(inner)
        self.assertEqual((self.told, inner.blocks), ([], [b"much"]))
        inner.drain(room=1)
        self.assertEqual((self.told, steps, inner.attached), ([], [], 0))
