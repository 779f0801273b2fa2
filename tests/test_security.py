# -*- test-case-name: tests.test_security -*-
"""
SECURITY.rst is true: what it says of limits is what the code says, and what it says that tests show, tests show.
"""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.core import publish_doctree
from twisted.trial.unittest import SynchronousTestCase

import rtmptw
from rtmptw.limits import Limit, describeLimits

TESTS = Path(__file__).parent
ROOT = TESTS.parent
TEXT = ROOT / "SECURITY.rst"

#: All rows there are; the letters stand for what they are about.
ROWS = {"A": 9, "B": 21, "C": 11, "D": 20, "F": 26}

#: What an entry begins with that says why a row has no test.
NOT_HERE = "n/a:"

#: The titles of the tables.
RULES, LIMITS, INPUT, FAULTS = "Rules", "Limits", "Bad input", "Faults"

_NAME = re.compile(r"test_((?:[A-F]\d+_)+)")
#: Where a class begins, and where a test of it does.
_LINE = re.compile(r"^(?:class (\w+)|    (?:async )?def (test_\w+))", re.MULTILINE)

_UNITS = (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10))


@cache
def document() -> nodes.document:
    """The text as docutils understands it; whatever it does not is an error."""
    settings = {"halt_level": 2, "report_level": 2, "input_encoding": "utf-8"}
    return publish_doctree(TEXT.read_text(encoding="utf-8"), source_path=str(TEXT), settings_overrides=settings)


def table(title: str) -> list[list[str]]:
    """
    The rows of a table, without its head.

    @raise AssertionError: if there is no such table, or more than one.
    """
    found = [each for each in document().findall(nodes.table) if each[0].astext() == title]
    if len(found) != 1:
        raise AssertionError(f"there are {len(found)} tables with the title {title}")
    [body] = found[0].findall(nodes.tbody)
    return [[entry.astext() for entry in row] for row in body]


def namesIn(entry: str) -> list[str]:
    """The names of the tests in an entry of a table."""
    return entry.split()


def find(name: str) -> Any:
    """
    The test of a name, as C{session.test_hostile.HostileTests.test_B8_shortControls}.

    @raise AssertionError: if there is none.
    """
    module, case, method = name.rsplit(".", 2)
    try:
        return getattr(getattr(importlib.import_module(f"tests.{module}"), case), method)
    except (ImportError, AttributeError) as error:
        raise AssertionError(f"there is no test {name}: {error}") from None


def rowsOf(name: str) -> list[str]:
    """The rows that the name of a test says it shows."""
    found = _NAME.match(name.rpartition(".")[2])
    return found[1].strip("_").split("_") if found else []


@cache
def namedTests() -> dict[str, list[str]]:
    """All tests that are named after rows: where they are, by row."""
    found: dict[str, list[str]] = {}
    for path in sorted(TESTS.rglob("test_*.py")):
        module, case = ".".join(path.relative_to(TESTS).with_suffix("").parts), ""
        for line in _LINE.finditer(path.read_text(encoding="utf-8")):
            case = line[1] or case
            for row in rowsOf(line[2] or ""):
                found.setdefault(row, []).append(f"{module}.{case}.{line[2]}")
    return found


@cache
def sources() -> list[tuple[str, ast.AST]]:
    """Everything in the sources: the file, and the node."""
    return [
        (str(path.relative_to(ROOT)), node)
        for path in sorted(Path(rtmptw.__file__).parent.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    ]


def valueText(limit: Limit) -> str:
    """A default for people: C{64 KiB}, C{10 s}, C{20 /s}, C{1024}."""
    if limit.unit == "bytes":
        for unit, size in _UNITS:
            if limit.value and limit.value % size == 0:
                return f"{limit.value / size:g} {unit}"
    return f"{limit.value:.10g} {limit.unit}".strip()


def expectedLimits() -> Iterator[list[str]]:
    """The first three entries of the table of limits: name, default, and what it bounds."""
    for limit in describeLimits():
        yield [limit.option, valueText(limit), limit.text]


class LimitTests(SynchronousTestCase):
    def test_same(self) -> None:
        """Every limit, in the code's order, with its default and its words. What has changed is to be changed there."""
        self.maxDiff = None
        self.assertEqual([row[:3] for row in table(LIMITS)], list(expectedLimits()))

    def test_whatHappens(self) -> None:
        """For each of them."""
        self.assertEqual([row[0] for row in table(LIMITS) if not row[3]], [])

    def test_shown(self) -> None:
        """Each has a test that shows it, and that test is about this limit."""
        for limit, row in zip(describeLimits(), table(LIMITS), strict=True):
            names = namesIn(row[4])
            self.assertTrue(names, limit.name)
            for name in names:
                find(name)
            text = "".join(Path(*_path(name)).read_text(encoding="utf-8") for name in names)
            self.assertIn(limit.name, text)

    def test_values(self) -> None:
        """How defaults are written."""
        for value, unit, text in (
            (65536, "bytes", "64 KiB"),
            (0, "bytes", "0 bytes"),
            (1000, "bytes", "1000 bytes"),
            (8 << 20, "bytes", "8 MiB"),
            (1 << 30, "bytes", "1 GiB"),
            (10.0, "s", "10 s"),
            (7.5, "/min", "7.5 /min"),
            (50_000, "/s", "50000 /s"),
            (1024, "", "1024"),
        ):
            self.assertEqual(valueText(Limit("x", "x", value, True, unit, "", 0, 0)), text)


def _path(name: str) -> list[str]:
    *packages, module = name.rsplit(".", 2)[0].split(".")
    return [str(TESTS), *packages, f"{module}.py"]


class RowTests(SynchronousTestCase):
    """The two tables of rows."""

    def rows(self) -> list[list[str]]:
        return table(INPUT) + table(FAULTS)

    def test_all(self) -> None:
        """Every row once, in its order, with all of its entries."""
        expected = [f"{letter}{number}" for letter, count in ROWS.items() for number in range(1, count + 1)]
        self.assertEqual([row[0] for row in self.rows()], expected)
        self.assertEqual([row[0] for row in self.rows() if len(row) != 4 or not all(row)], [])

    def test_shown(self) -> None:
        """Each names tests that there are, and that are named after it."""
        for id, _, _, entry in self.rows():
            if not entry.startswith(NOT_HERE):
                for name in namesIn(entry):
                    find(name)
                    self.assertIn(id, rowsOf(name), name)

    def test_named(self) -> None:
        """Each has at least one test of its name; those that have none say why, and have none."""
        for id, _, _, entry in self.rows():
            if entry.startswith(NOT_HERE):
                self.assertGreater(len(entry), len(NOT_HERE) + 10, id)
                self.assertNotIn(id, namedTests())
            else:
                self.assertIn(id, namedTests())

    def test_known(self) -> None:
        """No test is named after a row that there is not."""
        self.assertEqual(namedTests().keys() - {row[0] for row in self.rows()}, set())


class RuleTests(SynchronousTestCase):
    """What is always so."""

    def test_shown(self) -> None:
        for rule, entry in table(RULES):
            self.assertTrue(namesIn(entry), rule)
            for name in namesIn(entry):
                find(name)

    def test_noCode(self) -> None:
        """Nothing that is received can become code, or an object of a class that it names."""
        found = []
        for path, node in sources():
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                found += (
                    [f"{path}: {node.func.id}"] if node.func.id in ("eval", "exec", "compile", "__import__") else []
                )
            elif isinstance(node, (ast.Import, ast.ImportFrom)):
                names = [alias.name for alias in node.names]
                names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                found += [
                    f"{path}: {name}" for name in names if name.split(".")[0] in ("pickle", "marshal", "shelve", "xml")
                ]
        self.assertEqual(found, [])

    def test_noShell(self) -> None:
        """A program is started in one place, with its words one by one; no shell is."""
        found = set()
        for path, node in sources():
            if isinstance(node, ast.Attribute) and node.attr in ("spawnProcess", "system", "popen", "Popen"):
                found.add((path, node.attr))
            elif isinstance(node, ast.keyword) and node.arg == "shell":
                found.add((path, "shell="))
            elif isinstance(node, ast.Import):
                found |= {(path, alias.name) for alias in node.names if alias.name == "subprocess"}
        self.assertEqual(found, {("rtmptw/record/hook.py", "spawnProcess")})


class PlaceTests(SynchronousTestCase):
    """Who looks for it finds it."""

    def test_README(self) -> None:
        self.assertIn("SECURITY.rst", (ROOT / "README.rst").read_text(encoding="utf-8"))

    def test_oneTable(self) -> None:
        """What it replaces is not there any more."""
        self.assertFalse((ROOT / "docs" / "hostile-input.md").exists())
