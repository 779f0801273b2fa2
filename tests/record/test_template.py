"""Tests for L{rtmptw.record.template}."""

from __future__ import annotations

import doctest
import os
from datetime import UTC, datetime
from urllib.parse import unquote

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.record import template as module
from rtmptw.record.filename import MAX_NAME, PARTIAL, createFile, safeName
from rtmptw.record.template import DEFAULT_TEMPLATE, MAX_TEMPLATE, NameTemplate, encodePath
from tests.record.disk import makeDirectory

FIRST = datetime(2024, 2, 29, 23, 5, 6, 70_999, UTC)
BEGAN = datetime(2024, 3, 1, 0, 5, 7, 4_000, UTC)


def name(template: str, path: str = "live/camera", segment: int = 2) -> str:
    """What a template makes."""
    return NameTemplate(template).name(path, BEGAN, FIRST, segment)


class NameTests(SynchronousTestCase):
    """From templates to names."""

    def test_doctest(self) -> None:
        """The examples are right."""
        self.assertEqual(doctest.testmod(module).failed, 0)

    def test_default(self) -> None:
        """By default: as ever."""
        self.assertEqual(name(DEFAULT_TEMPLATE), "live/camera-20240301T000507.004Z")
        self.assertEqual(NameTemplate().name("a/b/c", BEGAN, FIRST, 1), "a/b/c-20240301T000507.004Z")

    def test_everyPlace(self) -> None:
        """Every variable and every conversion."""
        for template, expected in (
            ("{path}", "live/camera"),
            ("{app}", "live"),
            ("{name}", "camera"),
            ("x{ms}", "x004"),
            ("x{start_ms}", f"x{int(FIRST.timestamp() * 1000)}"),
            ("x{segment}", "x2"),
            ("%Y-%m-%d_%H.%M.%S", "2024-03-01_00.05.07"),
            ("100%%", "100%"),
            ("%%Y%%%Y", "%Y%2024"),
            ("{name}{name}", "cameracamera"),
            ("%Y/%m/{app}/{name}", "2024/03/live/camera"),
            ("{name}.flv", "camera"),
            ("caf\u00e9 $(id)", "caf\u00e9 $(id)"),
        ):
            self.assertEqual(name(template), expected, template)

    def test_earlyYears(self) -> None:
        """A year has four digits, whatever the clock."""
        began = datetime(7, 1, 2, tzinfo=UTC)
        self.assertEqual(NameTemplate("%Y{start_ms}").name("x", began, began, 1), "0007-61946208000000")

    def test_noApplication(self) -> None:
        """A path without a slash is a name without an application; an empty directory is none."""
        for template, expected in (("{app}/{name}", "x"), ("{app}-{name}", "-x"), ("{app}", "%"), ("{app}/{app}", "%")):
            self.assertEqual(name(template, "x"), expected)

    def test_D6_directories(self) -> None:
        """Hostile row D6: application and name make no directories, and no way out."""
        self.assertEqual(name("{app}/{name}", "live/../../etc/passwd"), "live/%2E.%2F..%2Fetc%2Fpasswd")
        self.assertEqual(name("{name}/{app}", "../x"), "x/%2E.")
        self.assertEqual(name("{path}", "../x/./y"), "%2E./x/%2E/y")

    def test_D6_dots(self) -> None:
        """Hostile row D6: what has no leading dot in itself has none in its place either."""
        self.assertEqual(name("{app}.{ms}", "x"), "%2E004")
        self.assertEqual(name("{app}.", "x"), "%2E")
        self.assertEqual(name("{app}./{app}./{name}", "x"), "%2E/%2E/x")

    def test_long(self) -> None:
        """Names that would be too long are cut, fit with all that is added, and are still their own."""
        paths = ["a" * 179 + "/" + "b" * 170 + last for last in "xyz"]
        names = [name("{app}-{name}-%Y", path) for path in paths]
        self.assertEqual(len(set(names)), 3)
        for each in [*names, name("x" * 400), name("\u20ac" * 100)]:
            self.assertLessEqual(len(os.fsencode(each)), MAX_NAME + 1)
            self.assertLess(len(os.fsencode(f"{each}-{'f' * 16}.flv{PARTIAL}")), 255)

    @settings(deadline=None, max_examples=150)
    @given(
        st.sampled_from([DEFAULT_TEMPLATE, "{app}/{name}", "{app}.{name}", "{name}", "{path}/{ms}", "%Y/{path}.{app}"]),
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60),
    )
    def test_D6_every(self, template: str, path: str) -> None:
        """Hostile row D6: whatever the path: each part is a name that a file may have, and none a way out."""
        found = name(template, path)
        for part in found.split("/"):
            self.assertRegex(part, r"\A[A-Za-z0-9_~%-][A-Za-z0-9_.~%-]*\Z")
            self.assertLess(len(part), 230)

    def test_D6_real(self) -> None:
        """Hostile row D6: and the files are where they should be."""
        root = makeDirectory(self)
        for path in ("../../x", "/etc/passwd", "a//b", "..", "live/\0", "live/-rf", "\u202e/\n"):
            for template in (DEFAULT_TEMPLATE, "{app}/{name}", "{name}", "{app}{name}/{path}"):
                createFile(str(root), name(template, path), ".flv").close()
        self.assertEqual(os.listdir(root.parent), ["recordings"])


class BadTemplateTests(SynchronousTestCase):
    """What is no template."""

    def test_refused(self) -> None:
        """What is wrong is said, and an unknown place is named."""
        for template, words in (
            ("{stream}", "there is no variable {stream}; there are {path} {app}"),
            ("{}", "there is no variable {}"),
            ("{Path}", "there is no variable {Path}"),
            ("%s", "there is no conversion %s; there are %Y"),
            ("%y", "there is no conversion %y"),
            ("x%", "there is no conversion %;"),
            ("%\u00e9", "there is no conversion %\u00e9"),
            ("{path", "a { that belongs to no variable"),
            ("path}", "a } that belongs to no variable"),
            ("{{path}}", "a { that"),
            ("", "there is no name"),
            (".flv", "there is no name"),
            ("/var/{path}", "not an absolute one"),
            ("a//b", "nothing between two slashes"),
            ("a/", "nothing between two slashes"),
            ("../{path}", "no part of a name can begin with a dot"),
            ("a/../b", "no part of a name can begin with a dot"),
            ("a/./b", "no part of a name can begin with a dot"),
            (".hidden", "no part of a name can begin with a dot"),
            ("a\nb", "a character that can't be seen"),
            ("a\0b", "a character that can't be seen"),
            ("x" * (MAX_TEMPLATE + 1), "more than 500 characters"),
        ):
            error = self.assertRaises(ValueError, NameTemplate, template)
            self.assertIn(words, str(error))
        NameTemplate("x" * MAX_TEMPLATE)


class PathTests(SynchronousTestCase):
    """From names back to paths."""

    def test_back(self) -> None:
        """Where a name tells the path, it is the path that files are named by."""
        for path in ("live/camera", "x", "a/b/c", "live/a b-20240301T000507.004Z", "../\u20ac"):
            expected = "/".join(safeName(part) for part in path.split("/"))
            self.assertEqual(unquote(expected), path)
            for template in (DEFAULT_TEMPLATE, "%Y/{path}_{ms}", "{segment}.{path}-{start_ms}", "100%%{path}{path}.x"):
                self.assertEqual(NameTemplate(template).path(f"{name(template, path)}.flv"), expected, template)
        self.assertEqual(NameTemplate("{app}/{name}-%Y").path("live/camera-2024.flv"), "live/camera")
        self.assertEqual(NameTemplate("{app}.{name}-%Y").path(".x-2024.flv"), "x")

    def test_numbered(self) -> None:
        """Also where the name has a number, because another one was the same."""
        self.assertEqual(NameTemplate().path("live/camera-20240301T000507.004Z-17.flv"), "live/camera")

    def test_untold(self) -> None:
        """Where it does not: nothing."""
        for template, file in (
            (DEFAULT_TEMPLATE, "live/camera.flv"),
            (DEFAULT_TEMPLATE, "live/camera-20240301T000507.004Z"),
            (DEFAULT_TEMPLATE, "-20240301T000507.004Z.flv"),
            ("{name}-%Y", "camera-2024.flv"),
            ("%Y{ms}", "2024004.flv"),
        ):
            self.assertEqual(NameTemplate(template).path(file), "")


class EncodePathTests(SynchronousTestCase):
    """Paths for programs."""

    def test_hostile(self) -> None:
        """Hostile row D7: no option, no second word, nothing that a shell or a terminal knows."""
        for path, expected in (
            ("live/camera", "live/camera"),
            ("-rf/x", "%2Drf/x"),
            ("a/-rf", "a/-rf"),
            ("$(id)/`id`;|&'\" *", "%24%28id%29/%60id%60%3B%7C%26%27%22%20%2A"),
            ("a\nb\0\x1b", "a%0Ab%00%1B"),
            ("caf\u00e9/\udcff", "caf%C3%A9/%FF"),
            ("%2e", "%252e"),
        ):
            self.assertEqual(encodePath(path), expected)
            self.assertEqual(unquote(expected, errors="surrogateescape"), path)
