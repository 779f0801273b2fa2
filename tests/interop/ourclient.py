"""
Our client as a program, since the tests block: it publishes a file or plays into one, through the public names alone,
and says how far it has come, a line each::

    python -m tests.interop.ourclient publish rtmp://127.0.0.1/live/test input.flv
    python -m tests.interop.ourclient play rtmp://127.0.0.1/live/test output.flv

    running
    started
    sent
    ended: REASON
    closed

or C{failed: NAME OF THE ERROR: TEXT}, with the exit status 1. C{cut: TEXT} says that the server has ended the stream
before all was sent; it is closed all the same. What the client logs stands between.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any, BinaryIO

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer
from twisted.internet.task import deferLater, react
from twisted.logger import globalLogBeginner, textFileLogObserver
from zope.interface import implementer

import rtmptw
from rtmptw.tls.client import clientTLS, trustedCertificates
from rtmptw.wire.flv import FLVReader, FLVTag, encodeTag, fileHeader
from tests.interop.processes import Process, waitFor
from tests.interop.server import ROOT

__all__ = ["PACES", "OurClient"]

#: How fast to publish: as the timestamps say; or as fast as the server takes it, as a push or as a pull producer.
PACES = ("real", "push", "pull")


class OurClient(Process):
    """The program as a child, to be used in a C{with}."""

    def __init__(self, action: str, url: str, file: Path, log: Path, *options: str) -> None:
        """
        @param action: C{"publish"} or C{"play"}.
        @param log: for what it says.
        @param options: more of the command line; see L{_arguments}.
        """
        command = [sys.executable, "-m", "tests.interop.ourclient", action, url, str(file), *options]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
        super().__init__(command, log, environment)

    def said(self, word: str) -> list[str]:
        """What stands behind a word at the beginning of its lines."""
        lines = [line.partition(":") for line in self.output.splitlines()]
        return [text.strip() for first, _, text in lines if first == word]

    def started(self) -> None:
        """
        Wait until the server has said yes.

        @raise AssertionError: if it does not.
        """
        waitFor("our client to start", lambda: self.said("started") or self.status is not None)
        if not self.said("started"):
            raise AssertionError(f"our client does not start: {self}")

    def failure(self, patience: float) -> str:
        """
        Wait until it has failed by itself.

        @param patience: seconds, from when the program runs: on a busy machine Python alone takes some to start.
        @return: the name of the error, and its text.
        @raise AssertionError: if it does not, or in another way.
        """
        waitFor("our client to run", lambda: self.said("running") or self.status is not None)
        status = self.wait(patience)
        failed = self.said("failed")
        if status != 1 or len(failed) != 1 or "Traceback" in self.output:
            raise AssertionError(f"ended with status {status}, and not by one error: {self}")
        return failed[0]

    def succeed(self, patience: float = 40.0) -> None:
        """See L{Process.succeed}. Nothing may have been logged as a bug."""
        super().succeed(patience)
        if "Traceback" in self.output or "internal error" in self.output:
            raise AssertionError(f"our client has logged a bug: {self}")


def _say(text: str) -> None:
    print(text, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("action", choices=("publish", "play"))
    parser.add_argument("url")
    parser.add_argument("file", type=Path)
    parser.add_argument("--pace", choices=PACES, default="real")
    parser.add_argument("--endpoint", help="another way than to the URL's host and port")
    parser.add_argument("--ca", help="whom to trust, in place of those that the system trusts")
    parser.add_argument("--insecure", action="store_true", help="check no certificate")
    parser.add_argument("--verbose", action="store_true", help="a line for each message")
    return parser.parse_args()


def _options(arguments: argparse.Namespace, reactor: Any) -> dict[str, Any]:
    """For L{rtmptw.connect}."""
    options: dict[str, Any] = {"reactor": reactor, "verbose": arguments.verbose}
    if arguments.endpoint:
        options["endpoint"] = arguments.endpoint
    if arguments.ca or arguments.insecure:
        trusted = trustedCertificates(arguments.ca) if arguments.ca else None
        options["tls"] = clientTLS(rtmptw.RTMPURL.parse(arguments.url).host, trusted, not arguments.insecure)
    return options


def _message(tag: FLVTag) -> rtmptw.Message:
    return rtmptw.Message(tag.type, tag.timestamp, 0, tag.payload, 0)


@implementer(IPushProducer)
class _Producer:
    """
    Sends everything as soon as it may; as a pull producer, one message each time.

    @ivar sent: fires when all is sent; fails if the stream is over before.
    """

    def __init__(self, stream: rtmptw.PublishedStream, tags: list[FLVTag], pushes: bool) -> None:
        self.sent: Deferred[None] = Deferred()
        self._stream = stream
        self._tags = iter(tags)
        self._pushes = pushes
        self._paused = False

    def resumeProducing(self) -> None:
        self._paused = False
        while not self._paused:
            tag = next(self._tags, None)
            if tag is None:
                self._stream.unregisterProducer()
                self.sent.callback(None)
                return
            self._stream.send(_message(tag))
            if not self._pushes:
                return

    def pauseProducing(self) -> None:
        self._paused = True

    def stopProducing(self) -> None:
        self._paused = True
        self.sent.errback(rtmptw.ConnectionClosed("publish", "the stream is over"))


async def _realTime(stream: rtmptw.PublishedStream, tags: list[FLVTag], reactor: Any) -> None:
    """Each when its timestamp says, counted from the first."""
    began = reactor.seconds()
    for tag in tags:
        early = began + (tag.timestamp - tags[0].timestamp) / 1000 - reactor.seconds()
        if early > 0:
            await deferLater(reactor, early)
        stream.send(_message(tag))


async def _send(stream: rtmptw.PublishedStream, tags: list[FLVTag], pace: str, reactor: Any) -> None:
    """Send everything. Raises L{ConnectionClosed} if the stream ends before."""
    if pace == "real":
        await _realTime(stream, tags, reactor)
    else:
        pushes = pace == "push"
        producer = _Producer(stream, tags, pushes)
        stream.registerProducer(producer, pushes)
        if pushes:
            producer.resumeProducing()
        await producer.sent


async def _publish(arguments: argparse.Namespace, reactor: Any) -> None:
    tags = FLVReader().feed(arguments.file.read_bytes())
    stream = await rtmptw.publish(arguments.url, **_options(arguments, reactor))
    _say("started")
    stream.whenEnded().addCallback(lambda reason: _say(f"ended: {reason}"))
    try:
        await _send(stream, tags, arguments.pace, reactor)
        _say("sent")
    except rtmptw.ConnectionClosed as error:
        _say(f"cut: {error}")
    await stream.close()


@implementer(rtmptw.ISubscriber)
class _Writer:
    """Writes all of it into a file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        file.write(fileHeader())

    def messageReceived(self, message: rtmptw.Message) -> None:
        self._file.write(encodeTag(message.type, message.timestamp, message.payload))

    def streamEnded(self, reason: str) -> None:
        self._file.close()
        _say(f"ended: {reason}")


async def _play(arguments: argparse.Namespace, reactor: Any) -> None:
    with arguments.file.open("wb") as file:
        stream = await rtmptw.play(arguments.url, _Writer(file), **_options(arguments, reactor))
        _say("started")
        await stream.whenEnded()
        await stream.close()


async def main(reactor: Any) -> None:
    """Do what the command line says."""
    globalLogBeginner.beginLoggingTo([textFileLogObserver(sys.stderr)], redirectStandardIO=False)
    arguments = _arguments()
    _say("running")
    try:
        await (_publish if arguments.action == "publish" else _play)(arguments, reactor)
    except rtmptw.RTMPError as error:
        _say(f"failed: {type(error).__name__}: {error}")
        raise SystemExit(1) from None
    _say("closed")


if __name__ == "__main__":
    react(main)
