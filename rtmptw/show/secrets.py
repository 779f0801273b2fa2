# -*- test-case-name: tests.show.test_secrets -*-
"""
What must not be shown of a conversation, and what is shown in its place.

::

    publish(5, null, "<key#1>?token=<secret#1>", "live")
    onStatus(0, null, {level: "status", code: "NetStream.Publish.Start", description: "live/<key#1> is published"})

The same secret has the same mask wherever it stands, so that one can see which names are equal; a name has another word
than the rest. Two things tell what a secret is: its place (L{rtmptw.show.secretplaces}), which holds before anything
is known; and its text, once it was seen in such a place: then it is masked in all that follows. In sentences, that is
done for whole words. A short secret is masked nowhere but in its place, and in what servers say about streams: a name
like "1" is in every other line.

The application is no secret; a name that is the same is masked in its place only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import AnyStr, NamedTuple
from urllib.parse import unquote

from rtmptw.show.secretplaces import HARMLESS, Role, changed
from rtmptw.trace.entry import Entry, ReadMessage, Unreadable
from rtmptw.trace.values import COMMANDS, DATA, Values, readValues
from rtmptw.wire.amf import DATA_LIMITS, AMFValue
from rtmptw.wire.message import MAX_MESSAGE_SIZE, MessageType

__all__ = ["Hidden", "Secrets"]

#: Bytes that are not to be shown: the first, and the one behind the last, counted from the start of the payload.
Hidden = tuple[int, int]

#: A secret that is shorter is not looked for in every text, characters.
_LEAST = 4

#: The longest secret that is looked for, characters, and how many are; how many have a number; and how many names of
#: applications are remembered.
_LONGEST = 1024
_MOST_WORDS = 256
_MOST_MASKS = 4096
_MOST_APPLICATIONS = 1024

#: The longest string of AMF that is read, and its size in front of it, bytes.
_LONGEST_STRING = DATA_LIMITS.stringBytes + 4

#: What a parameter of a query is called if its value is no secret: Adobe's questions for a password (wire facts 8).
_OPEN_PARAMETERS = frozenset(("authmod", "code", "reason"))

#: How a name may begin and end, which is no part of it for everybody (wire facts 6).
_NAME = re.compile(r"(?:mp4:|flv:|mp3:|f4v:)?(.*?)(?:\.flv)?", re.DOTALL)

#: What has a name and a password in front of a host; what has a value behind a name.
_USER = re.compile(r"//([^/@?#\s:]*)(?::([^/@?#\s]*))?@")
_PARAMETER = re.compile(r"[?&]([\w.~%-]{1,64})=([^&?\s\"'<>\])]+)")
_PARAMETER_BYTES = re.compile(rb"[?&]([\w.~%-]{1,64})=([^&?\s\"'<>\])\x00-\x1f]+)")

_PAYLOADS_OF_MEDIA = frozenset((MessageType.AUDIO, MessageType.VIDEO, MessageType.AGGREGATE))
_CONTROL = range(1, 7)

#: AMF0's marker of a string (section 2.4), which is followed by its size, 16 bits.
_STRING = 2


class _Span(NamedTuple):
    """A part of a text that is a secret."""

    start: int
    stop: int
    kind: str


class Secrets:
    """
    What one look at one or more conversations has learned.
    """

    def __init__(self, public: Iterable[str] = ()) -> None:
        """
        @param public: texts that are no secret, wherever they stand, such as the name of a stream that was made up.
        """
        self._public = frozenset(public)
        self._applications: set[str] = set()
        self._masks: dict[str, str] = {}
        self._counts = {"key": 0, "secret": 0}
        # With their kinds, the longest first: it may begin like a shorter one.
        self._words: dict[str, str] = {}
        self._knowsNames = False

    def learn(self, entry: Entry) -> None:
        """Find the secrets of an entry, for all that follows."""
        if not isinstance(entry, ReadMessage):
            return
        type = entry.message.type
        if type in COMMANDS or type in DATA:
            self._learn(entry, readValues(entry.message))

    def values(self, entry: ReadMessage) -> tuple[tuple[AMFValue, ...], str]:
        """
        The values of a command or data message, as they may be shown.

        @return: the values, as far as they can be read; and why they can't be read to the end, if that is so.
        """
        values = readValues(entry.message)
        self._learn(entry, values)
        shown = changed(_plain(values), entry.side, entry.message.type in COMMANDS, self._masked)
        return shown, "" if values.fault is None else self.about(values.fault)

    def about(self, text: object) -> str:
        """Any text about the conversation, with masks in the place of the secrets that are known."""
        return self._replace(str(text), self._spans(str(text), Role.TEXT))

    def remark(self, text: object) -> str:
        """
        A text of ours that should hold no secret. To be sure, it is treated as by L{about}; but a stream's name that is
        a word like others, such as "message", stays in it.
        """
        return self._replace(str(text), self._spans(str(text), Role.REMARK))

    def hidden(self, entry: Entry, limit: int = MAX_MESSAGE_SIZE) -> list[Hidden]:
        """
        Which bytes of an entry's payload, or of its unreadable data, may not be shown.

        @param limit: how many of the first bytes are to be shown.
        """
        if isinstance(entry, Unreadable):
            return self._stray(entry.data[:limit], 0)
        if not isinstance(entry, ReadMessage):
            return []
        payload, type = entry.message.payload, entry.message.type
        if type in _PAYLOADS_OF_MEDIA or type in _CONTROL:
            return []
        if type not in COMMANDS and type not in DATA:
            return self._stray(payload[:limit], 0)
        values = readValues(entry.message)
        self._learn(entry, values)
        texts: dict[tuple[str, Role], None] = {}

        def gather(text: str, role: Role) -> str:
            texts[text, role] = None
            return text

        changed(_plain(values), entry.side, type in COMMANDS, gather)
        looked = payload[: limit + _LONGEST_STRING]
        found = {place for text, role in texts for place in _places(looked, text, self._spans(text, role))}
        if values.fault is not None:
            start = values.placed[-1].stop if values.placed else 0
            found.update(self._stray(payload[start:limit], start))
        return sorted(found)

    def _learn(self, entry: ReadMessage, values: Values) -> None:
        isCommand = entry.message.type in COMMANDS
        if values.name == "connect":
            application = values.get(2)
            path = application.get("app") if isinstance(application, dict) else None
            if isinstance(path, str):
                path = path.partition("?")[0].strip("/")
                if len(path) <= _LONGEST and len(self._applications) < _MOST_APPLICATIONS:
                    self._applications |= {path, *path.split("/")}
        changed(_plain(values), entry.side, isCommand, self._masked)

    def _masked(self, text: str, role: Role) -> str:
        self._knowsNames |= role in (Role.NAME, Role.DETAILS)
        return self._replace(text, self._spans(text, role))

    def _replace(self, text: str, spans: list[_Span]) -> str:
        parts, position = [], 0
        for start, stop, kind in spans:
            parts += [text[position:start], self._mask(text[start:stop], kind)]
            position = stop
        return "".join([*parts, text[position:]])

    def _mask(self, secret: str, kind: str) -> str:
        """The mask of a secret, which is known from now on."""
        if kind == "text":
            return "<text>"
        isLong = len(secret) > _LONGEST
        known = sha256(secret.encode("utf-8", "surrogatepass")).hexdigest() if isLong else secret
        mask = self._masks.get(known)
        if mask is None:
            if len(self._masks) >= _MOST_MASKS:
                return f"<{kind}>"
            self._counts[kind] += 1
            mask = self._masks[known] = f"<{kind}#{self._counts[kind]}>"
            if not isLong and len(self._words) < _MOST_WORDS:
                # A server may have decoded it.
                words = {secret, unquote(secret)} - self._public - self._applications - HARMLESS - {""}
                self._words |= dict.fromkeys(words - set(self._words), kind)
                self._words = dict(sorted(self._words.items(), key=lambda item: -len(item[0])))
        return mask

    def _spans(self, text: str, role: Role) -> list[_Span]:
        """What of a text is a secret, in order."""
        if role is Role.OPEN:
            return []
        known = list(self._byText(text, role))
        byPlace = list(self._byPlace(text, role))
        if role is Role.DETAILS and known:
            # A server writes the name with more around it than its client does.
            del byPlace[0]
        taken, spans = bytearray(len(text)), []
        for span in (*byPlace, *known):
            isSecret = span.start < span.stop and text[span.start : span.stop] not in self._public
            if isSecret and not any(taken[span.start : span.stop]):
                taken[span.start : span.stop] = b"\1" * (span.stop - span.start)
                spans.append(span)
        return sorted(spans)

    def _byPlace(self, text: str, role: Role) -> Iterator[_Span]:
        if role in (Role.NAME, Role.DETAILS):
            end = text.find("?") if "?" in text else len(text)
            match = _NAME.fullmatch(text, 0, end)
            assert match is not None
            yield _Span(*match.span(1), "key")
            yield from _query(text, end)
        elif role is Role.ADDRESS:
            yield from _users(text)
            if "?" in text:
                yield from _query(text, text.find("?"))
        elif role is Role.SECRET or (role is Role.TYPE and text not in HARMLESS):
            yield _Span(0, len(text), "secret")
        elif role is Role.DESCRIPTION and not self._knowsNames:
            # There is a name in it that we can't see.
            yield _Span(0, len(text), "text")
        elif role is not Role.OPEN:
            yield from _users(text)
            yield from (_Span(*match.span(2), "secret") for match in _PARAMETER.finditer(text) if not _isOpen(match[1]))

    def _byText(self, text: str, role: Role) -> Iterator[_Span]:
        """The secrets that are known, as whole words."""
        least = _LEAST if role in (Role.TEXT, Role.ADDRESS, Role.REMARK) else 1
        for word, kind in self._words.items():
            if least <= len(word) <= len(text) and not (role is Role.REMARK and word.isalpha() and word.islower()):
                for start in _occurrences(text, word):
                    stop = start + len(word)
                    if not (_isWord(text[start - 1 : start]) or _isWord(text[stop : stop + 1])):
                        yield _Span(start, stop, kind)

    def _stray(self, data: bytes, base: int) -> list[Hidden]:
        """What may be a secret in bytes that nobody can read."""
        found = [match.span(2) for match in _PARAMETER_BYTES.finditer(data) if not _isOpen(match[1].decode("latin-1"))]
        found += _strings(data)
        for word in self._words:
            if len(word) >= _LEAST:
                wanted = word.encode("utf-8", "surrogatepass")
                found += [(at, at + len(wanted)) for at in _occurrences(data, wanted)]
        return [(start + base, stop + base) for start, stop in found]


def _plain(values: Values) -> list[AMFValue]:
    return [placed.value for placed in values.placed]


def _isOpen(parameter: str) -> bool:
    return parameter.lower() in _OPEN_PARAMETERS


def _users(text: str) -> Iterator[_Span]:
    """User and password of a URL."""
    for match in _USER.finditer(text):
        yield _Span(*match.span(1), "secret")
        if match[2] is not None:
            yield _Span(*match.span(2), "secret")


def _query(text: str, start: int) -> Iterator[_Span]:
    """The values of a query, which begins at a question mark; there may be more of these (wire facts 8)."""
    for match in re.finditer(r"[^?&]+", text[start:]):
        parameter, equals, value = match[0].partition("=")
        if not equals:
            yield _Span(start + match.start(), start + match.end(), "secret")
        elif not _isOpen(parameter):
            yield _Span(start + match.end() - len(value), start + match.end(), "secret")


def _places(payload: bytes, text: str, spans: list[_Span]) -> Iterator[Hidden]:
    """
    Where parts of a text stand in a payload.

    The text is looked for behind its size, in each of the ways to write that (AMF0, sections 2.4 and 2.14; AMF3,
    section 1.3.2), as a short one is likely to stand somewhere else too; without, if that is not found.
    """
    if not spans:
        return
    encoded = text.encode("utf-8", "surrogateescape")
    size = len(encoded)
    heads = [size.to_bytes(4, "big"), _u29(size << 1 | 1), *([size.to_bytes(2, "big")] if size < 0x10000 else [])]
    starts = {at + len(head) for head in heads for at in _occurrences(payload, head + encoded)}
    for start in starts or _occurrences(payload, encoded):
        for span in spans:
            before = len(text[: span.start].encode("utf-8", "surrogateescape"))
            length = len(text[span.start : span.stop].encode("utf-8", "surrogateescape"))
            yield start + before, start + before + length


def _u29(value: int) -> bytes:
    """A small number as AMF3 writes it: 7 bits in each byte (section 1.3.1)."""
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append(value & 0x7F | 0x80)
    return bytes(reversed(groups))


def _occurrences(data: AnyStr, wanted: AnyStr) -> Iterator[int]:
    position = data.find(wanted)
    while position >= 0:
        yield position
        position = data.find(wanted, position + 1)


def _isWord(character: str) -> bool:
    return character.isalnum() or character == "_"


def _strings(data: bytes) -> Iterator[Hidden]:
    """What looks like an AMF0 string, and is none of the words that everybody uses."""
    position = data.find(_STRING)
    while 0 <= position < len(data) - 3:
        size = int.from_bytes(data[position + 1 : position + 3], "big")
        text = data[position + 3 : position + 3 + size]
        # The end of the bytes may be in the middle of it.
        isText = size > 0 and text.isascii() and text.decode("ascii").isprintable()
        if isText and text.decode("ascii") not in HARMLESS:
            yield position + 3, position + 3 + len(text)
        position = data.find(_STRING, position + (3 + len(text) if isText else 1))
