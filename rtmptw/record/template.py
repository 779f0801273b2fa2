# -*- test-case-name: tests.record.test_template -*-
"""
The template that the names of recordings are made from.

A template is text in which two kinds of places are filled in:

- C{%Y %m %d %H %M %S}: when the file began, in UTC; C{%%} is a percent sign.
- C{{path}}: the stream's path, each part of it a directory, the last one a part of the name;
  C{{app}}, C{{name}}: what stands before its first slash (nothing, if there is none), and the rest: they make no
  directories; C{{ms}}: the milliseconds of when the file began, three digits; C{{start_ms}}: when the recording began,
  ms since 1970, the same for all files of one recording; C{{segment}}: which of its recording's files it is, 1 first.

A slash in the template makes directories. What a publisher may choose goes through
L{rtmptw.record.filename.safeName}, and no part of a name ever begins with a dot: nothing leads out of the directory
of recordings. Two files never have the same name: what a template does not tell apart is numbered.

    >>> began = datetime(2024, 1, 2, 3, 4, 5, 678_000, UTC)
    >>> NameTemplate().name("live/camera", began, began, 1)
    'live/camera-20240102T030405.678Z'
    >>> NameTemplate("%Y-%m-%d/{name}-{segment}").name("live/../x", began, began, 2)
    '2024-01-02/%2E.%2Fx-2'
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from urllib.parse import quote

from rtmptw.record.filename import fitName, safeName

__all__ = ["DEFAULT_TEMPLATE", "ENDING", "MAX_TEMPLATE", "NameTemplate", "encodePath"]

#: As C{live/camera-20240102T030405.678Z}.
DEFAULT_TEMPLATE = "{path}-%Y%m%dT%H%M%S.{ms}Z"

#: Every recording has it, whether the template does or not.
ENDING = ".flv"

#: The longest template, characters.
MAX_TEMPLATE = 500

#: A conversion, a variable, or a brace that is none of both; the rest is text.
_PLACE = re.compile(r"%(.?)|\{([^{}]*)\}|([{}])", re.DOTALL)

#: What matches what a variable or conversion has become.
_PATTERNS = {
    "path": r"(?P<path>.+)",
    "app": r"(?P<app>[^/]*)",
    "name": r"(?P<name>[^/]+)",
    "ms": r"\d{3}",
    "start_ms": r"\d+",
    "segment": r"\d+",
    **dict.fromkeys("mdHMS", r"\d\d"),
    "Y": r"\d{4}",
    "%": "%",
}

_VARIABLES = ("path", "app", "name", "ms", "start_ms", "segment")
_CONVERSIONS = "YmdHMS%"


class NameTemplate:
    """A template."""

    def __init__(self, text: str = DEFAULT_TEMPLATE) -> None:
        """
        @raise ValueError: if it is none, and what is wrong.
        """
        text = text.removesuffix(ENDING)
        if not text:
            raise ValueError("there is no name")
        if len(text) > MAX_TEMPLATE:
            raise ValueError(f"more than {MAX_TEMPLATE} characters")
        if not text.isprintable():
            raise ValueError("a character that can't be seen")
        if text.startswith("/"):
            raise ValueError("a name below the directory of recordings, not an absolute one")
        for part in text.split("/"):
            if not part:
                raise ValueError("nothing between two slashes")
            if part.startswith("."):
                raise ValueError("no part of a name can begin with a dot")
        #: Text, and the names of what is filled in, in turns.
        self._parts: list[tuple[str, str]] = []
        position = 0
        for place in _PLACE.finditer(text):
            self._parts.append((text[position : place.start()], _placeName(place)))
            position = place.end()
        self._rest = text[position:]
        seen: set[str] = set()
        pattern = ""
        for before, place_ in self._parts:
            again = place_ in seen and place_ in ("path", "app", "name")
            pattern += re.escape(before) + (f"(?P={place_})" if again else _PATTERNS[place_])
            seen.add(place_)
        self._pattern = re.compile(f"{pattern}{re.escape(self._rest)}(-\\d+)?{re.escape(ENDING)}")

    def name(self, path: str, began: datetime, recordingBegan: datetime, segment: int) -> str:
        """
        A name for a file, relative to the directory of recordings, without L{ENDING}.

        @param path: the stream's path.
        @param began: when the file began, in UTC.
        @param recordingBegan: when the recording did.
        @param segment: which of the recording's files it is, from 1 on.
        """
        app, slash, name = path.partition("/")
        values = {
            "path": "/".join(safeName(part) for part in path.split("/")),
            "app": safeName(app) if slash else "",
            "name": safeName(name if slash else app),
            "ms": f"{began.microsecond // 1000:03d}",
            "start_ms": str(_milliseconds(recordingBegan)),
            "segment": str(segment),
            "%": "%",
            **{letter: began.strftime(f"%{letter}") for letter in "mdHMS"},
            # Python's own %Y is not always of four digits.
            "Y": f"{began.year:04d}",
        }
        text = "".join(before + values[place] for before, place in self._parts) + self._rest
        parts = [part for part in text.split("/") if part] or ["%"]
        return "/".join(fitName(f"%2E{part[1:]}" if part.startswith(".") else part) for part in parts)

    def path(self, name: str) -> str:
        """
        The path of the stream that a file is of, percent-encoded as it is in the file's name.

        @param name: the file's, with L{ENDING}.
        @return: nothing, if the name does not tell.
        """
        match = self._pattern.fullmatch(name)
        found = match.groupdict() if match else {}
        if "path" in found:
            return found["path"] or ""
        if "name" in found and "app" in found:
            return "/".join(part for part in (found["app"], found["name"]) if part)
        return ""


def _placeName(place: re.Match[str]) -> str:
    conversion, variable, brace = place.groups()
    if brace:
        raise ValueError(f"a {brace} that belongs to no variable")
    if conversion is None:
        if variable not in _VARIABLES:
            known = " ".join(f"{{{name}}}" for name in _VARIABLES)
            raise ValueError(f"there is no variable {{{variable}}}; there are {known}")
        return str(variable)
    if not conversion or conversion not in _CONVERSIONS:
        known = " ".join(f"%{letter}" for letter in _CONVERSIONS)
        raise ValueError(f"there is no conversion %{conversion}; there are {known}")
    return str(conversion)


def _milliseconds(time: datetime) -> int:
    """Since 1970."""
    since = time - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86400 + since.seconds) * 1000 + since.microseconds // 1000


def encodePath(path: str) -> str:
    """
    A stream's path for programs, percent-encoded: it holds nothing but letters, digits, C{%._~-} and slashes, and does
    not begin with a hyphen, which would make an option of it.
    """
    text = quote(path, safe="/", errors="surrogateescape")
    return f"%2D{text[1:]}" if text.startswith("-") else text
