# -*- test-case-name: tests.test_layers -*-
"""
Tests for the order of the rooms: imports go downward only.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

import rtmptw

ROOT = Path(rtmptw.__file__).parent

_BOTTOM = {"errors"}
_SESSION = _BOTTOM | {"interfaces", "requests", "limits", "wire"}
_LIVE = _SESSION | {"session", "limits"}
_CONNECTION = _LIVE | {"outlet", "directoutlet", "inlet", "closereason", "keepalive"}
_LOOK = _BOTTOM | {"wire", "causes", "trace", "capture", "show"}

#: Who may import whom, besides itself: the first part of a module's name behind C{rtmptw}.
ROOMS = {
    "errors": set(),
    "interfaces": set(),
    "requests": set(),
    "limits": _BOTTOM | {"wire"},
    "deadlines": {"limits", "session"},
    "closereason": set(),
    "keepalive": set(),
    "wire": _BOTTOM,
    "session": _SESSION,
    "live": _LIVE,
    "outlet": {"interfaces"},
    "plainsocket": set(),
    "directoutlet": {"interfaces", "outlet", "plainsocket", "closereason"},
    "inlet": {"plainsocket", "closereason"},
    "door": {"inlet", "live"},
    "appetite": _CONNECTION,
    "protocol": _CONNECTION | {"deadlines", "appetite"},
    "gate": {"limits"},
    "steadytime": set(),
    "lookups": set(),
    "connections": {"protocol", "door", "limits", "gate"},
    "server": _CONNECTION | {"live", "protocol", "connections", "door", "gate"},
    "url": _BOTTOM,
    "tls": _BOTTOM | {"closereason", "directoutlet", "plainsocket", "gate"},
    "discretion": {"session", "url"},
    "client": _CONNECTION | {"protocol", "connections", "discretion", "url", "tls"},
    "auth": _LIVE | {"server", "gate"},
    "record": _LIVE | {"live"},
    "relay": _LIVE | {"live", "client", "discretion", "url"},
    "tools": _LIVE | {"client", "url"},
    "service": {"server", "record", "relay", "errors"},
    "causes": set(),
    "trace": _BOTTOM | {"wire", "causes"},
    "capture": _BOTTOM | {"wire", "trace", "outlet", "plainsocket", "directoutlet", "closereason", "keepalive"},
    "show": _LOOK - {"show"},
    "compare": _LOOK,
    "dialects": _BOTTOM | {"wire", "url", "causes", "trace"},
    "doctor": _BOTTOM | {"wire", "url", "causes", "trace", "show", "dialects"},
    "testing": _BOTTOM | {"wire", "url", "causes", "trace", "dialects", "doctor", "client", "closereason"},
}

#: These put everything together.
TOP = {"tap", "cli", "__init__", "__main__"}

#: The one function that may be long, because calls cost too much there: the reading of chunk headers.
HOT = {"_readHeader"}

#: What may not be used below a certain room.
OUTSIDE = {
    "wire": {"twisted", "zope", "time", "socket", "asyncio", "threading", "logging"},
    "errors": {"twisted", "zope"},
    "requests": {"twisted", "zope"},
}


def room(path: Path) -> str:
    return path.relative_to(ROOT).with_suffix("").parts[0]


def imports(source: str, path: object) -> Iterator[str]:
    """The modules that a source imports when it runs, in full; not those that only its types need."""
    tree = ast.parse(source)
    onlyTypes = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and isinstance(block.test, ast.Name) and block.test.id == "TYPE_CHECKING"
        for child in block.body
        for node in ast.walk(child)
    }
    for node in ast.walk(tree):
        if id(node) in onlyTypes:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: a relative import"
            assert node.module is not None
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


class LayerTests(SynchronousTestCase):
    def test_downwardOnly(self) -> None:
        wrong = []
        for path in sorted(ROOT.rglob("*.py")):
            here = room(path)
            if here in TOP:
                continue
            allowed = ROOMS.get(here, set()) | {here}
            for name in imports(path.read_text(), path):
                package, _, rest = name.partition(".")
                if package == "rtmptw" and rest.split(".")[0] not in allowed:
                    wrong.append(f"{path.relative_to(ROOT)} imports {name}")
        self.assertEqual(wrong, [])

    def test_outside(self) -> None:
        """The wire knows no Twisted and no clock."""
        wrong = []
        for path in sorted(ROOT.rglob("*.py")):
            banned = OUTSIDE.get(room(path), set())
            wrong += [
                f"{path.relative_to(ROOT)}: {name}"
                for name in imports(path.read_text(), path)
                if name.split(".")[0] in banned
            ]
        self.assertEqual(wrong, [])

    def test_everyRoomIsThere(self) -> None:
        """The table is not about something else; new rooms stand beside the recorder, and know nothing of it."""
        rooms = {room(path) for path in ROOT.rglob("*.py")}
        self.assertEqual(set(ROOMS) - rooms, set())

    def test_itWouldBeNoticed(self) -> None:
        """The reader of imports sees every form."""
        source = (
            "import os.path, sys\nfrom rtmptw import live\nfrom rtmptw.live.hub import StreamHub as S\n"
            "def f():\n    import twisted\nif TYPE_CHECKING:\n    from rtmptw.tap import x\n"
        )
        self.assertEqual(
            sorted(imports(source, "a test")), ["os.path", "rtmptw.live", "rtmptw.live.hub.StreamHub", "sys", "twisted"]
        )

    def test_sizes(self) -> None:
        """A module that outgrows 400 lines, or a function 50, is two."""
        for path in sorted(ROOT.rglob("*.py")):
            text = path.read_text()
            self.assertTrue(len(text.splitlines()) <= 400, path)
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name not in HOT:
                    self.assertTrue((node.end_lineno or 0) - node.lineno < 50, f"{path}: {node.name}")

    def test_firstLine(self) -> None:
        """Every module says which tests are about it."""
        for path in sorted(ROOT.rglob("*.py")):
            if path.name != "__init__.py":
                self.assertIn("test-case-name: tests.", path.read_text().splitlines()[0], path)
