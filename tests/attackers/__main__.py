# -*- test-case-name: tests.attackers.test_main -*-
"""
C{python -m tests.attackers}: see its C{--help}.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from twisted.internet.task import deferLater, react

from tests.attackers.attacker import Goal
from tests.attackers.campaign import Campaign, addresses
from tests.attackers.row import Row
from tests.attackers.rows import ROWS

__all__ = ["READY", "attack", "main", "options"]

#: What is said before C{--wait} waits.
READY = "ready"


def _row(name: str) -> Row:
    if name not in ROWS:
        raise argparse.ArgumentTypeError(f"{name}: there are {', '.join(ROWS)}")
    return ROWS[name]


def options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """
    Read the command line.

    @raise SystemExit: for C{--help}, and for a mistake, which is told.
    """
    about = "\n".join(f"  {row.name:7} {row.about}" for row in ROWS.values())
    parser = argparse.ArgumentParser(
        prog="python -m tests.attackers",
        description="Attack an RTMP server of your own; a line of JSON says what has come of it.",
        epilog=f"rows:\n{about}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("row", type=_row, help="what is done; see below")
    add("--host", default="127.0.0.1", help="the server (default %(default)s)")
    add("--port", type=int, required=True, help="its port")
    add("--seconds", type=float, default=10.0, help="how long (default %(default)s)")
    add("--from", dest="network", type=addresses, default="127.0.1.0/24", metavar="NETWORK", help="source addresses")
    add("--addresses", dest="sources", type=int, metavar="N", help="use only so many of them")
    add("--connections", type=int, help="how many at a time (default: the row's)")
    add("--rate", type=float, help="how many come in a second (default: the row's)")
    add("--app", default=Goal.app, help="the application (default %(default)s)")
    add("--victim", default=Goal.victim, help="a stream there that others publish (default %(default)s)")
    add("--nice", type=int, default=0, metavar="N", help="let others go first (default %(default)s)")
    add("--wait", action="store_true", help="say that all is ready, and wait for a line on standard input")
    return parser.parse_args(arguments)


def attack(reactor: Any, chosen: argparse.Namespace) -> Any:
    """
    Attack for so long, and tell the account.
    """
    row: Row = chosen.row
    changes = {name: getattr(chosen, name) for name in ("connections", "rate", "sources") if getattr(chosen, name)}
    goal = Goal(chosen.app, chosen.victim)
    campaign = Campaign(reactor, replace(row, **changes), chosen.host, chosen.port, chosen.network, goal)
    campaign.begin()

    def end() -> None:
        told = {"row": row.name, "seconds": reactor.seconds() - began, "addresses": len(campaign.sources)}
        print(json.dumps({**told, **campaign.end().asJSON()}), flush=True)

    # Also if it is ended early, by SIGTERM.
    began = reactor.seconds()
    reactor.addSystemEventTrigger("before", "shutdown", end)
    return deferLater(reactor, chosen.seconds)


def main(arguments: Sequence[str] | None = None) -> None:
    """The process."""
    chosen = options(arguments)
    # Who has started us may be more than that (chrt): what is measured beside attackers.
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    os.nice(chosen.nice)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if chosen.wait:
        print(READY, flush=True)
        if not sys.stdin.readline():
            return
    react(attack, (chosen,))


if __name__ == "__main__":
    main()
