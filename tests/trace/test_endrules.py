# -*- test-case-name: tests.trace.test_endrules -*-
"""
Tests for L{rtmptw.trace.endrules}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.causes.causes import CAUSES
from rtmptw.trace.segment import Side
from rtmptw.wire.control import UserControl, UserControlType
from tests.trace.dialogue import C1, Dialogue, command, media, status

CLIENT, SERVER = Side.CLIENT, Side.SERVER

EOF = UserControl(UserControlType.STREAM_EOF, 1).encode()
NOTIFY = status("NetStream.Play.UnpublishNotify")


class EndTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.dialogue = Dialogue()

    def waits(self, seconds: float = 30.0, how: str = "FIN") -> None:
        """The client waits so long, then goes; the server goes too."""
        self.dialogue.now += seconds
        self.dialogue.end(CLIENT)
        self.dialogue.end(SERVER, how)

    def assertFound(self, cause: str, offset: int | None = None) -> None:
        """This, and nothing else; at the server's end if no place is given."""
        (violation,) = self.dialogue.found
        self.assertEqual(violation.cause, CAUSES[cause])
        self.assertEqual(violation.offset, len(self.dialogue.sent[SERVER]) if offset is None else offset)


class NeverTests(EndTestCase):
    """What never came."""

    def test_nothing(self) -> None:
        self.dialogue.feed(CLIENT, b"\x03" + C1)
        self.waits()
        self.assertFound("no-answer")

    def test_theServerClosesAtOnce(self) -> None:
        self.dialogue.feed(CLIENT, b"\x03" + C1)
        self.dialogue.end(SERVER, "closed")
        self.assertFound("no-answer")

    def test_theClientDidNotWait(self) -> None:
        self.dialogue.feed(CLIENT, b"\x03" + C1)
        self.waits(0.1)
        self.assertEqual(self.dialogue.found, [])

    def test_theClientSaidNothingEither(self) -> None:
        self.dialogue.feed(CLIENT, b"\x03" + C1[:-1])
        self.waits()
        self.assertEqual(self.dialogue.found, [])

    def test_noS2(self) -> None:
        self.dialogue.feed(CLIENT, b"\x03" + C1)
        self.dialogue.feed(SERVER, b"\x03" + bytes(1536))
        self.waits()
        self.assertFound("s2-waits-for-c2", 1537)

    def test_aPartOfS2(self) -> None:
        """The trace, or the server, was cut off."""
        self.dialogue.feed(CLIENT, b"\x03" + C1)
        self.dialogue.feed(SERVER, b"\x03" + bytes(1536) + b"\0")
        self.waits()
        self.assertEqual(self.dialogue.found, [])

    def test_noS2ThoughC2Came(self) -> None:
        """librtmp sends it before; why S2 never came is not known."""
        self.dialogue.feed(CLIENT, b"\x03" + C1)
        self.dialogue.feed(SERVER, b"\x03" + bytes(1536))
        self.dialogue.feed(CLIENT, bytes(1536))
        self.waits()
        self.assertEqual(self.dialogue.found, [])

    def test_noWordToConnect(self) -> None:
        self.dialogue.shakeHands()
        self.dialogue.client(command("connect", 1.0, {"app": "live"}))
        self.waits()
        self.assertFound("no-answer")

    def test_someWordToConnect(self) -> None:
        """It may be on its way."""
        self.dialogue.shakeHands()
        self.dialogue.client(command("connect", 1.0, {"app": "live"}))
        self.dialogue.server(command("onBWDone", 0.0, None))
        self.waits()
        self.assertEqual(self.dialogue.found, [])

    def test_theEndOfAFileIsNone(self) -> None:
        self.dialogue.feed(CLIENT, b"\x03" + C1)
        self.waits(how="end of the file")
        self.assertEqual(self.dialogue.found, [])


class ClosedTests(EndTestCase):
    """The server goes first."""

    def test_connect(self) -> None:
        self.dialogue.shakeHands()
        self.dialogue.client(command("connect", 1.0, {"app": "live"}))
        self.dialogue.server(command("onBWDone", 0.0, None))
        self.dialogue.end(SERVER)
        self.assertFound("refusal-without-status")
        self.assertIn("has not answered connect", self.dialogue.found[0].words)

    def test_publishAndPlay(self) -> None:
        for name in ("publish", "play"):
            self.setUp()
            self.dialogue.createStream()
            self.dialogue.client(command(name, 0.0, None, "key", streamId=1))
            self.dialogue.end(SERVER, "RST")
            self.assertFound("refusal-without-status")
            self.assertIn(
                f"the server resets the connection, and has not answered {name}", self.dialogue.found[0].words
            )

    def test_refused(self) -> None:
        self.dialogue.createStream()
        self.dialogue.client(command("publish", 0.0, None, "key", streamId=1))
        self.dialogue.server(status("NetStream.Publish.BadName", "error"))
        self.dialogue.end(SERVER)
        self.assertEqual(self.dialogue.found, [])

    def test_whilePublishing(self) -> None:
        self.dialogue.publish()
        self.dialogue.end(SERVER, "closed")
        self.assertFound("closed-without-reason")

    def test_beforePublish(self) -> None:
        self.dialogue.createStream()
        self.dialogue.end(SERVER)
        self.assertFound("closed-without-reason")

    def test_theClientSaidThatItGoes(self) -> None:
        self.dialogue.publish()
        self.dialogue.client(command("FCUnpublish", 6.0, None, "key"))
        self.dialogue.end(SERVER)
        self.assertEqual(self.dialogue.found, [])

    def test_theClientWentFirst(self) -> None:
        self.dialogue.publish()
        self.dialogue.end(CLIENT, "reset")
        self.dialogue.end(SERVER)
        self.assertEqual(self.dialogue.found, [])

    def test_aPlayerIsToldByTheEndItself(self) -> None:
        self.dialogue.play()
        self.dialogue.server(media())
        self.dialogue.end(SERVER)
        self.assertEqual(self.dialogue.found, [])

    def test_aPlayerThatWasNeverToldToStart(self) -> None:
        """That is another fault: it has got media."""
        self.dialogue.createStream()
        self.dialogue.client(command("play", 0.0, None, "key", streamId=1))
        self.dialogue.server(media())
        self.dialogue.end(SERVER)
        self.assertEqual(self.dialogue.causes, ["media-before-start"])

    def test_nonsenseIsAReason(self) -> None:
        self.dialogue.publish()
        self.dialogue.feed(CLIENT, b"\xc9" * 64)
        self.dialogue.end(SERVER)
        self.assertEqual(self.dialogue.found, [])

    def test_itWasTheTracer(self) -> None:
        self.dialogue.publish()
        self.dialogue.end(SERVER, "dropped")
        self.assertEqual(self.dialogue.found, [])


class RefusedTests(EndTestCase):
    """A refusal, and no end."""

    def refused(self, *arguments: str) -> None:
        self.dialogue.createStream()
        self.dialogue.client(command("publish", 0.0, None, "key", streamId=1))
        self.dialogue.server(status("NetStream.Publish.BadName", "error"))

    def test_leftOpen(self) -> None:
        self.refused()
        self.waits(30)
        self.assertFound("error-without-close")
        self.assertIn("for 30 s", self.dialogue.found[0].words)

    def test_theServerClosesLate(self) -> None:
        self.refused()
        self.dialogue.now += 60
        self.dialogue.end(SERVER)
        self.assertFound("error-without-close")

    def test_closed(self) -> None:
        self.refused()
        self.dialogue.now += 0.1
        self.dialogue.end(SERVER)
        self.assertEqual(self.dialogue.found, [])

    def test_theClientGoesByItself(self) -> None:
        """FFmpeg: nobody knows what the server would have done."""
        self.refused()
        self.waits(0.1)
        self.assertEqual(self.dialogue.found, [])

    def test_error(self) -> None:
        self.dialogue.shakeHands()
        self.dialogue.client(command("connect", 1.0, {"app": "live"}))
        self.dialogue.server(command("_error", 1.0, None, {"level": "error", "code": "NetConnection.Connect.Rejected"}))
        self.waits(30)
        self.assertFound("error-without-close")

    def test_whatNobodyNeedsMayBeRefused(self) -> None:
        self.dialogue.createStream()
        self.dialogue.client(command("_checkbw", 5.0, None), command("publish", 0.0, None, "key", streamId=1))
        self.dialogue.server(command("_error", 5.0, None, None), status("NetStream.Publish.Start"))
        self.waits(30)
        self.assertEqual(self.dialogue.found, [])

    def test_yesBehindNo(self) -> None:
        """Another name was well."""
        for name, code in (("play", "NetStream.Play.Start"), ("publish", "NetStream.Publish.Start")):
            self.setUp()
            self.refused()
            self.dialogue.client(command(name, 0.0, None, "key2", streamId=1))
            self.dialogue.server(status(code))
            self.waits(30)
            self.assertEqual(self.dialogue.found, [])


class PlayersEndTests(EndTestCase):
    """Two words for the end of the stream."""

    def played(self, *words: object) -> None:
        self.dialogue.play()
        self.dialogue.server(media())
        for word in words:
            self.dialogue.server(word)  # type: ignore[arg-type]

    def test_eofAlone(self) -> None:
        self.played(EOF)
        place = self.dialogue.place(EOF.payload)
        self.waits()
        self.assertFound("end-without-unpublishnotify", place)

    def test_notifyAlone(self) -> None:
        self.played(NOTIFY)
        place = self.dialogue.place(b"\x02\0\x08onStatus")
        self.waits()
        self.assertFound("end-without-streameof", place)

    def test_both(self) -> None:
        for words in ((NOTIFY, EOF), (EOF, NOTIFY), (status("NetStream.Play.Stop"), EOF)):
            self.setUp()
            self.played(*words)
            self.waits()
            self.assertEqual(self.dialogue.found, [])

    def test_closedBehindIt(self) -> None:
        """All players end at FIN."""
        for word in (EOF, NOTIFY):
            self.setUp()
            self.played(word)
            self.dialogue.now += 0.2
            self.dialogue.end(SERVER)
            self.assertEqual(self.dialogue.found, [])

    def test_theClientGoesAtOnce(self) -> None:
        self.played(EOF)
        self.waits(0.2)
        self.assertEqual(self.dialogue.found, [])

    def test_itGoesOn(self) -> None:
        """The next publisher came."""
        self.played(EOF, media())
        self.waits()
        self.assertEqual(self.dialogue.found, [])

    def test_pause(self) -> None:
        pause = status("NetStream.Pause.Notify")
        for words in ((pause, EOF), (EOF, pause)):
            self.setUp()
            self.played(*words)
            self.waits()
            self.assertEqual(self.dialogue.found, [])

    def test_thePlayerWantedToGo(self) -> None:
        """nginx-rtmp answers its deleteStream so."""
        self.played()
        self.dialogue.client(command("deleteStream", 6.0, None, 1.0))
        self.dialogue.server(EOF)
        self.waits()
        self.assertEqual(self.dialogue.found, [])

    def test_noMedia(self) -> None:
        self.dialogue.play()
        self.dialogue.server(EOF)
        self.waits()
        self.assertEqual(self.dialogue.found, [])

    def test_publishersNeedNone(self) -> None:
        self.dialogue.publish()
        self.dialogue.server(EOF)
        self.waits()
        self.assertEqual(self.dialogue.found, [])
