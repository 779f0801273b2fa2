"""
Serve broken servers, each on a port of its own, chosen by the system::

    python -m tests.brokenservers [--seconds N] [NAME[@LABEL] ...]

A line for each says where, C{"NAME rtmp://127.0.0.1:PORT"}; without names, all of L{tests.brokenservers.bends.BENDS}
and those that are not broken. A label makes another server of the same name. The last line has another port,
C{"state PORT"}: whoever connects there is told what has happened so far, in JSON: by name, L{describe}.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from functools import partial
from typing import Any

from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import deferLater, react
from twisted.logger import globalLogBeginner, textFileLogObserver

from rtmptw.wire.oneline import oneLine
from tests.brokenservers.bends import BENDS
from tests.brokenservers.mediabends import SlowReader
from tests.brokenservers.plain import PlainFactory, PlainServer

__all__ = ["SOUND", "describe", "main", "serve"]

#: The servers that are not broken.
SOUND: dict[str, type[PlainServer]] = {"plain": PlainServer, "slow-reader": SlowReader}


def describe(factory: PlainFactory) -> dict[str, Any]:
    """
    What has happened in a server: by connection, what was said and how it stands; by stream, how many messages of each
    type are stored, and how many publishes have ended.
    """
    return {
        "connections": [
            {
                "heard": [oneLine(command.encode()) for command in connection.heard],
                "received": dict(connection.received),
                "problem": connection.problem,
                "times": connection.times,
                "began": connection.began,
                "ended": connection.ended,
                "shookHands": connection.handshake is None,
            }
            for connection in factory.connections
        ],
        "streams": {
            path: {
                "stored": len(stream.stored),
                "video": sum(message.type == 9 for message in stream.stored),
                "audio": sum(message.type == 8 for message in stream.stored),
                "ends": stream.ends,
            }
            for path, stream in factory.streams.items()
        },
    }


class _State(Protocol):
    """Tells it, and goes."""

    def __init__(self, servers: dict[str, PlainFactory]) -> None:
        self._servers = servers

    def connectionMade(self) -> None:
        assert self.transport is not None
        state = {name: describe(server) for name, server in self._servers.items()}
        self.transport.write(json.dumps(state).encode())
        self.transport.loseConnection()


def serve(reactor: Any, names: Iterable[str]) -> dict[str, int]:
    """
    Listen.

    @return: the ports, by name, and that of C{"state"}.
    """
    servers: dict[str, PlainFactory] = {}
    ports = {}
    for name in names:
        kind = name.partition("@")[0]
        servers[name] = PlainFactory(reactor, SOUND[kind]) if kind in SOUND else BENDS[kind].server(reactor)
        ports[name] = reactor.listenTCP(0, servers[name], interface="127.0.0.1").getHost().port
    told = Factory.forProtocol(partial(_State, servers))
    ports["state"] = reactor.listenTCP(0, told, interface="127.0.0.1").getHost().port
    return ports


def main(reactor: Any, *arguments: str) -> Any:
    """Serve until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m tests.brokenservers")
    parser.add_argument("--seconds", type=float, default=3600.0, help="how long")
    parser.add_argument("names", nargs="*", metavar="NAME", default=[*SOUND, *BENDS])
    options = parser.parse_args(arguments)
    unknown = {name.partition("@")[0] for name in options.names} - {*SOUND, *BENDS}
    if unknown:
        parser.error(f"no such server: {', '.join(sorted(unknown))}")
    for name, port in serve(reactor, options.names).items():
        print(name, port if name == "state" else f"rtmp://127.0.0.1:{port}", flush=True)
    return deferLater(reactor, options.seconds)


if __name__ == "__main__":
    globalLogBeginner.beginLoggingTo([textFileLogObserver(sys.stderr)], redirectStandardIO=False)
    react(main, sys.argv[1:])
