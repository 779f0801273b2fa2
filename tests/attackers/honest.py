# -*- test-case-name: tests.interop.test_slowhandshakes -*-
"""
Honest publishers, beside the attackers: how long it takes until each of them may publish::

    python -m tests.attackers.honest --port 1935 --from 127.0.2.0/24 --count 100 --at-once 10

A line of JSON says how many could, and how long it took: from the TCP connect to NetStream.Publish.Start.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections import Counter
from itertools import cycle
from typing import Any

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.endpoints import TCP4ClientEndpoint, wrapClientTLS
from twisted.internet.task import Cooperator, react

import rtmptw
from rtmptw.errors import RTMPError
from rtmptw.tls.client import clientTLS, trustedCertificates
from tests.attackers.campaign import addresses

__all__ = ["arguments", "main"]

_HOST = "127.0.0.1"

#: How long one tries, s.
_PATIENCE = 30.0


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.attackers.honest")
    add = parser.add_argument
    add("--port", type=int, required=True)
    add(
        "--from", dest="sources", type=addresses, default=_HOST, metavar="NETWORK", help="where they come from, in turn"
    )
    add("--count", type=int, default=100)
    add("--at-once", type=int, default=10)
    add("--ca", help="come over TLS, and trust these")
    return parser.parse_args()


async def _publish(reactor: Any, number: int, source: str, chosen: argparse.Namespace) -> float:
    """
    @return: how long it took, s.
    @raise RTMPError: if it could not be.
    """
    endpoint: Any = TCP4ClientEndpoint(reactor, _HOST, chosen.port, _PATIENCE, (source, 0))
    if chosen.ca:
        endpoint = wrapClientTLS(clientTLS(_HOST, trustedCertificates(chosen.ca)), endpoint)
    began = reactor.seconds()
    url = f"{'rtmps' if chosen.ca else 'rtmp'}://{_HOST}:{chosen.port}/live/honest{number}"
    stream = await rtmptw.publish(url, endpoint=endpoint, reactor=reactor, timeout=_PATIENCE)
    seconds: float = reactor.seconds() - began
    await stream.close()
    return seconds


def main(reactor: Any) -> Any:
    """All of them."""
    chosen = arguments()
    times: list[float] = []
    failed: Counter[str] = Counter()
    sources = cycle(chosen.sources)

    async def one(number: int) -> None:
        try:
            times.append(await _publish(reactor, number, next(sources), chosen))
        except RTMPError as error:
            failed[str(error)[:200]] += 1

    work = (Deferred.fromCoroutine(one(number)) for number in range(chosen.count))
    together = Cooperator()
    done = gatherResults([together.coiterate(work) for _ in range(chosen.at_once)])

    def tell(result: Any) -> None:
        known = {"worst": max(times), "median": statistics.median(times)} if times else {}
        print(json.dumps({"published": len(times), **known, "failed": dict(failed)}), flush=True)

    return done.addCallback(tell)


if __name__ == "__main__":
    react(main)
