"""
Look for inputs that a target does not stand: C{python -m tests.fuzz TARGET}.

It begins with what the corpus has and with the target's own seeds, and goes on until something is found, or the time or
number of runs is over. An input that fails is written as C{crash-...} into the directory of C{--crashes}; once it is
mended, that file belongs to the corpus, under a name that says what it was.

What is found is kept in the corpus. A long search is better made with one of its own (C{--corpus}), of which only what
reaches something is taken over (C{--minimize}).
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import shutil
import sys
import tempfile
from pathlib import Path
from random import Random
from typing import Any

from tests.fuzz.target import CORPORA, GUIDES, Mutation, Target, names, target

_MISSING = (
    "atheris is not installed, and it is what looks for inputs: pip install -e '.[fuzz]'. "
    "The inputs that are known are replayed without it: pytest tests/fuzz"
)


def _arguments(argv: list[str]) -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description=__doc__, epilog="Whatever else stands there goes to libFuzzer."
    )
    parser.add_argument("target", choices=names())
    parser.add_argument("--runs", type=int, default=-1, help="how many inputs to try; without an end, if not given")
    parser.add_argument("--seconds", type=int, default=0, help="how long to try; without an end, if not given")
    parser.add_argument("--corpus", type=Path, help="where inputs are kept; by default, the committed ones")
    parser.add_argument("--minimize", type=Path, metavar="DIR", help="copy there what reaches anything new, and end")
    parser.add_argument("--crashes", type=Path, default=Path(), metavar="DIR", help="where inputs that fail go")
    return parser.parse_known_args(argv)


def _others(name: str) -> list[str]:
    """The modules whose ways do not lead a target."""
    root = CORPORA.parents[2]
    modules = [".".join(path.relative_to(root).with_suffix("").parts) for path in (root / "rtmptw").rglob("*.py")]
    guides = GUIDES.get(name, ("rtmptw.wire",))
    return [module for module in modules if not any(f"{module}.".startswith(f"{guide}.") for guide in guides)]


def _mutator(mutate: Mutation) -> Any:
    """A mutation, as atheris wants it."""
    import atheris  # type: ignore[import-untyped,unused-ignore]

    def scramble(data: bytes, most: int) -> bytes:
        # What stands under this name is another function once it has begun.
        return bytes(atheris.Mutate(data, most))

    def bend(data: bytes, most: int, seed: int) -> bytes:
        return mutate(bytes(data), most, Random(seed), scramble)

    return bend


def _writeSeeds(name: str, chosen: Target) -> Path:
    """
    Write a target's seeds where libFuzzer reads them.

    @return: the directory. libFuzzer ends the process without a word, so it may be left behind; the next search for
        this target begins with a new one.
    """
    directory = Path(tempfile.gettempdir()) / f"rtmptw-fuzz-{name}"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    for seed in chosen.seeds():
        (directory / f"seed-{hashlib.sha256(seed).hexdigest()[:16]}").write_bytes(seed[: chosen.maxLength])
    return directory


def _command(options: argparse.Namespace, more: list[str], chosen: Target, seeds: Path) -> list[str]:
    """What libFuzzer is told. To merge it runs the command again, as a shell would, and adds words of its own."""
    words = [f"{sys.executable} -m tests.fuzz {options.target}", f"-max_len={chosen.maxLength}", "-timeout=20"]
    words += [f"-artifact_prefix={options.crashes}/", *more]
    corpus = options.corpus or CORPORA / options.target
    corpus.mkdir(parents=True, exist_ok=True)
    if options.minimize is None:
        return [*words, f"-runs={options.runs}", f"-max_total_time={options.seconds}", str(corpus), str(seeds)]
    options.minimize.mkdir(parents=True, exist_ok=True)
    return [*words, "-merge=1", "-use_counters=0", str(options.minimize), str(corpus), str(seeds)]


def main(argv: list[str]) -> int:
    """
    Fuzz one target.

    @return: only if there is nothing to do it with; libFuzzer ends the process otherwise.
    """
    options, more = _arguments(argv)
    try:
        import atheris
    except ImportError:
        print(_MISSING, file=sys.stderr)
        return 2
    with atheris.instrument_imports(include=["rtmptw"], exclude=_others(options.target)):
        chosen = target(options.target)
    if any(word.startswith("-merge_control_file") for word in more):
        # A part of a merge; what to read stands in that file.
        command = [options.target, f"-max_len={chosen.maxLength}", *more]
    else:
        command = _command(options, more, chosen, _writeSeeds(options.target, chosen))
    # What is made for one input is gone with it; what is loaded stays.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    extra = {} if chosen.mutate is None else {"custom_mutator": _mutator(chosen.mutate)}
    atheris.Setup(command, chosen.check, **extra)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
