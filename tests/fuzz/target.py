"""
A target of fuzzing: what is tried with any bytes, what to begin with, and how to bend it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from random import Random

__all__ = ["CORPORA", "GUIDES", "Mutation", "Scramble", "Target", "corpus", "names", "target"]

CORPORA = Path(__file__).parent / "corpora"
_TARGETS = Path(__file__).parent / "targets"

#: Whose ways lead a fuzzer: those of the packages that a target is about. What lies below has targets of its own.
GUIDES: dict[str, tuple[str, ...]] = {
    "server": ("rtmptw.live", "rtmptw.protocol", "rtmptw.session"),
    "client": ("rtmptw.protocol", "rtmptw.session", "rtmptw.outlet"),
    "trace": ("rtmptw.trace",),
    "auth": ("rtmptw.auth", "rtmptw.session"),
}

#: Bends bytes without knowing what they are: given bytes and how many there may be at most.
Scramble = Callable[[bytes, int], bytes]

#: Bends an input: given the input, how long it may be, a source of chance, and how to bend what has no structure.
Mutation = Callable[[bytes, int, Random, Scramble], bytes]


@dataclass(frozen=True)
class Target:
    """
    One target.

    @ivar check: takes any bytes; raises if what comes of them is wrong, and anything but that is a good end.
    @ivar seeds: gives inputs to begin with.
    @ivar maxLength: how long an input need be at most, bytes.
    @ivar mutate: bends an input so that it still means something; L{None}: any change will do.
    """

    check: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]]
    maxLength: int
    mutate: Mutation | None = None


@cache
def names() -> tuple[str, ...]:
    """The names of all targets."""
    return tuple(sorted(module.name for module in iter_modules([str(_TARGETS)])))


def target(name: str) -> Target:
    """
    One of them.

    @raise KeyError: if there is none of that name.
    """
    if name not in names():
        raise KeyError(name)
    found: Target = import_module(f"tests.fuzz.targets.{name}").TARGET
    return found


def corpus(name: str) -> Iterator[tuple[str, bytes]]:
    """The inputs that are kept for a target, with the names of their files."""
    for path in sorted((CORPORA / name).iterdir()):
        yield path.name, path.read_bytes()
