"""
Tests for C{python -m tests.fuzz}, without atheris and with what stands for it.
"""

from __future__ import annotations

import gc
import io
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from pathlib import Path
from types import ModuleType
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.fuzz import __main__ as main
from tests.fuzz.target import names


class Atheris(ModuleType):
    """
    It tries one input, and its mutations.

    @ivar command: what libFuzzer would be told.
    """

    def __init__(self) -> None:
        super().__init__("atheris")
        self.command: list[str] = []
        self.excluded: list[str] = []
        self.tried: list[bytes] = []

    @contextmanager
    def instrument_imports(self, include: list[str], exclude: list[str]) -> Iterator[None]:
        self.excluded = exclude
        yield

    def Mutate(self, data: bytes, most: int) -> bytes:
        return (data + b"x")[:most]

    def Setup(self, command: list[str], check: Callable[[bytes], None], **options: Any) -> None:
        self.command, self._check, self._options = command, check, options

    def Fuzz(self) -> None:
        mutate = self._options.get("custom_mutator", lambda data, most, seed: data)
        for seed in range(10):
            self.tried.append(mutate(b"\0\0\0", 50, seed))
            self._check(self.tried[-1])


class MainTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.directory = self.enterContext(tempfile.TemporaryDirectory())

    def fresh(self) -> str:
        """A path where there is nothing yet."""
        return tempfile.mktemp(dir=self.directory)

    def provide(self, atheris: Atheris | None) -> None:
        """Have this in the place of atheris, whether that is installed or not."""
        modules: dict[str, Any] = sys.modules
        before = modules.get("atheris", self)
        modules["atheris"] = atheris
        self.addCleanup(lambda: modules.pop("atheris") if before is self else modules.update(atheris=before))

    def fuzz(self, *words: str) -> Atheris:
        """Run the command."""
        atheris = Atheris()
        self.provide(atheris)
        self.patch(tempfile, "tempdir", self.fresh())
        os.mkdir(tempfile.gettempdir())
        self.patch(gc, "freeze", lambda: None)
        self.patch(gc, "set_threshold", lambda *numbers: None)
        self.assertEqual(main.main(list(words)), 0)
        return atheris

    def test_missing(self) -> None:
        """Without atheris it says what is missing, and that the rest works without."""
        self.provide(None)
        with redirect_stderr(io.StringIO()) as said:
            self.assertEqual(main.main(["amf0"]), 2)
        self.assertIn("pip install -e '.[fuzz]'", said.getvalue())
        self.assertIn("pytest tests/fuzz", said.getvalue())

    def test_unknown(self) -> None:
        with redirect_stderr(io.StringIO()) as said:
            self.assertRaises(SystemExit, main.main, ["nothing"])
        for name in names():
            self.assertIn(name, said.getvalue())

    def test_run(self) -> None:
        corpus = Path(self.fresh())
        atheris = self.fuzz("amf0", "--runs", "7", "--seconds", "5", "--corpus", str(corpus), "-len_control=0")
        words = " ".join(atheris.command)
        for word in ("-runs=7", "-max_total_time=5", "-max_len=200", "-len_control=0", str(corpus)):
            self.assertIn(word, words)
        self.assertTrue(corpus.is_dir())
        self.assertEqual(len(atheris.tried), 10)
        self.assertGreater(len(list(Path(atheris.command[-1]).iterdir())), 100)
        self.assertIn("rtmptw.server", atheris.excluded)
        self.assertNotIn("rtmptw.wire.amf0", atheris.excluded)

    def test_mutator(self) -> None:
        atheris = self.fuzz("server", "--corpus", self.fresh())
        self.assertGreater(len(set(atheris.tried)), 3)
        self.assertNotIn("rtmptw.live.livestream", atheris.excluded)

    def test_minimize(self) -> None:
        """Merging runs the command again, and that adds nothing to what it is told."""
        corpus, small = self.fresh(), Path(self.fresh())
        atheris = self.fuzz("flv", "--corpus", corpus, "--minimize", str(small))
        self.assertIn("-merge=1", atheris.command)
        self.assertTrue(small.is_dir())
        self.assertTrue(atheris.command[0].endswith("-m tests.fuzz flv"))
        again = self.fuzz("flv", "-merge_control_file=/x", "-runs=1")
        self.assertEqual(again.command[-2:], ["-merge_control_file=/x", "-runs=1"])
