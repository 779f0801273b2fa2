# -*- test-case-name: tests.record.test_hook -*-
"""
The hook: a program that is run for every recording that is finished.

It is run without a shell: its words are those of the option, cut as a shell cuts them. In them, C{{file}} becomes the
file's absolute name, C{{path}} the stream's path (percent-encoded, L{rtmptw.record.template.encodePath}), C{{seconds}}
the duration, and C{{bytes}} the size. The same is in its environment: C{RTMPTW_FILE}, C{RTMPTW_PATH},
C{RTMPTW_SECONDS}, C{RTMPTW_BYTES}. What a publisher chooses can't become an option or a second word: a file begins with
a slash, a path never with a hyphen, and none of them holds a space. Still, C{--} before them does no harm.

At most L{CHILDREN} run at a time; L{QUEUE} more may wait, and what comes then has no hook. What a crash had left waits
in a queue of its own, behind all others. A program that is not done in time is killed, and everything that it has
started and that has not left its process group.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import sys
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.interfaces import IDelayedCall, IProcessTransport, IReactorProcess, IReactorTime
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger, LogLevel
from twisted.python.failure import Failure

__all__ = [
    "CHILDREN",
    "HOOK_SECONDS",
    "MAX_NAMES",
    "MAX_STDERR",
    "OLD_QUEUE",
    "QUEUE",
    "SHUTDOWN_SECONDS",
    "Hook",
    "Recorded",
    "readCommand",
]

#: How many children there are at a time.
CHILDREN = 8

#: How many recordings may wait for theirs; and how many of those that a crash had left.
QUEUE, OLD_QUEUE = 256, 16384

#: How long a child may take, seconds, if nobody says anything else.
HOOK_SECONDS = 10.0

#: How long everything may take when the server stops, seconds.
SHUTDOWN_SECONDS = 5.0

#: How much of what a child writes to stderr is logged, bytes.
MAX_STDERR = 256

#: How many recordings are named in a line of the log.
MAX_NAMES = 20

_STDERR = 2

_PLACE = re.compile(r"\{([a-z_]*)\}")
_VALUES = ("file", "path", "seconds", "bytes")

#: A process group of its own, in which whatever the child starts can be killed. Only the child itself can make one, and
#: only before it becomes the program. Python ignores SIGPIPE; programs do not expect that.
_LEADER = (
    "import os,signal,sys\n"
    "os.setsid()\n"
    "signal.signal(signal.SIGPIPE,signal.SIG_DFL)\n"
    "try:\n os.execvp(sys.argv[1],sys.argv[1:])\n"
    "except OSError as error:\n sys.exit(sys.argv[1]+': '+str(error.strerror))"
)


class Recorded(NamedTuple):
    """
    What a hook is told.

    @ivar file: the absolute name.
    @ivar path: the stream's path, percent-encoded; nothing, if it is not known any more.
    """

    file: str
    path: str
    seconds: float
    bytes: int

    def values(self) -> dict[str, str]:
        """As text."""
        values = (self.file, self.path, f"{self.seconds:.3f}", str(self.bytes))
        return dict(zip(_VALUES, values, strict=True))


def readCommand(text: str) -> tuple[str, ...]:
    """
    Read a command line.

    @return: its words, with the places of values as they are.
    @raise ValueError: if it is none, and what is wrong.
    """
    words = tuple(shlex.split(text))
    if not words or not words[0]:
        raise ValueError("there is no program")
    for word in words:
        for place in _PLACE.finditer(word):
            if place[1] not in _VALUES:
                known = " ".join(f"{{{name}}}" for name in _VALUES)
                raise ValueError(f"there is no value {place[0]}; there are {known}")
    if _PLACE.search(words[0]):
        raise ValueError("the program can't be a value")
    return words


class Hook:
    """
    The hook of a recorder.

    @ivar running: how many children there are.
    @ivar waiting: how many recordings wait for theirs.
    @ivar dropped: how many had none, because too many waited, or the server stopped.
    """

    _log = Logger()

    def __init__(
        self, words: Sequence[str], process: IReactorProcess, clock: IReactorTime, seconds: float = HOOK_SECONDS
    ) -> None:
        """
        @param words: the command, as of L{readCommand}.
        @param process: the reactor, which starts children.
        @param seconds: how long a child may take.
        """
        self._words = tuple(words)
        self._process = process
        self._clock = clock
        self._seconds = seconds
        self._queue: deque[Recorded] = deque()
        self._old: deque[Recorded] = deque()
        self._children: set[_Child] = set()
        self._idle: list[Deferred[None]] = []
        self._late: IDelayedCall | None = None
        self._isOver = False
        self.dropped = 0

    @property
    def running(self) -> int:
        """See the class."""
        return len(self._children)

    @property
    def waiting(self) -> int:
        """See the class."""
        return len(self._queue) + len(self._old)

    def add(self, recorded: Recorded, isOld: bool = False) -> None:
        """
        A recording is finished.

        @param isOld: whether a crash had left it.
        """
        if self._isOver:
            self._sayMissed([recorded])
            return
        queue, most = (self._old, OLD_QUEUE) if isOld else (self._queue, QUEUE)
        if len(queue) >= most:
            if not self.dropped:
                self._log.error("{count} recordings wait for their hook; more have none", count=most)
            self.dropped += 1
            return
        queue.append(recorded)
        self._next()

    def stop(self) -> None:
        """The server stops: in L{SHUTDOWN_SECONDS} children are killed, and who waits then has none."""
        if self._late is None and not self._isOver:
            self._late = self._clock.callLater(SHUTDOWN_SECONDS, self.abort)

    def finish(self) -> Deferred[None]:
        """
        L{stop}, and wait.

        @return: fires when there are no children any more.
        """
        self.stop()
        done: Deferred[None] = Deferred()
        self._idle.append(done)
        self._rest()
        return done

    def abort(self) -> None:
        """Kill all children. Who waits, or comes later, has none."""
        self._isOver = True
        missed = [*self._queue, *self._old]
        self._queue.clear()
        self._old.clear()
        if missed:
            self._sayMissed(missed)
        if self._children:
            files = _some([child.file for child in self._children])
            self._log.error("the server stops, so hooks are killed: those for {files}", files=files)
        for child in tuple(self._children):
            child.kill("the server stops")

    def _sayMissed(self, missed: Sequence[Recorded]) -> None:
        self.dropped += len(missed)
        self._log.error("the server stops: no hook for {files}", files=_some([recorded.file for recorded in missed]))

    def _rest(self) -> None:
        """If nothing is left to be done, tell who waits for that."""
        if not self._children and self._idle:
            if self._late is not None and self._late.active():
                self._late.cancel()
            idle, self._idle = self._idle, []
            for done in idle:
                done.callback(None)

    def _next(self) -> None:
        while len(self._children) < CHILDREN and self.waiting:
            self._start((self._queue or self._old).popleft())
        self._rest()

    def _start(self, recorded: Recorded) -> None:
        values = recorded.values()
        words = [_PLACE.sub(lambda place: values[place[1]], word) for word in self._words]
        environment = {**os.environ, **{f"RTMPTW_{name.upper()}": value for name, value in values.items()}}
        arguments = [sys.executable, "-I", "-S", "-c", _LEADER, *words]
        child = _Child(self, recorded.file, self._clock, self._seconds)
        self._children.add(child)
        try:
            with open(os.devnull, "r+b") as null:
                self._process.spawnProcess(
                    child,
                    sys.executable,
                    # A directory's name may be no text.
                    [os.fsencode(word) for word in arguments],
                    {os.fsencode(name): os.fsencode(value) for name, value in environment.items()},
                    childFDs={0: null.fileno(), 1: null.fileno(), _STDERR: "r"},
                )
        except OSError as error:
            self._log.error("the hook for {file} can't be started: {error}", file=recorded.file, error=error)
            self._children.discard(child)

    def ended(self, child: _Child, text: str, isGood: bool) -> None:
        """A child is no more."""
        self._children.discard(child)
        level = LogLevel.info if isGood else LogLevel.error
        self._log.emit(level, "the hook for {file}: {text}", file=child.file, text=text)
        self._next()


class _Child(ProcessProtocol):
    """
    A child.

    @ivar file: the recording that it is for.
    """

    transport: IProcessTransport

    def __init__(self, hook: Hook, file: str, clock: IReactorTime, seconds: float) -> None:
        self.file = file
        self._hook = hook
        self._clock = clock
        self._seconds = seconds
        self._stderr = b""
        self._killed = ""
        self._group: int | None = None
        self._timeout: IDelayedCall | None = None

    def connectionMade(self) -> None:
        """It runs."""
        self._group = self.transport.pid
        self._timeout = self._clock.callLater(self._seconds, self.kill, f"it has not ended after {self._seconds:g} s")

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        """What it says goes into the log, if there is not too much of it."""
        self._stderr += data[: MAX_STDERR - len(self._stderr)]

    def kill(self, reason: str) -> None:
        """Kill it, and what it has started."""
        self._killed = reason
        assert self._group is not None
        try:
            os.killpg(self._group, signal.SIGKILL)
        except OSError:
            # It has not got so far as to have a group; or there is nobody in it any more.
            with suppress(OSError, ProcessExitedAlready):
                self.transport.signalProcess("KILL")
        # Who has left the group may hold the other end.
        self.transport.closeChildFD(_STDERR)

    def processEnded(self, reason: Failure) -> None:
        """It has ended, and nobody writes to its stderr any more."""
        if self._timeout is not None and self._timeout.active():
            self._timeout.cancel()
        status, sign = getattr(reason.value, "exitCode", None), getattr(reason.value, "signal", None)
        text = f"killed, because {self._killed}" if self._killed else _ending(status, sign)
        if self._stderr:
            text += f": {repr(self._stderr.strip())[2:-1]}"
        self._hook.ended(self, text, status == 0 and not self._killed)


def _some(files: Sequence[str]) -> str:
    """Their names; of many, the first ones."""
    more = f" and {len(files) - MAX_NAMES} more" if len(files) > MAX_NAMES else ""
    return ", ".join(files[:MAX_NAMES]) + more


def _ending(status: int | None, sign: int | None) -> str:
    return f"exit status {status}" if status is not None else f"ended by signal {sign}"
