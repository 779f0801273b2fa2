# -*- test-case-name: tests.benchmarks.load.test_orders -*-
"""
The orders that a load process gets, a line of JSON each, and its answers, the same. When there are no more, it ends:
so it never outlives who has started it.

The other end is L{benchmarks.load.child}.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import signal
import sys
from collections.abc import Callable, Mapping
from select import EPOLLIN, epoll
from typing import Any

__all__ = ["Answer", "Orders", "raiseFileLimit"]

#: What an order says, or an answer.
Answer = dict[str, Any]

_READ_SIZE = 1 << 16


def raiseFileLimit() -> int:
    """
    Allow this process, and those that it starts, as many open files as may be.

    @return: how many that is.
    """
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


class Orders:
    """
    Carries out orders by name.

    @ivar isOver: whether there will be none.
    """

    def __init__(self, actions: Mapping[str, Callable[[Answer], Answer | None]], source: int, sink: int) -> None:
        """
        @param actions: what does it, by the order's C{"do"}; L{None} means that the answer comes later.
        @param source: the file descriptor where orders come from.
        @param sink: the one where answers go.
        """
        self.isOver = False
        self._actions = actions
        self._source = source
        self._sink = sink
        self._rest = b""

    @classmethod
    def standard(cls, actions: Mapping[str, Callable[[Answer], Answer | None]], poll: epoll) -> Orders:
        """Orders from standard input; L{read} is to be called when C{poll} says so."""
        raiseFileLimit()
        # Ctrl-C is for who gives the orders.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        # What is there now stays, and cycles are not made: a collection would only be a pause in what is measured.
        gc.disable()
        orders = cls(actions, sys.stdin.fileno(), sys.stdout.fileno())
        poll.register(orders._source, EPOLLIN)
        return orders

    def fileno(self) -> int:
        """Where orders come from."""
        return self._source

    def read(self) -> None:
        """Carry out what has come."""
        data = os.read(self._source, _READ_SIZE)
        self.isOver = not data
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            order: Answer = json.loads(line)
            answer = self._actions[order["do"]](order)
            if answer is not None:
                self.answer(answer)

    def answer(self, answer: Answer) -> None:
        """Answer the oldest order that has none."""
        os.write(self._sink, json.dumps(answer).encode() + b"\n")
