"""
Sessions, at random and against a model: several peers of one server publish, play, pause, say half a message, fall
silent, come back, and go, while time passes.

What must hold at any time: a name has one publisher, and who that is; a viewer that reads is sent every frame, in order
and once; its time never goes back; nobody is closed without a reason, and nobody hangs. At the end nothing is left.
"""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock

from rtmptw.limits import Limits
from rtmptw.live.busy import SAME_SILENT_SECONDS, SILENT_SECONDS, Busy
from rtmptw.live.hub import StreamHub
from rtmptw.live.rounds import FlushTimes
from rtmptw.server import RTMPServerFactory
from rtmptw.wire.chunkreader import DEFAULT_CHUNK_SIZE
from rtmptw.wire.message import Message
from tests.fuzz.connection import LOSSES, watchedLog
from tests.fuzz.peers import HEADER, LATE, Kind, Peer, Role, Show, frame
from tests.session.dialects import command
from tests.wire.chunks import aborted

__all__ = ["ENDINGS", "RefusingSessions", "ReplacingSessions", "Sessions"]

LIMITS = Limits(memoryBytes=1 << 50)

#: How many peers there are at a time, and how often one may ask to publish or play.
MOST_PEERS = 5
MOST_REQUESTS = 9

#: How far the clock moves at a time, seconds.
STEP = 0.25

#: How a publisher says that it is over.
ENDINGS = (
    command("closeStream", 0, id=1),
    command("deleteStream", 7, None, 1),
    command("FCUnpublish", 6, None, "x"),
    command("publish", 0, None, False, id=1),
)


class Sessions(RuleBasedStateMachine):
    """
    The machine. What a subclass says: C{busy} and C{grace} of the hub.
    """

    busy = Busy.REPLACE_SILENT
    grace = 10.0

    def __init__(self) -> None:
        super().__init__()
        self._watching = watchedLog(True)
        self.log = self._watching.__enter__()
        self.clock = Clock()
        self.hub = StreamHub(self.clock, FlushTimes(0, 0), busy=self.busy, grace=self.grace, limits=LIMITS)
        self.factory = RTMPServerFactory(None, self.hub, self.clock, limits=LIMITS)
        self.peers: list[Peer] = []
        self.shows: dict[str, Show] = {"one": Show(), "two": Show()}
        self.frames = 0

    @property
    def now(self) -> float:
        return self.clock.seconds()

    def some(self, data: st.DataObject, *roles: Role, isFull: bool = False) -> Peer | None:
        """One of those who do this, are not told to go, and read, or do not."""
        peers = [
            peer
            for peer in self.peers
            if peer.role in roles and not peer.reason and (peer.fullSince is not None) == isFull
        ]
        return data.draw(st.sampled_from(peers)) if peers else None

    def viewers(self, show: Show) -> list[Peer]:
        return [peer for peer in self.peers if peer.show is show]

    # What peers do

    @initialize(roles=st.lists(st.sampled_from(("publish", "play", "")), min_size=2, max_size=4))
    def gather(self, roles: list[str]) -> None:
        """Some are there, and most of them already do something."""
        for role in roles:
            self.connect()
            if role == "publish" and self.shows["one"].holder is None:
                self.ask(self.peers[-1], "one")
            elif role:
                self.watch(self.peers[-1], "one")

    @rule()
    def connect(self) -> None:
        if len([peer for peer in self.peers if peer.isHere]) < MOST_PEERS:
            self.peers.append(Peer(self.factory, len(self.peers), self.now))
            self.settle()

    @rule(data=st.data(), name=st.sampled_from(("one", "one", "two")))
    def publish(self, data: st.DataObject, name: str) -> None:
        peer = self.some(data, Role.IDLE)
        if peer is not None:
            self.ask(peer, name)

    @rule(data=st.data(), name=st.sampled_from(("one", "one", "two")))
    def play(self, data: st.DataObject, name: str) -> None:
        peer = self.some(data, Role.IDLE)
        if peer is not None:
            self.watch(peer, name)

    @rule(
        data=st.data(),
        kinds=st.lists(st.sampled_from(Kind), min_size=1, max_size=5),
        size=st.sampled_from((0, 0, 300, 5000)),
        cut=st.one_of(st.none(), st.integers(1, 300)),
    )
    def send(self, data: st.DataObject, kinds: list[Kind], size: int, cut: int | None) -> None:
        """Frames in one read; perhaps only a part of the last one."""
        peer = self.some(data, Role.PUBLISHING)
        if peer is not None:
            self.complete(peer)
            self.shoot(peer, *(kinds if cut is None else kinds[:-1]), size=size)
            if cut is not None:
                self.frames += 1
                peer.say(self.now, frame(kinds[-1], self.frames, peer.tick(), size), most=cut)
                peer.half = kinds[-1], self.frames
                if peer.halfSince is None:
                    self.complete(peer)
            self.settle()

    @rule(data=st.data())
    def abort(self, data: st.DataObject) -> None:
        """A message is begun and given up behind its first chunk, and the stream goes on."""
        peer = self.some(data, Role.PUBLISHING)
        if peer is not None:
            self.complete(peer)
            self.frames += 1
            message = frame(Kind.INTER, self.frames, peer.tick(), 300)
            chunks, length = peer.encode(message), len(message.payload)
            header = len(chunks) - length - (length - 1) // DEFAULT_CHUNK_SIZE
            peer.sayBytes(self.now, chunks[: header + DEFAULT_CHUNK_SIZE] + aborted(message.chunkStreamId))
            self.settle()

    @rule(data=st.data(), how=st.sampled_from(ENDINGS))
    def unpublish(self, data: st.DataObject, how: Message) -> None:
        peer = self.some(data, Role.PUBLISHING)
        if peer is not None:
            self.finish(peer, how)

    @rule(data=st.data())
    def stopPlaying(self, data: st.DataObject) -> None:
        peer = self.some(data, Role.PLAYING)
        if peer is not None:
            peer.say(self.now, ENDINGS[0])
            peer.rest(self.now)
            self.depart(peer)
            self.settle()

    @rule(data=st.data(), paused=st.booleans())
    def pause(self, data: st.DataObject, paused: bool) -> None:
        peer = self.some(data, Role.PLAYING)
        if peer is not None:
            self.setPaused(peer, paused)

    @rule(data=st.data())
    def fill(self, data: st.DataObject) -> None:
        """It does not read any more."""
        peer = self.some(data, Role.PLAYING)
        if peer is not None:
            peer.connection.fill()
            peer.isSlow, peer.fullSince = True, self.now

    @rule(data=st.data())
    def drain(self, data: st.DataObject) -> None:
        peer = self.some(data, Role.PLAYING, isFull=True)
        if peer is not None:
            peer.fullSince = None
            peer.connection.drain()
            self.settle()

    @rule(data=st.data(), how=st.sampled_from(LOSSES), isFull=st.booleans())
    def drop(self, data: st.DataObject, how: type[Exception], isFull: bool) -> None:
        """A connection is lost."""
        peer = self.some(data, Role.IDLE, Role.PUBLISHING, Role.PLAYING, isFull=isFull)
        if peer is not None:
            peer.connection.lose(how)
            self.leave(peer)
            self.settle()

    @rule(seconds=st.sampled_from((0.0625, 0.25, 0.5, 1.0, 2.0, 4.0)))
    def wait(self, seconds: float) -> None:
        """Time passes, and nobody says anything: some may have lost their link, and nobody knows."""
        while seconds > 0:
            self.clock.advance(min(seconds, STEP))
            seconds -= STEP
            self.settle()

    @rule(seconds=st.sampled_from((1, 3, 9)))
    def keepOn(self, seconds: int) -> None:
        """Time passes, and every publisher sends."""
        for _ in range(seconds):
            self.wait(1.0)
            for peer in self.peers:
                if peer.role is Role.PUBLISHING and not peer.reason:
                    self.complete(peer)
                    self.shoot(peer, Kind.SOUND)
            self.settle()

    # What follows from it

    def ask(self, peer: Peer, name: str) -> None:
        """Somebody wants to publish."""
        if peer.requests < MOST_REQUESTS:
            peer.requests += 1
            peer.role, peer.name, peer.codes, peer.since = Role.ASKING, name, [], self.now
            peer.say(self.now, command("publish", 3, None, name, id=1))
            self.settle()

    def watch(self, peer: Peer, name: str) -> None:
        """Somebody wants to play."""
        if peer.requests < MOST_REQUESTS:
            peer.requests += 1
            peer.role, peer.name, peer.activeSince = Role.PLAYING, name, self.now
            peer.watch(self.shows[name])
            peer.say(self.now, command("play", 4, None, name, id=1))
            self.settle()
            assert "NetStream.Play.Start" in peer.codes

    def finish(self, peer: Peer, how: Message) -> None:
        """A publisher says that it is over."""
        self.complete(peer)
        peer.say(self.now, how)
        peer.rest(self.now)
        self.vacate(peer, hasSaid=True)
        self.settle()

    def setPaused(self, peer: Peer, paused: bool) -> None:
        """A viewer says that it pauses, or goes on."""
        assert peer.show is not None
        peer.say(self.now, command("pause", 0, None, paused, 0, id=1))
        if peer.isPaused and not paused and peer.show.isOn:
            # It goes on where it was, or at the newest keyframe.
            peer.place = max(peer.place, peer.show.key)
        peer.isPaused = paused
        self.settle()

    def shoot(self, peer: Peer, *kinds: Kind, size: int = 0, first: tuple[Message, ...] = ()) -> None:
        """A publisher sends frames."""
        messages = list(first)
        for kind in kinds:
            self.frames += 1
            messages.append(frame(kind, self.frames, peer.tick(), size))
            self.shows[peer.name].add(kind, self.frames)
        peer.say(self.now, *messages)

    def complete(self, peer: Peer) -> None:
        """A publisher sends the rest of what it has begun to say."""
        if peer.half is not None:
            self.shows[peer.name].add(*peer.half)
            peer.half = None
            peer.say(self.now)

    def begin(self, peer: Peer) -> None:
        """The server has given it the name."""
        show = self.shows[peer.name]
        before = show.holder
        if before is not None:
            assert self.busy is not Busy.REFUSE, f"{before} has lost its name to {peer}"
            if self.busy is Busy.REPLACE_SILENT:
                silence = SAME_SILENT_SECONDS if before.host == peer.host else SILENT_SECONDS
                assert self.now - before.heard >= silence, f"{before} is not silent, and has lost its name"
            before.reason, before.since, before.half = "displaced", self.now, None
            if not self.grace or not self.viewers(show):
                self.end(show)
        show = self.shows[peer.name]
        show.isResuming = bool(show.frames)
        show.holder, show.awaited, show.saidEnd = peer, False, None
        peer.role, peer.activeSince = Role.PUBLISHING, self.now
        self.shoot(peer, Kind.KEY, first=(HEADER,))

    def refuse(self, peer: Peer) -> None:
        """The server has refused it the name."""
        holder = self.shows[peer.name].holder
        assert holder is not None and self.busy is not Busy.REPLACE, f"{peer} is refused a name that is free"
        assert self.busy is Busy.REFUSE or holder.heard >= peer.since, f"{peer} is refused the name of a silent one"
        peer.role, peer.reason, peer.since = Role.IDLE, "refused", self.now

    def vacate(self, peer: Peer, hasSaid: bool) -> None:
        """A publisher has ended its stream, or is gone."""
        show = self.shows[peer.name]
        peer.half = None
        if show.holder is peer:
            show.holder = None
            if self.grace and self.viewers(show):
                show.awaited, show.until, show.saidEnd = True, self.now + self.grace, peer if hasSaid else None
            else:
                self.end(show)

    def end(self, show: Show) -> None:
        """It is over: who watches is sent the rest, and told."""
        for peer in self.viewers(show):
            peer.follow()
            peer.reason, peer.since = "over", self.now
        show.holder, show.awaited = None, False
        for name in self.shows:
            if self.shows[name] is show:
                self.shows[name] = Show()

    def depart(self, peer: Peer) -> None:
        """A viewer goes; without any, no publisher is awaited."""
        show, peer.show = peer.show, None
        if show is not None and show.awaited and not self.viewers(show):
            self.end(show)

    def leave(self, peer: Peer) -> None:
        """A connection is gone."""
        if peer.role is Role.PUBLISHING:
            self.vacate(peer, hasSaid=False)
        self.depart(peer)
        for show in tuple(self.shows.values()):
            if show.awaited and show.saidEnd is peer:
                self.end(show)
        peer.leave()

    def settle(self) -> None:
        """Everybody has their turn; what follows from it is what must."""
        for show in tuple(self.shows.values()):
            if show.awaited and self.now >= show.until:
                self.end(show)
        # Who is given a name says something, and who loses it goes: so once more.
        for _ in range(2):
            self.clock.advance(0)
            for peer in self.peers:
                if peer.isHere:
                    peer.connection.settle()
                    peer.hear()
                    if peer.role is Role.ASKING and "NetStream.Publish.Start" in peer.codes:
                        self.begin(peer)
                    elif peer.role is Role.ASKING and "NetStream.Publish.BadName" in peer.codes:
                        self.refuse(peer)
            for peer in self.peers:
                if peer.isHere:
                    peer.hear()
                    peer.follow()
                    peer.check()
                    self.checkEnd(peer)

    def checkEnd(self, peer: Peer) -> None:
        """It is closed if there is a reason, in time, and else not."""
        isTold = "NetStream.Play.UnpublishNotify" in peer.codes
        assert not isTold or peer.reason == "over", f"{peer} is told the end of a stream that goes on"
        first, last = peer.deadline(self.now, LIMITS)
        if peer.isClosed:
            assert peer.reason or self.now >= first, f"{peer} is closed for no reason: {peer.codes}"
            assert peer.reason != "over" or isTold or peer.fullSince is not None, f"{peer} is not told the end"
            self.leave(peer)
            return
        assert self.now <= last, f"{peer} hangs"
        if peer.reason and peer.fullSince is None:
            assert self.now - peer.since < LATE, f"{peer} is not closed: {peer.reason}"

    @invariant()
    def names(self) -> None:
        """Who publishes and who watches is what the hub says; nothing is in the log."""
        found = {stream.path: (stream.publication is not None, len(stream.viewers)) for stream in self.hub}
        expected = {
            f"live/{name}": (show.holder is not None, len(self.viewers(show)))
            for name, show in self.shows.items()
            if show.isOn or self.viewers(show)
        }
        assert found == expected, (found, expected)
        self.log.check()

    def teardown(self) -> None:
        """All go, and nothing is left."""
        try:
            for peer in self.peers:
                peer.connection.lose(ConnectionDone)
            for _ in range(60):
                if self.clock.getDelayedCalls():
                    self.clock.advance(1)
            self.log.check()
            assert not self.clock.getDelayedCalls() and not list(self.hub)
            assert self.log.ends == len(self.peers)
        finally:
            self._watching.__exit__(None, None, None)


class RefusingSessions(Sessions):
    """Streams end with their publishers, and names are not given away."""

    busy = Busy.REFUSE
    grace = 0.0


class ReplacingSessions(Sessions):
    """Whoever comes last has the name."""

    busy = Busy.REPLACE
