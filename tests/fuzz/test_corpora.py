"""
The targets of fuzzing, with the inputs that are kept. atheris is not needed for this.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.auth.signedurl import SignedURLs
from rtmptw.live.livestream import LiveStream
from rtmptw.session.call import Calls
from rtmptw.session.serverconnection import ServerConnection
from rtmptw.trace.talk import Talk
from rtmptw.wire import amf3, enhanced, handshake, oneline
from rtmptw.wire.amfcoding import Reader
from rtmptw.wire.chunkreader import ChunkReader
from rtmptw.wire.flv import FLVReader
from tests.fuzz.target import CORPORA, corpus, names, target

#: How large the corpora may be: a file, and all of them, bytes.
MOST_OF_ONE = 64 * 1024
MOST_OF_ALL = 1536 * 1024


class CorpusTests(SynchronousTestCase):
    """Every input that is kept, and every seed, ends well."""

    def assertStands(self, name: str) -> None:
        """The target stands its corpus and its seeds."""
        check = target(name).check
        inputs = [*corpus(name), *((f"seed {number}", seed) for number, seed in enumerate(target(name).seeds()))]
        self.assertGreater(len(inputs), 20)
        for file, data in inputs:
            try:
                check(data)
            except Exception as error:
                raise self.failureException(f"{name}, {file}: {type(error).__name__}: {error}") from error

    def test_amf0(self) -> None:
        self.assertStands("amf0")

    def test_amf3(self) -> None:
        self.assertStands("amf3")

    def test_auth(self) -> None:
        self.assertStands("auth")

    def test_chunks(self) -> None:
        self.assertStands("chunks")

    def test_client(self) -> None:
        self.assertStands("client")

    def test_flv(self) -> None:
        self.assertStands("flv")

    def test_handshake(self) -> None:
        self.assertStands("handshake")

    def test_media(self) -> None:
        self.assertStands("media")

    def test_messages(self) -> None:
        self.assertStands("messages")

    def test_server(self) -> None:
        self.assertStands("server")

    def test_trace(self) -> None:
        self.assertStands("trace")

    def test_all(self) -> None:
        """None is forgotten, neither here nor in the directory."""
        methods = {name.removeprefix("test_") for name in dir(self) if name.startswith("test_")}
        self.assertEqual(set(names()) - methods, set())
        self.assertEqual({path.name for path in CORPORA.iterdir()}, set(names()))
        self.assertRaises(KeyError, target, "nothing")

    def test_size(self) -> None:
        sizes = [path.stat().st_size for name in names() for path in (CORPORA / name).iterdir()]
        self.assertLess(max(sizes), MOST_OF_ONE)
        self.assertLess(sum(sizes), MOST_OF_ALL)


class PlantedTests(SynchronousTestCase):
    """A mistake in what a target is about is found with the inputs that are kept."""

    def assertFound(self, name: str, place: Any, attribute: str, mistake: Callable[..., Any]) -> None:
        """With this in the place of that, the target does not stand all of its inputs."""
        self.patch(place, attribute, mistake)
        check = target(name).check
        for _, data in [*corpus(name), *(("", seed) for seed in target(name).seeds())]:
            try:
                check(data)
            except Exception:
                return
        raise self.failureException(f"{name}: nothing is found")

    def test_amf0(self) -> None:
        """An exception of Python's own comes out."""

        def text(self: Reader, size: int) -> str:
            return self.take(size).decode()

        self.assertFound("amf0", Reader, "text", text)

    def test_amf3(self) -> None:
        """What was read is written as something else."""
        original = amf3.Encoder._u29
        self.assertFound("amf3", amf3.Encoder, "_u29", lambda encoder, value: original(encoder, value & 0x3FFF))

    def test_auth(self) -> None:
        """Any signature is good."""
        self.assertFound("auth", SignedURLs, "_isRight", lambda *arguments: True)

    def test_chunks(self) -> None:
        """It depends on the cuts."""
        original = ChunkReader._readChunks

        def readChunks(self: ChunkReader, *arguments: int) -> bytes | None:
            payload = original(self, *arguments)
            return payload and payload[:-1] + b"?"

        self.assertFound("chunks", ChunkReader, "_readChunks", readChunks)

    def test_client(self) -> None:
        """Somebody waits for ever."""
        self.assertFound("client", Calls, "close", lambda *arguments: None)

    def test_flv(self) -> None:
        original = FLVReader._drop
        self.assertFound("flv", FLVReader, "_drop", lambda reader, size: original(reader, max(0, size - 1)))

    def test_handshake(self) -> None:
        """A right digest is not found."""
        self.assertFound("handshake", handshake, "findDigest", lambda block, key: None)

    def test_media(self) -> None:
        """A track that is cut short is believed."""
        self.assertFound("media", enhanced, "_need", lambda *arguments: None)

    def test_messages(self) -> None:
        """A line can't be made."""
        self.assertFound("messages", oneline, "_changed", lambda value, change, plain=(): value["name"])

    def test_serverRaises(self) -> None:
        """An exception is caught and logged."""

        def answer(*arguments: object) -> None:
            raise KeyError("planted")

        self.assertFound("server", ServerConnection, "_answer", answer)

    def test_serverLeaves(self) -> None:
        """A viewer that has gone is kept."""
        self.assertFound("server", LiveStream, "leave", lambda *arguments: None)

    def test_trace(self) -> None:
        self.assertFound("trace", Talk, "_serverCommand", lambda talk, entry, values: values.placed[7])
