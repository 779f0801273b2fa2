# -*- test-case-name: tests.test_tap -*-
"""
C{twistd rtmp}: from options to a service.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from math import inf
from typing import Any

from twisted.application.internet import StreamServerEndpointService
from twisted.application.service import IService, MultiService
from twisted.application.strports import service
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IReactorFromThreads, IReactorTime
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool
from twisted.python.usage import UsageError

import rtmptw
from rtmptw.auth.options import AccessOptions, hidesNames, makeApplication
from rtmptw.closereason import explain
from rtmptw.errors import CertificateError, URLError
from rtmptw.live.hub import StreamHub
from rtmptw.live.rounds import FlushTimes
from rtmptw.live.tape import CacheLimits
from rtmptw.record.recorder import Recorder
from rtmptw.relay.pull import Pull
from rtmptw.relay.push import Push
from rtmptw.server import RTMPServerFactory
from rtmptw.tls.endpoint import hardened
from rtmptw.url import RTMPURL

__all__ = ["Options", "RTMPService", "makeService"]

#: How many files are written at a time; the others wait their turn.
WRITERS = 8

MAX_PORT = 65535

#: How many new objects the garbage collector waits for; the usual numbers are 700, 10, 10.
GARBAGE_THRESHOLDS = (20_000, 10, 10)

#: The longest that media may be gathered, ms.
MAX_FLUSH = 10_000

#: What C{--help} shows below the options.
EXAMPLES = """
An RTMP server: whoever publishes a name is seen by all who play it.

  twistd --nodaemon rtmp
      serve rtmp://HOST/ on port 1935, log to the terminal
  twistd rtmp --record /var/recordings
      in the background, and keep every publish as an FLV file
  twistd rtmp --port 1935 --port ssl:443:privateKey=key.pem:certKey=cert.pem
      serve rtmps://HOST/ (TLS) as well
  twistd rtmp --push live=rtmp://OTHER/live
      send every stream of the application live to another server as well
  twistd rtmp --pull live/news=rtmp://ORIGIN/live/news
      fetch a stream from another server when somebody wants to see it
  twistd rtmp --publish-keys KEYS --allow publish:10.0.0.0/8
      let only those publish who are in this network and have a stream key:
      "rtmptw key live/NAME --add KEYS" makes one
  twistd rtmp --play-signed SECRETS
      let only those play whose URL "rtmptw sign --secret SECRETS --play" made

  ffmpeg -re -i FILE -c copy -f flv rtmp://HOST/live/NAME
      publish a file
  ffplay rtmp://HOST/live/NAME
      play it
"""


class Options(AccessOptions):
    """The command line."""

    synopsis = "[options]"
    #: What Twisted would print is L{EXAMPLES} with other line breaks.
    longdesc = ""

    optFlags = [["verbose", "v", "Log every message, a line each."]]

    optParameters = [
        ["record", None, None, "Record every publish into this directory, as FLV files. It must exist."],
    ]

    compData: Any = None

    def __init__(self) -> None:
        super().__init__()
        self.update(port=[], push=[], pull=[], flush=FlushTimes(), cache=CacheLimits())

    def getUsage(self, width: int | None = None) -> str:
        """The options, and examples."""
        return f"{super().getUsage(width)}{EXAMPLES}"

    # One line, because the help shows line breaks as they are here.
    def opt_port(self, description: str) -> None:
        """Where to listen: a number, or an endpoint like tcp:1935:interface=127.0.0.1; repeatable. [default: 1935]"""
        from twisted.internet import reactor

        endpoint = f"tcp:{description}" if description.isdigit() else hardened(description)
        try:
            if description.isdigit() and int(description) > MAX_PORT:
                raise ValueError(f"no port number is larger than {MAX_PORT}")
            serverFromString(reactor, endpoint)
        except CertificateError as error:
            raise UsageError(f"--port {description}: {error}") from None
        except Exception as error:
            # Every kind of endpoint has its own way to complain.
            raise UsageError(
                f"--port {description}: {explain(error)}. "
                "A port is a number, or an endpoint such as tcp:1935:interface=127.0.0.1"
            ) from None
        self["port"].append(endpoint)

    opt_p = opt_port

    def opt_push(self, relay: str) -> None:
        """APP=URL: send every stream of an application to another server, as live=rtmp://host/app; repeatable."""
        self["push"].append(_readRelay("push", relay, "live=rtmp://host/app"))

    def opt_pull(self, relay: str) -> None:
        """APP/NAME=URL: fetch a stream when it is wanted, as live/x=rtmp://host/app/x; repeatable."""
        self["pull"].append((*_readRelay("pull", relay, "live/camera=rtmp://host/app/camera"), False))

    def opt_pull_always(self, relay: str) -> None:
        """APP/NAME=URL: as --pull, but fetch it all the time; repeatable."""
        self["pull"].append((*_readRelay("pull-always", relay, "live/camera=rtmp://host/app/camera"), True))

    def opt_flush(self, times: str) -> None:
        """MIN:MAX: how long media is gathered before it is sent to viewers, ms; 0:0: not at all. [default: 0:45]"""
        least, colon, most = times.partition(":")
        try:
            flush = FlushTimes(_seconds(least), _seconds(most))
            if not colon:
                raise ValueError
        except ValueError:
            raise UsageError(
                f"--flush {times}: two times in ms, the lesser one first, neither more than 10 seconds: 0:45"
            ) from None
        self["flush"] = flush

    def opt_cache_seconds(self, seconds: str) -> None:
        """Who joins starts at the newest keyframe, unless it is more than so many seconds ago. [default: any age]"""
        try:
            number = float(seconds)
            if not 0 <= number < inf:
                raise ValueError
        except ValueError:
            raise UsageError(f"--cache-seconds {seconds}: a number of seconds, as 4 or 2.5") from None
        self["cache"] = replace(self["cache"], seconds=number)

    def opt_cache_frames(self, frames: str) -> None:
        """Who joins starts at the newest keyframe, unless it is more than so many frames ago. [default: 4096]"""
        self["cache"] = replace(self["cache"], frames=_count("cache-frames", frames))

    def opt_cache_bytes(self, size: str) -> None:
        """Who joins starts at the newest keyframe, unless it is more than so many bytes ago. [default: 16777216]"""
        self["cache"] = replace(self["cache"], bytes=_count("cache-bytes", size))

    def opt_version(self) -> None:
        """Print the version of rtmptw, and exit."""
        print(f"rtmptw {rtmptw.__version__}")
        raise SystemExit(0)

    def postOptions(self) -> None:
        """
        Check what can be checked before anything starts.

        @raise UsageError: which names the option.
        """
        if not self["port"]:
            self.opt_port("1935")
        directory = self["record"]
        if directory is not None:
            if not os.path.isdir(directory):
                wrong = "it is not a directory" if os.path.exists(directory) else "there is no such directory"
                raise UsageError(f"--record {directory}: {wrong}")
            if not os.access(directory, os.W_OK | os.X_OK):
                raise UsageError(f"--record {directory}: no permission to write there")
            # twistd may change its working directory.
            self["record"] = os.path.abspath(directory)
        super().postOptions()


def _seconds(milliseconds: str) -> float:
    """
    @raise ValueError: if it is no time between rounds.
    """
    number = float(milliseconds)
    if not 0 <= number <= MAX_FLUSH:
        raise ValueError(f"{milliseconds} is not within 0 and {MAX_FLUSH}")
    return number / 1000


def _count(option: str, text: str) -> int:
    """
    @raise UsageError: if it is no positive number.
    """
    if not (text.isascii() and text.isdigit() and int(text)):
        raise UsageError(f"--{option} {text}: a number, 1 or more")
    return int(text)


def _readRelay(option: str, text: str, example: str) -> tuple[str, RTMPURL]:
    """
    What is before the first C{=}, and the URL behind it.

    @raise UsageError: which names the option, and shows nothing that may be a secret.
    """
    name, equals, url = text.partition("=")
    # Who has forgotten the first part has written what may be a secret in its place.
    shown = name.strip("/") if equals and not set(name) & set(":@?") else ""
    try:
        if not shown:
            raise URLError(f"it needs a name and a URL, as {example}")
        parsed = RTMPURL.parse(url)
        if not parsed.app:
            raise URLError("the URL needs an application, as rtmp://host/app")
    except URLError as error:
        raise UsageError(f"--{option} {shown}=...: {error}") from None
    return shown, parsed


def _settleMemory() -> None:
    """
    What is in memory before the first connection stays there: the garbage collector need not look at it again. And
    thousands of connections are no garbage: it looks at them less often.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)


class RTMPService(MultiService):
    """
    The ports, and what is behind them.

    To stop, nobody is let in any more, nothing is fetched any more, everybody's connection is closed after what it has
    sent was passed on, and then what is sent on and the recordings are finished.
    """

    def __init__(
        self,
        factory: RTMPServerFactory,
        pull: Pull,
        push: Push,
        recorder: Recorder | None,
        writers: ThreadPool,
        relays: Iterable[Callable[[], None]] = (),
    ) -> None:
        """
        @param relays: each makes something be relayed. They are called when the reactor is about to run, and in the
            process in which it does.
        """
        super().__init__()
        self.factory = factory
        self.pull = pull
        self.push = push
        self._recorder = recorder
        self._writers = writers
        self._relays = tuple(relays)

    def startService(self) -> None:
        """Start to listen, and to relay."""
        _settleMemory()
        self._writers.start()
        super().startService()
        for relay in self._relays:
            relay()

    async def _stop(self, ports: Deferred[Any]) -> None:
        await ports
        await self.pull.finish()
        await self.factory.closeAll("the server is shutting down")
        await self.push.finish()
        if self._recorder is not None:
            await self._recorder.finish()
        self._writers.stop()

    def stopService(self) -> Deferred[None]:
        """
        Stop.

        @return: fires when everything is done.
        """
        return Deferred.fromCoroutine(self._stop(super().stopService()))


def makeService(options: Options) -> IService:
    """Make the service."""
    from twisted.internet import reactor

    clock, threads = IReactorTime(reactor), IReactorFromThreads(reactor)
    application = makeApplication(options, clock)
    hub = StreamHub(clock, options["flush"], options["cache"])
    factory = RTMPServerFactory(application, hub, clock, bool(options["verbose"]), hidesNames=hidesNames(options))
    writers = ThreadPool(0, WRITERS, "recorder")
    recorder = None
    if options["record"] is not None:
        recorder = Recorder(options["record"], clock, partial(deferToThreadPool, threads, writers))
        factory.hub.observers.append(recorder)
    push, pull = Push(factory.hub, factory.identity, clock), Pull(factory.hub, factory.identity, clock)
    factory.hub.observers.append(push)
    factory.hub.sources.append(pull)
    relays = [
        *[partial(push.add, app, url) for app, url in options["push"]],
        *[partial(pull.add, path, url, always) for path, url, always in options["pull"]],
    ]
    result = RTMPService(factory, pull, push, recorder, writers, relays)
    for description in options["port"]:
        port: StreamServerEndpointService = service(description, factory)
        port.setServiceParent(result)
    return result
