"""Tests for L{rtmptw.capture.tcpflow}."""

from __future__ import annotations

from random import Random

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.capture.tcpflow import MAX_AHEAD, MAX_HELD, PIECE_COST, TCPFlow


def begun(first: int = 1000) -> TCPFlow:
    """A flow whose SYN was seen."""
    flow = TCPFlow()
    flow.begin(first)
    return flow


class TCPFlowTests(SynchronousTestCase):
    """One direction."""

    def test_inOrder(self) -> None:
        """What comes in order is there at once."""
        flow = begun()
        self.assertEqual(flow.add(1000, b"abc"), [b"abc"])
        self.assertEqual(flow.add(1003, b"de"), [b"de"])
        self.assertEqual((flow.read, flow.held, flow.isWhole, flow.gap()), (5, 0, True, ""))

    def test_outOfOrder(self) -> None:
        """What comes too early waits."""
        flow = begun()
        self.assertEqual(flow.add(1006, b"gh"), [])
        self.assertEqual(flow.add(1003, b"def"), [])
        self.assertEqual(flow.held, 5 + 2 * PIECE_COST)
        self.assertEqual(flow.add(1000, b"abc"), [b"abc", b"def", b"gh"])
        self.assertEqual((flow.held, flow.gap()), (0, ""))

    def test_again(self) -> None:
        """What comes again is taken once, as it came first; so is what overlaps, before, behind, and within."""
        flow = begun()
        flow.add(1000, b"abc")
        self.assertEqual(flow.add(1000, b"XYZ"), [])
        self.assertEqual(flow.add(999, b"K"), [])
        self.assertEqual(flow.add(1001, b"XYd"), [b"d"])
        self.assertEqual(flow.add(1006, b"gh"), [])
        self.assertEqual(flow.add(1006, b"gh"), [])
        self.assertEqual(flow.add(1007, b"hi"), [])
        self.assertEqual(flow.add(1002, b"XXefXX"), [b"efXX", b"i"])
        self.assertEqual((flow.read, flow.held, flow.gap()), (9, 0, ""))

    def test_everyOrder(self) -> None:
        """However a stream is cut, doubled and mixed, it comes out as it was, also where the numbers begin again."""
        random = Random(2)
        data = bytes(random.randrange(256) for _ in range(300))
        for first in (5, 2**32 - 150, 2**32 - 1):
            for _ in range(200):
                pieces = []
                for at in range(0, 300, 10):
                    start = max(0, at - random.randrange(30))
                    pieces.append((start, data[start : at + 10 + random.randrange(20)]))
                pieces += random.sample(pieces, 5)
                random.shuffle(pieces)
                flow = begun(first)
                out = [each for start, piece in pieces for each in flow.add((first + start) % 2**32, piece)]
                self.assertEqual(b"".join(out), data)
                self.assertEqual((flow.held, flow.gap()), (0, ""))

    def test_beyond32Bits(self) -> None:
        """A flow of more than 4 GiB is none of its own number's business."""
        flow = begun(0)
        piece = bytes(1 << 26)
        for number in range(65):
            self.assertEqual(len(flow.add((number << 26) % 2**32, piece)), 1)
        self.assertEqual(flow.read, 65 << 26)

    def test_gap(self) -> None:
        """What is missing at the end is told, and what is behind it is left out."""
        flow = begun()
        flow.add(1000, b"abc")
        flow.add(1010, b"klm")
        flow.add(2000, b"n")
        self.assertEqual(flow.gap(), "7 bytes are missing at byte 3, and 4 behind it are left out")
        self.assertTrue(flow.isBroken)

    def test_heldTooMuch(self) -> None:
        """Nobody waits for ever: what is held is bounded, by bytes and by pieces; then the flow is over."""
        for size in (1, 60_000):
            flow = begun()
            at = 2000
            while not flow.isBroken:
                self.assertEqual(flow.add(at, bytes(size)), [])
                self.assertLessEqual(flow.held, MAX_HELD)
                at += size
            self.assertGreater((at - 2000) // size * (size + PIECE_COST), MAX_HELD)
            self.assertEqual(flow.held, 0)
            self.assertEqual(flow.add(1000, b"too late"), [])
            self.assertEqual(
                flow.gap(), f"1,000 bytes are missing at byte 0, and {at - 2000 + 8:,} behind it are left out"
            )

    def test_farAhead(self) -> None:
        """What no window reaches is not of this connection."""
        flow = begun(0)
        self.assertEqual(flow.add(MAX_AHEAD + 1, b"x"), [])
        self.assertEqual((flow.held, flow.gap()), (0, ""))
        self.assertEqual(flow.add(MAX_AHEAD, b"x"), [])
        self.assertEqual(flow.held, 1 + PIECE_COST)

    def test_unknownBeginning(self) -> None:
        """Without a SYN, the first that comes is the first that there is."""
        flow = TCPFlow()
        self.assertEqual(flow.add(5000, b"abc"), [b"abc"])
        self.assertFalse(flow.isWhole)
        self.assertEqual(flow.add(4990, b"before"), [])
        flow.begin(17)
        self.assertEqual((flow.first, flow.isWhole), (5000, False))

    def test_end(self) -> None:
        """It is told if something is missing in front of the end; the end itself comes once."""
        flow = begun()
        flow.add(1000, b"abc")
        self.assertFalse(flow.isEnded)
        flow.finish(1009)
        flow.finish(1012)
        self.assertTrue(flow.isEnded)
        self.assertEqual(flow.gap(), "the last 6 bytes are missing, at byte 3")
        flow.add(1003, b"defghi")
        self.assertEqual(flow.gap(), "")

    def test_strayEnd(self) -> None:
        """An end where we have been already, or that is not of this connection, is none."""
        flow = begun()
        flow.add(1000, b"abc")
        flow.finish(1000)
        flow.finish(1004 + MAX_AHEAD)
        self.assertFalse(flow.isEnded)
