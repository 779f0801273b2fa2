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
from twisted.internet.interfaces import IReactorFromThreads, IReactorTime
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool
from twisted.python.usage import Options as BaseOptions
from twisted.python.usage import UsageError

import rtmptw
from rtmptw.record.recorder import Recorder
from rtmptw.server import RTMPServerFactory

__all__ = ["Options", "RTMPService", "makeService"]

#: How many files are written at a time; the others wait their turn.
WRITERS = 8


class Options(BaseOptions):
    """The command line."""

    synopsis = "[options]"
    longdesc = """An RTMP server.

Publish:  ffmpeg -re -i FILE -c copy -f flv rtmp://HOST/live/NAME
Play:     ffplay rtmp://HOST/live/NAME
Encrypt:  --port ssl:443:privateKey=key.pem:certKey=cert.pem"""

    optFlags = [["verbose", "v", "Log every message, a line each."]]

    optParameters = [
        ["record", None, None, "Record every publish into this directory, as FLV files. It must exist."],
    ]

    compData: Any = None

    def __init__(self) -> None:
        super().__init__()
        self["port"] = []

    def opt_port(self, description: str) -> None:
        """
        Listen here: a port number, or a server endpoint string such as "tcp:1935:interface=127.0.0.1". May be given
        more than once. [default: 1935]
        """
        self["port"].append(f"tcp:{description}" if description.isdigit() else description)

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
                raise UsageError(f"--record {directory}: there is no such directory")
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
    """
    Make the service.

    @raise UsageError: if a port is described wrongly.
    """
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
        try:
            port: StreamServerEndpointService = service(description, factory)
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise UsageError(f"--port {description}: {error}") from None
        port.setServiceParent(result)
    return result
