# -*- test-case-name: tests.test_tap -*-
"""
C{twistd rtmp}: from options to a service.
"""

from __future__ import annotations

import os
from functools import partial
from typing import Any

from twisted.application.internet import StreamServerEndpointService
from twisted.application.service import IService, MultiService
from twisted.application.strports import service
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IReactorFromThreads, IReactorTime
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool
from twisted.python.usage import Options as BaseOptions
from twisted.python.usage import UsageError

import rtmptw
from rtmptw.closereason import explain
from rtmptw.record.recorder import Recorder
from rtmptw.server import RTMPServerFactory

__all__ = ["Options", "RTMPService", "makeService"]

#: How many files are written at a time; the others wait their turn.
WRITERS = 8

MAX_PORT = 65535

#: What C{--help} shows below the options.
EXAMPLES = """
An RTMP server: whoever publishes a name is seen by all who play it.

  twistd --nodaemon rtmp
      serve rtmp://HOST/ on port 1935, log to the terminal
  twistd rtmp --record /var/recordings
      in the background, and keep every publish as an FLV file
  twistd rtmp --port 1935 --port ssl:443:privateKey=key.pem:certKey=cert.pem
      serve rtmps://HOST/ (TLS) as well

  ffmpeg -re -i FILE -c copy -f flv rtmp://HOST/live/NAME
      publish a file
  ffplay rtmp://HOST/live/NAME
      play it
"""


class Options(BaseOptions):
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
        self["port"] = []

    def getUsage(self, width: int | None = None) -> str:
        """The options, and examples."""
        return f"{super().getUsage(width)}{EXAMPLES}"

    # One line, because the help shows line breaks as they are here.
    def opt_port(self, description: str) -> None:
        """Where to listen: a number, or an endpoint like tcp:1935:interface=127.0.0.1; repeatable. [default: 1935]"""
        from twisted.internet import reactor

        endpoint = f"tcp:{description}" if description.isdigit() else description
        try:
            if description.isdigit() and int(description) > MAX_PORT:
                raise ValueError(f"no port number is larger than {MAX_PORT}")
            serverFromString(reactor, endpoint)
        except Exception as error:
            # Every kind of endpoint has its own way to complain.
            raise UsageError(
                f"--port {description}: {explain(error)}. "
                "A port is a number, or an endpoint such as tcp:1935:interface=127.0.0.1"
            ) from None
        self["port"].append(endpoint)

    opt_p = opt_port

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


class RTMPService(MultiService):
    """
    The ports, and what is behind them.

    To stop, nobody is let in any more, everybody's connection is closed after what it has sent was passed on, and then
    the recordings are finished.
    """

    def __init__(self, factory: RTMPServerFactory, recorder: Recorder | None, writers: ThreadPool) -> None:
        super().__init__()
        self.factory = factory
        self._recorder = recorder
        self._writers = writers

    def startService(self) -> None:
        """Start to listen."""
        self._writers.start()
        super().startService()

    async def _stop(self, ports: Deferred[Any]) -> None:
        await ports
        await self.factory.closeAll("the server is shutting down")
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
    factory = RTMPServerFactory(clock=clock, verbose=bool(options["verbose"]))
    writers = ThreadPool(0, WRITERS, "recorder")
    recorder = None
    if options["record"] is not None:
        recorder = Recorder(options["record"], clock, partial(deferToThreadPool, threads, writers))
        factory.hub.observers.append(recorder)
    result = RTMPService(factory, recorder, writers)
    for description in options["port"]:
        port: StreamServerEndpointService = service(description, factory)
        port.setServiceParent(result)
    return result
