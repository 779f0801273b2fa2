# -*- test-case-name: tests.auth.test_streamkeys -*-
"""
Stream keys, as clients say them.

A key may follow the stream's name, or stand in its place, which is what OBS and the big platforms call a stream key::

    rtmp://host/live/camera?key=KEY     the stream live/camera
    rtmp://host/live/KEY                the stream that the file names for this key: live/camera

Either way the stream is C{live/camera}: to viewers, recordings, relays and the log. An unknown stream and a wrong key
get the same answer in the same time.
"""

from __future__ import annotations

import re
from dataclasses import replace

from twisted.logger import Logger

from rtmptw.auth.keyfile import KEY_CHARACTERS, MIN_KEY, KeyFile
from rtmptw.auth.principal import proven
from rtmptw.auth.rule import WrongProof, markOf
from rtmptw.errors import StatusError
from rtmptw.requests import StreamRequest

__all__ = ["KeyIsNoName", "StreamKeys"]

#: The parameter of the query.
_KEY = "key"

#: What may be a key somewhere in a path, whatever stands around it; and how many such parts a path may have: each is
#: looked for among all keys.
_LIKE_KEY = re.compile(f"{KEY_CHARACTERS}{{{MIN_KEY},}}")
_MAX_LIKE_KEY = 4

_WRONG = (
    "no stream key, or a wrong one: it stands in the place of the stream's name, or follows that as the parameter key"
)


class StreamKeys:
    """Only with a key of this file. A L{rtmptw.auth.rule.Rule}."""

    guessable = False

    _log = Logger()

    def __init__(self, file: KeyFile) -> None:
        self._file = file

    async def check(self, action: str, request: StreamRequest) -> StreamRequest:
        """See L{rtmptw.auth.rule.Rule}."""
        key = request.parameter(_KEY)
        if key is not None:
            found = self._file.find(key, path=request.path)
        else:
            application, _, key = request.path.rpartition("/")
            found = self._file.find(key, application=application)
        if found is None:
            raise WrongProof(_WRONG, f"no such stream key, {markOf(key)}")
        self._log.info(
            "{peer}: {action} {path}: right key, {mark}",
            peer=request.connect.peer,
            action=action,
            path=found.path,
            mark=found.mark,
        )
        return proven(replace(request, path=found.path), f"key {found.label}")


class KeyIsNoName:
    """
    Who plays by the key for publishing gets what everybody gets who plays a name that nobody publishes: to be told more
    would tell whether a guess is a key. But the key is no name, in the log or anywhere; and the log says what happens.
    A L{rtmptw.auth.rule.Rule}.
    """

    _log = Logger()

    guessable = False

    def __init__(self, file: KeyFile) -> None:
        self._file = file

    async def check(self, action: str, request: StreamRequest) -> StreamRequest:
        """See L{rtmptw.auth.rule.Rule}."""
        if len(_LIKE_KEY.findall(request.path)) > _MAX_LIKE_KEY:
            raise StatusError(f"a stream name can't have more than {_MAX_LIKE_KEY} parts of {MIN_KEY} characters")

        def public(part: re.Match[str]) -> str:
            return self._publicPart(part[0], request)

        return replace(request, path=_LIKE_KEY.sub(public, request.path))

    def _publicPart(self, part: str, request: StreamRequest) -> str:
        """A part of a path, or what stands for it if it is a key."""
        found = self._file.find(part)
        if found is None:
            return part
        self._log.warn(
            "{peer}: wants to play by the key for publishing, {mark}, and waits in vain; the stream is {path}",
            peer=request.connect.peer,
            mark=found.mark,
            path=found.path,
        )
        return f"key-{found.mark.rstrip('.')}"
