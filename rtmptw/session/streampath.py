# -*- test-case-name: tests.session.test_streampath -*-
"""
The identity of a stream, whatever a client makes of its URL (wire facts 8).

The same URL reaches us as application "live/a" and name "b/test" from FFmpeg, as "live/a/b" and "test" from librtmp,
and as the whole path in the application from others. So an identity is application and name together, queries cut
off: C{"live/a/b/test"}.
"""

from __future__ import annotations

import unicodedata

from rtmptw.errors import StatusError

__all__ = ["MAX_APP", "MAX_NAME", "MAX_QUERY", "checkText", "joinQueries", "partQuery", "streamPath"]

#: The longest application, characters.
MAX_APP = 128
#: The longest stream name, characters.
MAX_NAME = 256
#: The longest query, characters.
MAX_QUERY = 2048

#: What Flash Media Server adds to an application that has no instance name.
_DEFAULT_INSTANCES = ("_definst_", "_defInst_")

#: FFmpeg and librtmp write these in front of a name, depending on its ending.
_FORMATS = ("mp4:", "flv:", "mp3:", "f4v:")

#: Unicode categories that a name can't have: controls, format characters such as bidirectional overrides, surrogates
#: (which is what bytes that are not UTF-8 become), and line separators.
_REFUSED = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def partQuery(text: str) -> tuple[str, str]:
    """Part C{"name?query"}: the query begins at the first question mark and may hold slashes."""
    path, _, query = text.partition("?")
    # Where there is a query already, FFmpeg adds that of its authentication with a second question mark.
    return path, query.replace("?authmod=", "&authmod=")


def joinQueries(*queries: str) -> str:
    """
    All the queries of a request as one. The same text in two places (FFmpeg repeats the application in tcUrl) counts
    once.
    """
    return "&".join(dict.fromkeys(query for query in queries if query))


def checkText(what: str, text: str, longest: int) -> None:
    """
    @raise StatusError: if the text is too long, or holds what can't be seen.
    """
    if len(text) > longest:
        raise StatusError(f"the {what} has {len(text)} characters; {longest} are allowed")
    if any(unicodedata.category(character) in _REFUSED for character in text):
        raise StatusError(f"the {what} holds a character that is not allowed (control, invisible, or not UTF-8)")


def streamPath(app: str, name: str) -> str:
    """
    The identity of a stream.

    @param app: the application without its query; slashes at its ends do not count.
    @param name: the name without its query; may be empty if the application holds it all.
    @raise StatusError: if nothing is left, or a part can't be a name.
    """
    checkText("application", app, MAX_APP)
    checkText("stream name", name, MAX_NAME)
    parts = [part for part in app.split("/") if part]
    if parts and parts[-1] in _DEFAULT_INSTANCES:
        del parts[-1]
    for format in _FORMATS:
        if name.startswith(format):
            name = name[len(format) :]
            break
    # FFmpeg leaves this ending out when it plays and when it publishes; others do not.
    parts += [part for part in name.removesuffix(".flv").split("/") if part]
    if not parts:
        raise StatusError("the stream has no name: use rtmp://host/application/name")
    if any(part in (".", "..") for part in parts):
        raise StatusError("a stream name can't have . or .. between its slashes")
    return "/".join(parts)
