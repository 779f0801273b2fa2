# -*- test-case-name: tests.test_tap -*-
"""
C{twistd rtmp}: from options to a service.
"""

from __future__ import annotations

import re
from functools import partial
from threading import Thread
from typing import Any

from twisted.application.internet import StreamServerEndpointService
from twisted.application.service import IService
from twisted.application.strports import service
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IReactorFromThreads, IReactorProcess, IReactorTime
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool
from twisted.python.usage import UsageError

import rtmptw
from rtmptw.auth.keyfile import MIN_KEY
from rtmptw.auth.options import AccessOptions, hidesNames, makeApplication
from rtmptw.closereason import explain
from rtmptw.errors import CertificateError, URLError
from rtmptw.gate.limitoptions import LimitOptions, makeLimits
from rtmptw.gate.options import AdmissionOptions
from rtmptw.limits import Reached
from rtmptw.live.options import StreamOptions, makeHub
from rtmptw.lookups import installLookups
from rtmptw.record.options import RecordOptions, makeRecorder
from rtmptw.relay.pull import Pull
from rtmptw.relay.push import Push
from rtmptw.server import RTMPServerFactory
from rtmptw.service import RTMPService, Signals
from rtmptw.steadytime import keepSteadyTime
from rtmptw.tls.endpoint import hardened
from rtmptw.url import RTMPURL

__all__ = ["Options", "RTMPService", "makeService"]

#: How many files are written at a time; the others wait their turn.
WRITERS = 8

MAX_PORT = 65535

#: What Python says before what is wrong with the arguments of an endpoint.
_CALL = re.compile(r"^\w+\(\) ")

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


class Options(StreamOptions, RecordOptions, AccessOptions, AdmissionOptions, LimitOptions):
    """The command line."""

    synopsis = "[options]"
    #: What Twisted would print is L{EXAMPLES} with other line breaks.
    longdesc = ""

    optFlags = [["verbose", "v", "Log every message, a line each."]]

    compData: Any = None

    def __init__(self) -> None:
        super().__init__()
        self.update(port=[], push=[], pull=[])

    def getUsage(self, width: int | None = None) -> str:
        """The options, and examples."""
        return f"{super().getUsage(width)}{EXAMPLES}"

    # One line, because the help shows line breaks as they are here.
    def opt_port(self, description: str) -> None:
        """Where to listen: a number, or an endpoint like tcp:1935:interface=127.0.0.1; repeatable. [default: 1935]"""
        from twisted.internet import reactor

        endpoint = hardened(f"tcp:{description}" if description.isdigit() else description)
        try:
            if description.isdigit() and int(description) > MAX_PORT:
                raise ValueError(f"no port number is larger than {MAX_PORT}")
            serverFromString(reactor, endpoint)
        except CertificateError as error:
            raise UsageError(f"--port {description}: {error}") from None
        except Exception as error:
            # Every kind of endpoint has its own way to complain.
            raise UsageError(
                f"--port {description}: {_CALL.sub('', explain(error))}. "
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
        super().postOptions()


def _readRelay(option: str, text: str, example: str) -> tuple[str, RTMPURL]:
    """
    What is before the first C{=}, and the URL behind it.

    @raise UsageError: which names the option, and shows nothing that may be a secret.
    """
    name, equals, url = text.partition("=")
    # Who has forgotten the first part has written what may be a secret in its place.
    mayBeSecret = bool(set(name) & set(":@?")) or (not equals and len(name) >= MIN_KEY)
    shown = "" if mayBeSecret else name.strip("/")
    try:
        if not shown or not equals:
            raise URLError(f"it needs a name and a URL, as {example}")
        parsed = RTMPURL.parse(url)
        if not parsed.app:
            raise URLError("the URL needs an application, as rtmp://host/app")
        if option != "push" and "/" not in shown:
            raise URLError(f"it needs an application and a name, as {example}")
    except URLError as error:
        given = shown if shown and not equals else f"{shown}=..."
        raise UsageError(f"--{option} {given}: {error}") from None
    return shown, parsed


def makeService(options: Options) -> IService:
    """Make the service."""
    from twisted.internet import reactor

    clock, threads = IReactorTime(reactor), IReactorFromThreads(reactor)
    installLookups(reactor)
    limits, reached = makeLimits(options), Reached()
    application = makeApplication(options, clock, limits, reached)
    hub = makeHub(options, clock, limits, reached)
    factory = RTMPServerFactory(
        application,
        hub,
        clock,
        bool(options["verbose"]),
        hidesNames=hidesNames(options),
        limits=limits,
        reached=reached,
        trusted=options["trusted"],
    )
    writers = ThreadPool(0, WRITERS, "recorder")
    # The end of the process does not wait for a disk that stands still.
    writers.threadFactory = partial(Thread, daemon=True)  # type: ignore[assignment]
    run = partial(deferToThreadPool, threads, writers)
    recorder = makeRecorder(options, clock, IReactorProcess(reactor), run, limits, reached)
    if recorder is not None:
        hub.observers.append(recorder)
    push, pull = Push(hub, factory.identity, clock), Pull(hub, factory.identity, clock)
    hub.observers.append(push)
    hub.sources.append(pull)
    starts = [
        partial(keepSteadyTime, clock),
        *[partial(push.add, app, url) for app, url in options["push"]],
        *[partial(pull.add, path, url, always) for path, url, always in options["pull"]],
    ]
    result = RTMPService(factory, pull, push, recorder, writers, starts, Signals(reactor))
    for description in options["port"]:
        port: StreamServerEndpointService = service(description, factory)
        port.setServiceParent(result)
    return result
