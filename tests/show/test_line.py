# -*- test-case-name: tests.show.test_line -*-
"""
Tests for L{rtmptw.show.line}: columns, what is wrong, chunks and bytes.
"""

from __future__ import annotations

import random
from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.causes.cause import Cause, Severity
from rtmptw.show.line import MAX_BYTES, SHOWN_HANDSHAKE, SHOWN_UNREADABLE, LineOptions, contentOf, isGrave, lines
from rtmptw.show.secrets import Secrets
from rtmptw.trace.entry import Chunk, Ending, Entry, HandshakeBlock, Unreadable, Violation
from rtmptw.trace.segment import Side
from rtmptw.wire import amf0
from tests.trace.spoken import command, payloadMessage, status

KEY = "c1f3-Geheim"


def violation(severity: Severity = Severity.STOPS, words: str = "it is wrong", offset: int = 3100) -> Violation:
    return Violation(Cause("a-name", "a title", severity, "mend it", "10.1"), words, offset)


class LineTests(SynchronousTestCase):
    def lines(self, entry: Entry, **options: object) -> list[str]:
        return list(lines(entry, replace(LineOptions(Secrets()), **options)))  # type: ignore[arg-type]

    def test_message(self) -> None:
        """The important at the left."""
        entry = command("createStream", 4.0, None)
        entry.at = 12.34567
        self.assertEqual(
            self.lines(entry),
            [
                "  12.3457 C->S  createStream(4, null)                                 "
                "csid 3 fmt 0 msid 0 ts 0 20 command 25 bytes @3073"
            ],
        )
        self.assertIn("  12.3457 S->C  ", self.lines(replace(entry, side=Side.SERVER))[0])

    def test_long(self) -> None:
        """What is long takes more room; nothing is lost of what stands behind it."""
        entry = command("onStatus", 0.0, None, *(["x" * 90] * 3))
        [line] = self.lines(entry)
        size = len(entry.message.payload)
        self.assertTrue(
            line.endswith(f"(90 characters))  csid 3 fmt 0 msid 0 ts 0 20 command {size} bytes @3073"), line
        )

    def test_others(self) -> None:
        rows: list[tuple[Entry, str]] = [
            (HandshakeBlock(Side.CLIENT, 0.0, 0, name="C0", data=b"\3"), "C0: version 3" + " " * 41 + "1 bytes @0"),
            (Ending(Side.SERVER, 0.0, 77, how="reset"), "reset (RST)" + " " * 43 + "@77"),
        ]
        for entry, words in rows:
            self.assertEqual(self.lines(entry), [f"   0.0000 {'C->S' if entry.offset == 0 else 'S->C'}  {words}"])

    def test_handshake(self) -> None:
        """With what was said before."""
        block = HandshakeBlock(Side.SERVER, 0.0, 0, name="S2", data=bytes(1536))
        [line] = lines(block, LineOptions(), {"C1": bytes(1536)})
        self.assertIn("S2: a copy of C1", line)

    def test_secrets(self) -> None:
        """Masked, unless nothing is to be."""
        entry = command("publish", 5.0, None, KEY, "live")
        self.assertIn('publish(5, null, "<key#1>", "live")', self.lines(entry)[0])
        self.assertIn(f'publish(5, null, "{KEY}", "live")', self.lines(entry, secrets=None)[0])
        self.assertEqual(contentOf(entry, None), (("publish", 5.0, None, KEY, "live"), ""))
        cut = payloadMessage(entry.message.payload[:-1])
        self.assertIn("left", contentOf(cut, None)[1])

    def test_label(self) -> None:
        """It begins every line."""
        entry = command("publish", 5.0, None, KEY)
        entry.violations.append(violation())
        found = self.lines(entry, label="#2 ", hex=True, chunks=True)
        self.assertGreater(len(found), 4)
        self.assertTrue(all(line.startswith("#2 ") for line in found))

    def test_violations(self) -> None:
        """One below the other; the sign tells how bad it is; what they say is masked."""
        entry = command("publish", 5.0, None, KEY)
        entry.violations = [
            violation(Severity.STOPS),
            violation(Severity.LOSES, f"{KEY}\nis wrong"),
            violation(Severity.ADVICE, offset=4),
        ]
        self.assertEqual(
            self.lines(entry)[1:],
            [
                "         !! a-name at byte 3100: it is wrong (see docs/why-ffmpeg-stops.rst)",
                "         !! a-name at byte 3100: <key#1>\\nis wrong (see docs/why-ffmpeg-stops.rst)",
                "         !  a-name at byte 4: it is wrong (see docs/why-ffmpeg-stops.rst)",
            ],
        )
        self.assertEqual([isGrave(each) for each in entry.violations], [True, True, False])

    def test_chunks(self) -> None:
        entry = payloadMessage(bytes(300), 9)
        first, second, third = entry.chunks
        entry.chunks = (first, replace(second, extended=0x1000000), replace(third, extended=None, lacksExtended=True))
        self.assertEqual(
            self.lines(entry, chunks=True)[1:],
            [
                "         chunk @3073: fmt 0 csid 3 header 03 00 00 00 00 01 2c 09 00 00 00 00 body 128",
                "         chunk @3213: fmt 3 csid 3 header c3 body 128 extended timestamp 16777216",
                "         chunk @3342: fmt 3 csid 3 header c3 body 44 without its extended timestamp",
            ],
        )

    def test_blamedHeader(self) -> None:
        """A byte of a header that is to blame is marked there, with the bytes of the body and without."""
        entry = payloadMessage(bytes(200), 9)
        entry.violations += [violation(offset=3080), violation(offset=3213)]
        for hex in (False, True):
            found = [line.strip() for line in self.lines(entry, chunks=True, hex=hex) if "chunk @" in line]
            self.assertEqual(
                found[0], "chunk @3073: fmt 0 csid 3 header 03 00 00 00 00 00 c8 [09] 00 00 00 00 body 128"
            )
            self.assertEqual(found[1], "chunk @3213: fmt 3 csid 3 header [c3] body 72")

    def test_hex(self) -> None:
        """Each byte with its place in the stream: what is a header is not shown. The byte that is wrong is marked."""
        entry = payloadMessage(b"A" * 128 + b"B" * 10, 9)
        entry.violations.append(violation(offset=3214))
        found = self.lines(entry, hex=True)[2:]
        self.assertEqual(
            found[0], "          3085  41 41 41 41 41 41 41 41  41 41 41 41 41 41 41 41  |AAAAAAAAAAAAAAAA|"
        )
        self.assertEqual(found[8], "          3214 [42]42 42 42 42 42 42 42  42 42                    |BBBBBBBBBB|")
        self.assertEqual(found[9].strip(), "^^")
        self.assertEqual(len(found), 10)

    def test_hexAndChunks(self) -> None:
        """The bytes of a chunk stand behind its header."""
        found = self.lines(payloadMessage(b"A" * 128 + b"B" * 10, 9), hex=True, chunks=True)[1:]
        self.assertEqual([index for index, line in enumerate(found) if "chunk" in line], [0, 9])

    def test_hidden(self) -> None:
        """A name that lies in two chunks."""
        entry = payloadMessage(amf0.encode("publish", 5.0, None, KEY), chunkSize=28)
        text = "\n".join(self.lines(entry, hex=True))
        for part in (KEY, "c1f3", "31 66", "eim", "69 6d"):
            self.assertNotIn(part, text)
        self.assertEqual(text.count(" **"), len(KEY))
        self.assertIn("31 66 33", "\n".join(self.lines(entry, hex=True, secrets=None)))

    def test_much(self) -> None:
        """The first of it; the rest is counted. With chunks, all of these are told."""
        entry = payloadMessage(bytes(5000), 9)
        found = self.lines(entry, hex=True)
        self.assertEqual(found[-1], f"         ... and {5000 - MAX_BYTES:,} bytes more")
        self.assertEqual(len(found), 1 + MAX_BYTES // 16 + 1)
        found = self.lines(entry, hex=True, chunks=True)
        self.assertEqual(len([line for line in found if "chunk" in line]), 40)
        self.assertEqual(len(found), 1 + MAX_BYTES // 16 + 40 + 1)
        exact = self.lines(payloadMessage(bytes(MAX_BYTES), 9), hex=True)
        self.assertNotIn("more", exact[-1])

    def test_handshakeBytes(self) -> None:
        entry = HandshakeBlock(Side.CLIENT, 0.0, 1, name="C1", data=bytes(1536))
        self.assertEqual(len(self.lines(entry)), 1)
        found = self.lines(entry, hex=True)
        self.assertEqual(len(found), 1 + SHOWN_HANDSHAKE // 16 + 1)
        self.assertTrue(found[1].startswith("             1  00 00"))
        self.assertEqual(found[-1], f"         ... and {1536 - SHOWN_HANDSHAKE:,} bytes more")

    def test_unreadable(self) -> None:
        """What can't be read is always shown, and more of it if bytes are asked for."""
        secrets = Secrets()
        secrets.learn(command("publish", 5.0, None, KEY))
        data = b"GET /?token=abc " + KEY.encode() + bytes(229)
        entry = Unreadable(Side.CLIENT, 0.0, 100, data=data, size=9999, reason=f"no {KEY}")
        found = self.lines(entry, secrets=secrets)
        self.assertIn("can't be read from here on: no <key#1>", found[0])
        self.assertEqual(
            found[1], "           100 [47]45 54 20 2f 3f 74 6f  6b 65 6e 3d ** ** ** 20  |GET /?token=*** |"
        )
        self.assertEqual(len(found), 1 + SHOWN_UNREADABLE // 16 + 1 + 1)
        self.assertEqual(found[-1], f"         ... and {9999 - SHOWN_UNREADABLE:,} bytes more so far")
        self.assertNotIn("Geheim", "\n".join(found))
        entry.violations.append(violation(offset=101))
        found = self.lines(entry, hex=True)
        self.assertEqual(len(found), 2 + 256 // 16 + 1 + 1)
        self.assertIn(" 47[45]54", found[2])
        self.assertIn(KEY, "\n".join(self.lines(entry, secrets=None)))

    def test_anything(self) -> None:
        """Whatever it is: printable ASCII, and no exception."""
        chance = random.Random(11)
        for _ in range(300):
            payload = bytearray(status(description="x" * 20, details=KEY).message.payload)
            for _ in range(4):
                payload[chance.randrange(len(payload))] = chance.randrange(256)
            entry = payloadMessage(
                bytes(payload), chance.choice((20, 17, 18, 9, 8, 6, 4, 19, 77)), chance.choice(list(Side))
            )
            for line in self.lines(entry, hex=True, chunks=True):
                self.assertTrue(line.isascii() and line.isprintable(), line)

    def test_emptyMessage(self) -> None:
        entry = payloadMessage(b"", 9)
        self.assertEqual(entry.chunks, (Chunk(3073, 0, 3, bytes.fromhex("030000000000000900000000"), 0),))
        self.assertEqual(len(self.lines(entry, hex=True, chunks=True)), 2)
