"""
Tests for L{rtmptw.doctor.paragraphs}: what people read.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from rtmptw.causes.causes import CAUSES
from rtmptw.dialects.finding import Finding, Progress, Step
from rtmptw.doctor.examination import Answer, Report, examine
from rtmptw.doctor.paragraphs import paragraphs
from rtmptw.show.secrets import Secrets
from rtmptw.testing import DIALECTS, PROBES
from rtmptw.trace.entry import Ending, HandshakeBlock, ReadMessage, Unreadable
from rtmptw.trace.segment import Side
from rtmptw.url import RTMPURL
from tests.doctor.network import URL, Network, NetworkTestCase

PLACE = "rtmp://127.0.0.1:19350/live"

_TABLE = """\
                   handshake  connect   createStream  publish/play  media     end
   ffmpeg-publish  ok         STOPS     (ok)          (ok)          (ok)      (ok)
"""

_CONNECT = (
    'C->S  connect(1, {app: "live", type: "nonprivate", flashVer: "FMLE/3.0 (compatible; Lavf60.16.100)", '
    'tcUrl: "rtmp://127.0.0.1:19350/live"})  csid 3 fmt 0 msid 0 ts 0 20 command 140 bytes @3073'
)
_RESULT = (
    '{fmsVer: "FMS/3,0,1,123", capabilities: 31}, {level: "status", code: "NetConnection.Connect.Success", '
    'description: "Connection succeeded.", objectEncoding: 0})  csid 3 fmt 0 msid 0 ts 0 20 command 190 bytes'
)

#: The beginning of what is told, up to what the catalogue of causes says.
_SEEDS = {
    "connect-transaction-id": f"""\
{PLACE}: 1 finding, no pieces of advice

{_TABLE}
1. connect-transaction-id: The answer to connect has another transaction ID than connect had
   In the step connect of: ffmpeg-publish.
   connect was sent with transaction ID 1, and the _result that came has 0.
   What was sent:
      0.0000 {_CONNECT}
   What came back:
      0.0000 S->C  _result(0, {_RESULT} @3114
   Byte 3136 of what the server has sent:
             3126  02 00 07 5f 72 65 73 75  6c 74[00]00 00 00 00 00  |..._result......|
                                                  ^^
             3142  00 00 00 03 00 06 66 6d  73 56 65 72 02 00 0d 46  |......fmsVer...F|
             3158  4d 53 2f 33 2c 30 2c 31  2c 31                    |MS/3,0,1,1|
""",
    "reply-not-chunked": f"""\
{PLACE}: 1 finding, no pieces of advice

{_TABLE}
1. reply-not-chunked: A message that is longer than a chunk is written in one piece
   In the step connect of: ffmpeg-publish.
   the server has written a message of 190 bytes in one piece, but its chunk size is still 128: behind byte
   128 of the message a reader expects a chunk header, and takes what stands there for one.
   What was sent:
      0.0000 {_CONNECT}
   What came back:
      0.0000 S->C  _result(1, {_RESULT} @3102
   Byte 3242 of what the server has sent:
             3200  73 00 04 63 6f 64 65 02  00 1d 4e 65 74 43 6f 6e  |s..code...NetCon|
             3216  6e 65 63 74 69 6f 6e 2e  43 6f 6e 6e 65 63 74 2e  |nection.Connect.|
             3232  53 75 63 63 65 73 73 00  0b 64[65]73 63 72 69 70  |Success..descrip|
                                                  ^^
             3248  74 69 6f 6e 02 00 15 43  6f 6e 6e 65 63 74 69 6f  |tion...Connectio|
             3264  6e 20 73 75 63 63 65 65  64 65                    |n succeede|
""",
}


def told(report: Report, secrets: Secrets | None = None, about: Callable[[str], str] = str) -> str:
    """All lines."""
    return "".join(f"{line}\n" for line in paragraphs(report, PLACE, secrets, about))


def dumped(text: str) -> str:
    """The bytes that are shown, in one line."""
    columns = re.findall(r"^ +\d+  ([^|]+)\|", text, re.MULTILINE)
    return f" {' '.join(' '.join(columns).replace('[', ' ').replace(']', ' ').split())} "


def flat(text: str) -> str:
    """Without the breaks of lines."""
    return " ".join(text.split())


class SeedTests(NetworkTestCase):
    def test_seeds(self) -> None:
        """Word by word."""
        for name, expected in _SEEDS.items():
            network = self.network(name)
            report = network.run(examine(network.target(), [DIALECTS["ffmpeg-publish"]], []))
            text = told(report, Secrets(["live"]))
            self.assertEqual(text[: len(expected)], expected)
            cause = CAUSES[name]
            rest = [f"{client}: {words}" for client, words in cause.clients.items()]
            rest += [f"To mend it: {cause.mend}", f"See {cause.source}; {name} in docs/why-ffmpeg-stops.rst."]
            self.assertEqual(flat(text[len(expected) :]), flat(" ".join(rest)))

    def test_healthy(self) -> None:
        network = self.network()
        report = network.run(examine(network.target(), [DIALECTS["ffmpeg-play"]], []))
        self.assertEqual(
            told(report),
            f"{PLACE}: no findings, no pieces of advice\n\n"
            "                handshake  connect   createStream  publish/play  media     end\n"
            "   ffmpeg-play  ok         ok        ok            ok            ok        ok\n",
        )

    def test_printable(self) -> None:
        """Whatever a server says: all is printable ASCII."""
        progress = Progress("somebody", "a program", refusal="na\xefve \x1b[2J")
        text = told(Report([progress]))
        self.assertTrue(text.replace("\n", "").isascii() and text.replace("\n", "").isprintable())
        self.assertIn("Not tested:\n   somebody: na\\u00efve \\u001b[2J\n", text)


def finding(cause: str, **changes: object) -> Finding:
    """Something that was found."""
    return replace(Finding(CAUSES[cause], "FFmpeg", "somebody", Step.CONNECT, "it is so"), **changes)  # type: ignore[arg-type]


class ParagraphTests(NetworkTestCase):
    def test_advice(self) -> None:
        """It follows the findings, and is called so; each says who is concerned, once."""
        answers = [
            Answer(PROBES["tail"], [finding("stops-reading"), finding("tail-dropped")]),
            Answer(PROBES["start"], [finding("tail-dropped"), finding("tail-dropped", dialect="start")]),
        ]
        text = told(Report([], answers))
        self.assertTrue(text.startswith(f"{PLACE}: 1 finding, 1 piece of advice\n\n\n1. tail-dropped: "), text[:200])
        self.assertIn("\n2. Advice: stops-reading: ", text)
        self.assertIn("   In the step connect of: somebody, start.\n   it is so.\n", text)
        self.assertNotIn("What was sent", text)

    def test_about(self) -> None:
        """Sentences pass through what hides."""
        progress = Progress("somebody", "a program", refusal="the key")
        report = Report([progress], [Answer(PROBES["tail"], [finding("no-answer")])])
        text = told(report, about=lambda words: words.replace("is so", "is thus").replace("key", "door"))
        self.assertIn("it is thus.", text)
        self.assertIn("somebody: the door", text)

    def test_many(self) -> None:
        """Not everything that came is shown."""
        came = tuple(Ending(Side.SERVER, float(number), 0, f"end {number}") for number in range(10))
        text = told(Report([], [Answer(PROBES["tail"], [finding("no-answer", came=came)])]))
        self.assertIn("end 7", text)
        self.assertNotIn("end 8", text)
        self.assertIn("      ... and 2 more\n", text)

    def test_bytes(self) -> None:
        """Those around the one that is to blame, of whatever kind the entry is; none if it is in none of them."""
        block = HandshakeBlock(Side.SERVER, 0.0, 1, "S1", bytes(1536))
        stray = Unreadable(Side.SERVER, 0.0, 5000, b"HTTP/1.1", 8, "it is HTTP")
        ending = Ending(Side.SERVER, 0.0, 6000, "closed")
        for offset, shown in ((100, True), (1536, True), (5007, True), (4000, False), (5008, False), (6000, False)):
            report = Report(
                [], [Answer(PROBES["tail"], [finding("not-rtmp", came=(block, ending, stray), offset=offset)])]
            )
            self.assertEqual(f"Byte {offset} of what the server has sent:" in told(report, Secrets()), shown, offset)

    def test_chunks(self) -> None:
        """Of a message in chunks, the bytes of that one are shown, without what stands between."""
        network = Network()
        visit = network.run(network.target().publisher())
        assert visit is not None
        connect = next(
            entry
            for entry in visit.contact.entries
            if isinstance(entry, ReadMessage) and len(entry.chunks) > 1 and b"connect" in entry.message.payload
        )
        place = connect.place(130)
        report = Report([], [Answer(PROBES["tail"], [finding("no-answer", came=(connect,), offset=place)])])
        self.assertEqual(dumped(told(report)), f" {connect.message.payload[128:].hex(' ')} ")

    def test_secrets(self) -> None:
        """The stream's name stands nowhere, unless it is wanted."""
        network = Network("error-without-close")
        url = RTMPURL.parse("rtmp://127.0.0.1:19350/live/sesame-open?sign=1234567")
        report = network.run(examine(network.target(url=url), list(DIALECTS.values()), [PROBES["busy"]]))
        for entry in (each for answer in report.answers for each in answer.findings[0].came):
            assert isinstance(entry, ReadMessage)
        self.assertNotIn("sesame", told(report, Secrets(["live"])))
        sent = network.contacts[-1].entries
        publish = next(each for each in sent if isinstance(each, ReadMessage) and b"sesame" in each.message.payload)
        report = Report([], [Answer(PROBES["tail"], [finding("no-answer", sent=publish)])])
        self.assertIn("sesame-open?sign=1234567", told(report))
        self.assertNotIn("sesame", told(report, Secrets(["live"])))
        self.assertNotIn("1234567", told(report, Secrets(["live"])))

    def test_hidden(self) -> None:
        """Nor in the bytes."""
        network = Network()
        visit = network.run(network.target(url=replace(URL, name="sesame")).publisher())
        assert visit is not None
        release = next(
            entry
            for entry in visit.contact.entries
            if isinstance(entry, ReadMessage) and b"sesame" in entry.message.payload
        )
        place = release.place(release.message.payload.index(b"sesame"))
        report = Report([], [Answer(PROBES["tail"], [finding("no-answer", came=(release,), offset=place)])])
        self.assertIn(" 73 65 73 61 6d 65 ", dumped(told(report)))
        hidden = told(report, Secrets(["live"]))
        self.assertIn(f"Byte {place}", hidden)
        self.assertNotIn(" 73 61 ", dumped(hidden))
        self.assertIn(" ** ** ** ** ** ** ", dumped(hidden))
        self.assertNotIn("sesame", hidden)
