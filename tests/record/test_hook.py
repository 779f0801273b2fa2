"""Tests for L{rtmptw.record.hook}."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any, cast

from twisted.internet.error import ProcessDone, ProcessExitedAlready, ProcessTerminated
from twisted.internet.interfaces import IReactorProcess
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.task import Clock
from twisted.internet.testing import EventLoggingObserver
from twisted.logger import globalLogPublisher
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.record.hook import (
    CHILDREN,
    HOOK_SECONDS,
    MAX_NAMES,
    MAX_STDERR,
    OLD_QUEUE,
    QUEUE,
    SHUTDOWN_SECONDS,
    Hook,
    Recorded,
    readCommand,
)

FILE = Recorded("/recordings/live/camera-1.flv", "live/camera", 12.3456, 789)


class Transport:
    """
    What a child is seen through.

    @ivar done: what was done to it.
    """

    def __init__(self, pid: int | None) -> None:
        self.pid = pid
        self.done: list[object] = []

    def signalProcess(self, name: str) -> None:
        """Send a signal."""
        self.done.append(name)
        if self.pid is None:
            raise ProcessExitedAlready

    def closeChildFD(self, descriptor: int) -> None:
        """Close our end of a pipe."""
        self.done.append(descriptor)


class Processes:
    """
    A reactor that starts children.

    @ivar children: those that run, by their number.
    @ivar words: what each was started with.
    """

    def __init__(self) -> None:
        self.children: dict[int, ProcessProtocol] = {}
        self.words: list[list[bytes]] = []
        self.environments: list[dict[bytes, bytes]] = []
        self.descriptors: list[dict[int, Any]] = []
        self.most = 0
        self.error: OSError | None = None

    def spawnProcess(
        self,
        protocol: ProcessProtocol,
        executable: str,
        args: list[bytes],
        env: dict[bytes, bytes],
        childFDs: dict[int, Any],
    ) -> None:
        """Start one."""
        if self.error is not None:
            raise self.error
        self.words.append(args)
        self.environments.append(env)
        self.descriptors.append(childFDs)
        self.children[1000 + len(self.words)] = protocol
        self.most = max(self.most, len(self.children))
        protocol.makeConnection(Transport(1000 + len(self.words)))  # type: ignore[arg-type]

    def end(self, status: int | None = 0, sign: int | None = None, stderr: bytes = b"") -> None:
        """The oldest one ends."""
        child = self.children.pop(min(self.children))
        if stderr:
            child.childDataReceived(2, stderr)
        done = status == 0
        child.processEnded(Failure(ProcessDone(0) if done else ProcessTerminated(status, sign)))  # type: ignore[arg-type]


class HookTestCase(SynchronousTestCase):
    """A hook, and children that are none."""

    def setUp(self) -> None:
        """A command with every value."""
        self.clock = Clock()
        self.processes = Processes()
        self.events = EventLoggingObserver.createWithCleanup(self, globalLogPublisher)
        self.killed: list[tuple[int, int]] = []
        self.patch(os, "killpg", lambda *arguments: self.killed.append(arguments))
        self.hook = self.make("/bin/done --size={bytes} -- {file} {path} {seconds}")

    def make(self, command: str, seconds: float = HOOK_SECONDS) -> Hook:
        """A hook."""
        return Hook(readCommand(command), cast(IReactorProcess, self.processes), self.clock, seconds)

    def lines(self) -> list[str]:
        """What is in the log."""
        return [event["log_format"].format(**event) for event in self.events]


class CommandTests(SynchronousTestCase):
    """Command lines."""

    def test_words(self) -> None:
        """They are cut as a shell cuts them, and nothing else is done to them."""
        for text, words in (
            ("done", ("done",)),
            ("done {file} -- '{path} x' \"a b\" c\\ d", ("done", "{file}", "--", "{path} x", "a b", "c d")),
            ("done $HOME `id` ; * | x", ("done", "$HOME", "`id`", ";", "*", "|", "x")),
            ("done { } {} {}{", None),
            ("done {X} ${HOME}", ("done", "{X}", "${HOME}")),
        ):
            if words is None:
                self.assertRaises(ValueError, readCommand, text)
            else:
                self.assertEqual(readCommand(text), words)

    def test_refused(self) -> None:
        """What is none."""
        for text, wrong in (
            ("", "there is no program"),
            ("  ", "there is no program"),
            ("'' x", "there is no program"),
            ("done '", "No closing quotation"),
            ("done {name}", "there is no value {name}; there are {file} {path} {seconds} {bytes}"),
            ("{file}", "the program can't be a value"),
            ("/bin/{path}", "the program can't be a value"),
        ):
            self.assertIn(wrong, str(self.assertRaises(ValueError, readCommand, text)))


class StartTests(HookTestCase):
    """How a child is started."""

    def test_words(self) -> None:
        """Values stand in their places, each within its word; no shell is there."""
        self.hook.add(FILE)
        (words,) = self.processes.words
        self.assertEqual(words[:3], [os.fsencode(sys.executable), b"-I", b"-S"])
        self.assertEqual(
            words[5:],
            [b"/bin/done", b"--size=789", b"--", b"/recordings/live/camera-1.flv", b"live/camera", b"12.346"],
        )

    def test_environment(self) -> None:
        """The same is in the environment, which is ours otherwise."""
        self.hook.add(FILE)
        (environment,) = self.processes.environments
        ours = {name: value for name, value in environment.items() if name.startswith(b"RTMPTW_")}
        self.assertLessEqual(
            {
                (b"RTMPTW_FILE", b"/recordings/live/camera-1.flv"),
                (b"RTMPTW_PATH", b"live/camera"),
                (b"RTMPTW_SECONDS", b"12.346"),
                (b"RTMPTW_BYTES", b"789"),
            },
            set(ours.items()),
        )
        self.assertEqual(environment[b"PATH"], os.environb[b"PATH"])

    def test_descriptors(self) -> None:
        """It reads nothing, and of what it writes only stderr comes to us."""
        self.hook.add(FILE)
        (descriptors,) = self.processes.descriptors
        self.assertEqual(set(descriptors), {0, 1, 2})
        self.assertEqual((descriptors[0], descriptors[2]), (descriptors[1], "r"))
        self.assertRaises(OSError, os.fstat, descriptors[0])

    def test_D7_values(self) -> None:
        """Hostile row D7: a value that looks like a place for another one is none; what is no text is passed on."""
        self.make("/bin/done {file}{path}").add(Recorded("/r/{path}\udcff", "{file}$(id)", 0.0, 0))
        self.assertEqual(self.processes.words[0][6:], [b"/r/{path}\xff{file}$(id)"])

    def test_cantStart(self) -> None:
        """A child that can't be started is logged, and the others go on."""
        self.processes.error = OSError(11, "Resource temporarily unavailable")
        self.hook.add(FILE)
        self.assertEqual((self.hook.running, self.hook.waiting), (0, 0))
        self.assertIn("can't be started: [Errno 11]", self.lines()[0])
        self.processes.error = None
        self.hook.add(FILE)
        self.assertEqual(self.hook.running, 1)


class EndTests(HookTestCase):
    """How a child ends."""

    def line(self, *arguments: Any, **options: Any) -> tuple[str, str]:
        """Have a child that ends, and give the level and the text of the line about it."""
        self.hook.add(FILE)
        self.processes.end(*arguments, **options)
        event = list(self.events)[-1]
        return event["log_level"].name, event["log_format"].format(**event)

    def test_status(self) -> None:
        """How it has ended is in the log; badly, as an error."""
        self.assertEqual(self.line(0), ("info", f"the hook for {FILE.file}: exit status 0"))
        self.assertEqual(self.line(3), ("error", f"the hook for {FILE.file}: exit status 3"))
        self.assertEqual(self.line(None, 11), ("error", f"the hook for {FILE.file}: ended by signal 11"))

    def test_stderr(self) -> None:
        """What it said is there as well, in one line that does nothing to a terminal."""
        _, line = self.line(1, stderr=b"no such bucket\n\x1b[2J\xff\n")
        self.assertTrue(line.endswith("exit status 1: no such bucket\\n\\x1b[2J\\xff"), line)

    def test_muchStderr(self) -> None:
        """But no more than so much of it."""
        for size in (MAX_STDERR - 1, MAX_STDERR, MAX_STDERR + 1):
            self.hook.add(FILE)
            (child,) = self.processes.children.values()
            for _ in range(size):
                child.childDataReceived(2, b"x")
            child.childDataReceived(2, b"" if size < MAX_STDERR else b"y" * 1_000_000)
            self.processes.end(1)
            self.assertTrue(self.lines()[-1].endswith(f"exit status 1: {'x' * min(size, MAX_STDERR)}"))

    def test_timeout(self) -> None:
        """What has not ended in time is killed, with all that it has started."""
        hook = self.make("/bin/done", 2.5)
        hook.add(FILE)
        self.clock.advance(2.4)
        self.assertEqual(self.killed, [])
        self.clock.advance(0.1)
        self.assertEqual(self.killed, [(1001, signal.SIGKILL)])
        transport = cast(Transport, self.processes.children[1001].transport)
        self.assertEqual(transport.done, [2])
        self.processes.end(None, 9, stderr=b"still at it")
        self.assertIn(": killed, because it has not ended after 2.5 s: still at it", self.lines()[-1])
        self.assertEqual((hook.running, self.clock.getDelayedCalls()), (0, []))

    def test_inTime(self) -> None:
        """What has is not."""
        self.hook.add(FILE)
        self.clock.advance(HOOK_SECONDS - 0.1)
        self.processes.end()
        self.clock.advance(60)
        self.assertEqual((self.killed, self.clock.getDelayedCalls()), ([], []))

    def test_noGroup(self) -> None:
        """A child without a group is killed by itself; one that is gone already, not at all."""

        def fail(group: int, sign: int) -> None:
            raise ProcessLookupError

        self.patch(os, "killpg", fail)
        for pid in (1001, None):
            self.hook.add(FILE)
            transport = cast(Transport, self.processes.children[min(self.processes.children)].transport)
            transport.pid = pid
            self.clock.advance(HOOK_SECONDS)
            self.assertEqual(transport.done, ["KILL", 2])
            self.processes.end(None, 9)


class QueueTests(HookTestCase):
    """Many recordings."""

    def test_children(self) -> None:
        """So many children at a time, and no more; the others wait, and none is forgotten."""
        for count in range(1, 3 * CHILDREN + 1):
            self.hook.add(FILE._replace(bytes=count))
            self.assertEqual(self.hook.running, min(count, CHILDREN))
            self.assertEqual(self.hook.waiting, max(0, count - CHILDREN))
        while self.processes.children:
            self.processes.end()
        self.assertEqual(self.processes.most, CHILDREN)
        sizes = [words[6] for words in self.processes.words]
        self.assertEqual(sizes, [b"--size=%d" % count for count in range(1, 3 * CHILDREN + 1)])

    def test_queue(self) -> None:
        """So many may wait; what comes then has no hook, and is counted, with one line in the log."""
        for _ in range(CHILDREN + QUEUE):
            self.hook.add(FILE)
        self.assertEqual((self.hook.waiting, self.hook.dropped, self.lines()), (QUEUE, 0, []))
        for _ in range(3):
            self.hook.add(FILE)
        self.assertEqual((self.hook.waiting, self.hook.dropped), (QUEUE, 3))
        self.assertEqual(self.lines(), [f"{QUEUE} recordings wait for their hook; more have none"])

    def test_old(self) -> None:
        """What a crash had left waits behind all others, in a queue of its own."""
        for count in range(CHILDREN + OLD_QUEUE + 1):
            self.hook.add(FILE._replace(bytes=count), isOld=True)
        self.assertEqual((self.hook.waiting, self.hook.dropped), (OLD_QUEUE, 1))
        self.hook.add(FILE._replace(bytes=99_999))
        self.assertEqual((self.hook.waiting, self.hook.dropped), (OLD_QUEUE + 1, 1))
        self.processes.end()
        self.assertEqual(self.processes.words[-1][6], b"--size=99999")
        self.processes.end()
        self.assertEqual(self.processes.words[-1][6], b"--size=%d" % CHILDREN)


class FinishTests(HookTestCase):
    """The end of the server."""

    def test_nothing(self) -> None:
        """With nothing to do, it is over at once."""
        self.successResultOf(self.hook.finish())
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_waits(self) -> None:
        """It waits for those that run and for those that wait."""
        for _ in range(CHILDREN + 2):
            self.hook.add(FILE)
        finished, again = self.hook.finish(), self.hook.finish()
        while self.processes.children:
            self.assertNoResult(finished)
            self.processes.end()
        self.successResultOf(finished)
        self.successResultOf(again)
        self.assertEqual(len(self.processes.words), CHILDREN + 2)
        self.assertEqual((self.clock.getDelayedCalls(), self.killed), ([], []))

    def test_bounded(self) -> None:
        """But not for ever: then children are killed, and who waits has none."""
        for _ in range(CHILDREN + 2):
            self.hook.add(FILE)
        self.hook.add(FILE, isOld=True)
        finished = self.hook.finish()
        self.clock.advance(SHUTDOWN_SECONDS)
        self.assertEqual(len(self.killed), CHILDREN)
        self.assertNoResult(finished)
        while self.processes.children:
            self.processes.end(None, 9)
        self.successResultOf(finished)
        self.assertEqual((len(self.processes.words), self.hook.dropped), (CHILDREN, 3))
        file = FILE.file
        self.assertEqual(self.lines()[0], f"the server stops: no hook for {file}, {file}, {file}")
        self.assertEqual(self.lines()[1], f"the server stops, so hooks are killed: those for {', '.join([file] * 8)}")
        self.assertIn("killed, because the server stops", self.lines()[-1])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_boundedWithoutQueue(self) -> None:
        """The same if nobody waits: there is nothing to say about that."""
        self.hook.add(FILE)
        finished = self.hook.finish()
        self.clock.advance(SHUTDOWN_SECONDS)
        self.processes.end(None, 9)
        self.successResultOf(finished)
        self.assertEqual(len(self.lines()), 2)

    def test_sinceItWasAsked(self) -> None:
        """The time begins when the server is asked to stop, however late it gets so far as to wait."""
        self.hook.stop()
        self.hook.stop()
        self.hook.add(FILE)
        self.clock.advance(SHUTDOWN_SECONDS - 1)
        finished = self.hook.finish()
        self.clock.advance(1)
        self.assertEqual(len(self.killed), 1)
        self.processes.end(None, 9)
        self.successResultOf(finished)
        self.hook.add(FILE)
        self.assertEqual((len(self.processes.words), self.hook.dropped), (1, 1))
        self.assertEqual(self.lines()[-1], f"the server stops: no hook for {FILE.file}")
        self.successResultOf(self.hook.finish())
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_abort(self) -> None:
        """Nobody survives the server; and of many, some are named."""
        for count in range(CHILDREN + MAX_NAMES + 1):
            self.hook.add(FILE._replace(file=f"/{count}"))
        self.hook.abort()
        self.assertEqual(len(self.killed), CHILDREN)
        names = ", ".join(f"/{count}" for count in range(CHILDREN, CHILDREN + MAX_NAMES))
        self.assertEqual(self.lines()[0], f"the server stops: no hook for {names} and 1 more")
