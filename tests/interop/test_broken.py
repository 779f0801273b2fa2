"""
Servers that are broken in one way each: the real programs stop there, or lose something, as the table of
L{tests.brokenservers.bends} says; and at the same server without the mistake the same programs get through.

All programs of a test run at the same time, each at a server of its own.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import SkipTest, TestCase

from tests.brokenservers.bends import BENDS, Bend, Scene
from tests.brokenservers.child import PATH, BrokenServers
from tests.brokenservers.films import FILMS
from tests.interop.compare import readFLV
from tests.interop.players import play
from tests.interop.processes import Process, siege, waitFor
from tests.interop.programs import ffmpeg5, ffmpeg9
from tests.interop.publishers import ffmpegPublish, gstPublish
from tests.interop.relay import Relay
from tests.interop.sources import remux, source

#: How long a publisher that stalls is looked at, seconds: longer than those take that get through. And how long any
#: other, after those have got through.
STALLED, STALLED_AFTERWARDS = 4.0, 1.0

#: How much later than at the sound server a program that is slowed down gets through, seconds.
LATER = 0.3

RELAY = "nginx-relay"

#: Who is tried where no program is known to be affected.
HARDY = ("ffmpeg9", "rtmp2sink", "rtmpsink")

PLAYERS = {"ffmpeg5-play": "ffmpeg5", "ffmpeg9-play": "ffmpeg9", "rtmpdump": "rtmpdumpLive", "rtmp2src": "rtmp2src"}
FFMPEGS = {"ffmpeg5": ffmpeg5, "ffmpeg9": ffmpeg9}

#: rtmp2src loses its last message or two if the end follows at once (wire facts 3.3).
SPARE = 2


@dataclass
class Case:
    """
    One program at one server.

    @ivar server: the server's name, with a label.
    @ivar control: the case with the sound server; L{None} for that itself.
    @ivar process: the program.
    """

    server: str
    program: str
    bend: Bend
    control: Case | None = None
    process: Process | None = None

    @property
    def isPlayer(self) -> bool:
        return self.program in PLAYERS

    @property
    def effect(self) -> str:
        """What is to be expected."""
        isBent = self.control is not None and self.program in self.bend.affected
        return self.bend.effectOn(self.program) if isBent else "none"


def publishing(case: Case, url: str, directory: Path) -> list[str]:
    """How to publish."""
    bend = case.bend
    realTime = bend.scene not in (Scene.FULL_SPEED, Scene.TWICE)
    media = FILMS[bend.media]()
    if case.program in FFMPEGS:
        program = FFMPEGS[case.program]()
        return ffmpegPublish(program, media, url, *bend.options, before=bend.before, realTime=realTime)
    return gstPublish(case.program, media, directory / f"{case.server}.sent", url, realTime)


class Stage:
    """
    The servers and programs of one test.

    @ivar missing: why some could not be run.
    """

    def __init__(self, pairs: Iterable[tuple[str, str]], stack: ExitStack) -> None:
        """
        @param pairs: bends and programs.
        """
        self._stack = stack
        self.directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rtmptw-broken-")))
        self.missing: list[str] = []
        self.cases: list[Case] = []
        controls: dict[object, Case] = {}
        for name, program in pairs:
            bend = BENDS[name]
            key = (program, bend.scene, bend.media, bend.options, bend.before)
            if key not in controls:
                sound = "slow-reader" if bend.media == "long" else "plain"
                controls[key] = Case(f"{sound}@{len(controls)}", program, bend)
            self.cases.append(Case(f"{name}@{program}", program, bend, controls[key]))
        self.cases += controls.values()
        log = self.directory / "servers.log"
        self.servers = stack.enter_context(BrokenServers([case.server for case in self.cases], log))

    def start(self, case: Case, command: list[str], word: str = "log") -> Process:
        """Start a program, which is killed at the end: many that wait for a server don't heed SIGTERM."""
        process = self._stack.enter_context(Process(command, self.directory / f"{case.server}.{word}"))
        self._stack.callback(process.kill)
        return process

    def startAll(self) -> None:
        """Start the programs of all cases; those that are missing are left out."""
        for case in list(self.cases):
            try:
                url = self.servers.url(case.server)
                if case.isPlayer:
                    command = play(PLAYERS[case.program], url, self.output(case))
                else:
                    command = publishing(case, url, self.directory)
            except SkipTest as reason:
                self.missing.append(f"{case.server}: {reason}")
                self.cases.remove(case)
            else:
                case.process = self.start(case, command)

    def output(self, case: Case) -> Path:
        """Where a player writes."""
        return self.directory / f"{case.server}.flv"

    def feed(self, case: Case, *options: str, word: str = "feeder", realTime: bool = False) -> Process:
        """Publish what a case needs to be there."""
        bend = case.bend
        command = ffmpegPublish(
            ffmpeg5(),
            source(),
            self.servers.url(case.server),
            *bend.options,
            before=(*options, *bend.before),
            realTime=realTime,
        )
        return self.start(case, command, word)

    def wait(self, pacing: bool = False) -> dict[str, Any]:
        """
        Wait until all have ended that should, and look at the others long enough.

        @param pacing: whether those that get through need their time for it.
        @return: the state of the servers then.
        """

        def connected() -> bool:
            state = self.servers.state()
            return all(state[case.server]["connections"] for case in self.cases)

        def settled() -> bool:
            state = self.servers.state()
            return all(self.hasEnded(case, state) for case in self.ending())

        waitFor("all programs to connect", connected)
        start = time.monotonic()
        waitFor(f"these to end: {[case.server for case in self.ending()]}", settled)
        if len(self.ending()) < len(self.cases):
            until = start + STALLED if pacing else time.monotonic() + STALLED_AFTERWARDS
            time.sleep(max(until - time.monotonic(), 0))
        return self.servers.state()

    def hasEnded(self, case: Case, state: dict[str, Any]) -> bool:
        """Whether a program has gone, and its server has read what it has left behind."""
        streams = state[case.server]["streams"].values()
        isRead = case.bend.scene is Scene.BUSY or all(stream["ends"] for stream in streams)
        return case.process is not None and case.process.status is not None and isRead

    def ending(self) -> list[Case]:
        """Those that must end by themselves."""
        return [case for case in self.cases if case.effect != "stalls"]


def problems(stage: Stage, state: dict[str, Any]) -> list[str]:
    """What is not as the table says."""
    found = []
    for case in stage.cases:
        if case.control is None or case.control.process is None or case.process is None:
            continue
        told = _CHECKS[case.effect](stage, case, state)
        if told:
            found.append(f"{case.server}: {told}; {state[case.server]}\n{case.process}")
    for name, bend in BENDS.items():
        bent = [each for each in stage.cases if each.bend is bend and each.control is not None]
        outputs = [each.process.output for each in bent if each.process is not None]
        if outputs and bend.symptom and bend.effect in ("fails", "loses"):
            found += [] if any(bend.symptom in each for each in outputs) else [f"{name}: nobody says {bend.symptom}"]
    return found


def media(state: dict[str, Any], case: Case) -> int:
    """How many pictures and sounds, and their headers, a server has stored."""
    stream = state[case.server]["streams"].get(PATH, {})
    return int(stream.get("audio", 0) + stream.get("video", 0))


def sent(stage: Stage, case: Case) -> int:
    """How many of them a publisher has sent."""
    if case.program in FFMPEGS:
        program, bend = FFMPEGS[case.program](), case.bend
        tags = readFLV(remux(program, FILMS[bend.media](), *bend.options, before=bend.before))
    else:
        tags = readFLV(stage.directory / f"{case.server}.sent")
    return sum(tag.type in (8, 9) for tag in tags)


def got(stage: Stage, case: Case) -> tuple[int, int]:
    """How many pieces of metadata, and of media, a player has."""
    tags = readFLV(stage.output(case))
    count = sum(tag.type == 18 for tag in tags)
    return count, len(tags) - count


def _stalls(stage: Stage, case: Case, state: dict[str, Any]) -> str:
    assert case.process is not None and case.control is not None and case.control.process is not None
    if case.process.status is not None:
        return f"did not stall: ended with {case.process.status}"
    if case.control.process.status is None:
        return f"stalls at the sound server, too: {case.control.process}"
    heard = [line.partition("(")[0] for each in state[case.server]["connections"] for line in each["heard"]]
    if case.isPlayer or case.bend.scene is not Scene.PUBLISH:
        return ""
    if media(state, case) or not media(state, case.control):
        return f"media: {media(state, case)}, at the sound server {media(state, case.control)}"
    if (heard[-1:] or [""])[0] not in (case.bend.stuck or ("",)):
        return f"its last word is none of {case.bend.stuck}"
    return ""


def _fails(stage: Stage, case: Case, state: dict[str, Any]) -> str:
    assert case.process is not None and case.control is not None and case.control.process is not None
    if not case.process.status:
        return f"did not fail: {case.process.status}"
    if case.bend.scene is Scene.BUSY:
        # It fails in any case, but only the sound server says why.
        said = [" in use" in each.output for each in (case.process, case.control.process)]
        return "" if said == [False, True] else f"knows why: {said}"
    if case.control.process.status:
        return f"fails at the sound server, too: {case.control.process}"
    return ""


def _loses(stage: Stage, case: Case, state: dict[str, Any]) -> str:
    assert case.process is not None and case.control is not None and case.control.process is not None
    # Who says nothing says that all is well; who says something may end in either way.
    if (case.process.status and not case.bend.symptom) or case.control.process.status:
        return f"failed: {case.process.status}, at the sound server {case.control.process.status}"
    if case.isPlayer:
        here, there = got(stage, case), got(stage, case.control)
        return "" if here[0] < there[0] or here[1] < there[1] - SPARE else f"got {here}, from the sound server {there}"
    counts = media(state, case), media(state, case.control), sent(stage, case.control)
    return "" if counts[0] < counts[1] == counts[2] else "stored {}, by the sound server {}, of {}".format(*counts)


def _isSlow(stage: Stage, case: Case, state: dict[str, Any]) -> str:
    assert case.process is not None and case.control is not None and case.control.process is not None
    if case.process.status or case.control.process.status or media(state, case) != media(state, case.control):
        return f"did not get through: {case.process.status}, {media(state, case)} of {media(state, case.control)}"
    took = []
    for each in (case, case.control):
        (connection,) = state[each.server]["connections"]
        published = connection["times"][[line.split("(")[0] for line in connection["heard"]].index("publish")]
        last = published if each.bend.scene is Scene.PUBLISH else connection["ended"]
        took.append(last - connection["began"])
    return "" if took[0] > took[1] + LATER else f"took {took[0]} s, at the sound server {took[1]} s"


def _goesThrough(stage: Stage, case: Case, state: dict[str, Any]) -> str:
    assert case.process is not None and case.control is not None
    counts = media(state, case), media(state, case.control)
    return "" if not case.process.status and counts[0] == counts[1] else f"stored {counts}, {case.process.status}"


_CHECKS = {"stalls": _stalls, "fails": _fails, "loses": _loses, "slow": _isSlow, "none": _goesThrough}


def pairsOf(*scenes: Scene) -> list[tuple[str, str]]:
    """All bends of these scenes, and the programs that they stop; but players only and always for L{Scene.PLAY}."""
    return [
        (name, program)
        for name, bend in BENDS.items()
        for program in bend.affected
        if program != RELAY and (Scene.PLAY if program in PLAYERS else bend.scene) in scenes
    ]


@siege
class BrokenServerTests(TestCase):
    """Each mistake costs the programs that it is said to cost something, and no other server does."""

    def check(self, stage: Stage, state: dict[str, Any]) -> None:
        found = problems(stage, state)
        self.assertEqual(found, [], "\n\n".join(found))
        if stage.missing:
            raise SkipTest("; ".join(stage.missing))
        self.assertTrue(stage.cases)

    def test_publishers(self) -> None:
        """In real time. Where it is said that no program here is affected, some get through."""
        with ExitStack() as stack:
            harmless = [(name, each) for name, bend in BENDS.items() if bend.unproven for each in HARDY]
            others = [pair for pair in harmless if BENDS[pair[0]].scene is Scene.PUBLISH]
            stage = Stage(pairsOf(Scene.PUBLISH) + others, stack)
            stage.startAll()
            self.check(stage, stage.wait(pacing=True))

    def test_publishersAtFullSpeed(self) -> None:
        """As fast as it goes, to a server that reads slowly."""
        with ExitStack() as stack:
            stage = Stage([pair for pair in pairsOf(Scene.FULL_SPEED) if BENDS[pair[0]].effect == "loses"], stack)
            stage.startAll()
            self.check(stage, stage.wait())

    def test_slowedDown(self) -> None:
        """The same where only time is lost. Nothing else runs meanwhile."""
        with ExitStack() as stack:
            stage = Stage([pair for pair in pairsOf(Scene.FULL_SPEED) if BENDS[pair[0]].effect == "slow"], stack)
            stage.startAll()
            self.check(stage, stage.wait())

    def test_names(self) -> None:
        """A name that somebody publishes, and one that somebody has published."""
        with ExitStack() as stack:
            stage = Stage(pairsOf(Scene.BUSY, Scene.TWICE), stack)
            busy = [case for case in stage.cases if case.bend.scene is Scene.BUSY]
            for case in busy:
                stage.feed(case, "-stream_loop", "-1", realTime=True)
            twice = [case for case in stage.cases if case.bend.scene is Scene.TWICE]
            first = [stage.feed(case) for case in twice]
            waitFor("the name to be taken", lambda: all(media(stage.servers.state(), case) for case in busy))
            waitFor("the first publishers to end", lambda: all(each.status is not None for each in first))
            stage.startAll()
            self.check(stage, stage.wait())

    def test_players(self) -> None:
        """From before the publisher's beginning to its end."""
        with ExitStack() as stack:
            stage = Stage(pairsOf(Scene.PLAY), stack)
            stage.startAll()
            fed = [case for case in stage.cases if "createStream" not in case.bend.stuck or case.control is None]

            def playing() -> bool:
                state = stage.servers.state()
                return all(self.plays(case, state) for case in fed)

            waitFor("all players to play", playing)
            for case in fed:
                stage.feed(case)
            self.check(stage, stage.wait())

    def plays(self, case: Case, state: dict[str, Any]) -> bool:
        """Whether a player has asked for its stream, or has gone."""
        assert case.process is not None
        heard = [line for each in state[case.server]["connections"] for line in each["heard"]]
        return case.process.status is not None or any(line.startswith("play(") for line in heard)

    def test_relay(self) -> None:
        """nginx, which passes a stream on."""
        bends = [name for name, bend in BENDS.items() if RELAY in bend.affected]
        with ExitStack() as stack:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rtmptw-broken-")))
            servers = stack.enter_context(BrokenServers([*bends, "plain"], directory / "servers.log"))
            publishers = []
            for name in [*bends, "plain"]:
                (directory / name).mkdir()
                target = servers.url(name, "live").removeprefix("rtmp://")
                relay = stack.enter_context(Relay(directory / name, f"push {target};"))
                url = f"rtmp://127.0.0.1:{relay.port}/{PATH}"
                command = ffmpegPublish(ffmpeg5(), source(), url, before=("-t", "1.5"))
                publishers.append(stack.enter_context(Process(command, directory / f"{name}.log")))
            for each in publishers:
                each.succeed()
            state = servers.state()
            sound = state["plain"]["streams"][PATH]
            self.assertGreater(sound["video"], 0)
            for name in bends:
                heard = [line for each in state[name]["connections"] for line in each["heard"]]
                self.assertEqual(state[name]["streams"].get(PATH, {}).get("video", 0), 0, name)
                stuck = BENDS[name].stuck or ("publish",)
                self.assertIn(heard[-1].partition("(")[0], stuck, name)
