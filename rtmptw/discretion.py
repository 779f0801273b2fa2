# -*- test-case-name: tests.test_discretion -*-
"""
What another server says, without what it should not have said.

A URL may hold secrets: a password, a stream key for a name, a token in a query. We never show them; but servers say
C{live/KEY is published already}, and that would stand in our log.
"""

from __future__ import annotations

import re

from rtmptw.session.streampath import partQuery
from rtmptw.url import RTMPURL

__all__ = ["Discretion"]

#: What stands for a secret.
_MASK = "…"


class Discretion:
    """
    What must not be told about one URL.
    """

    def __init__(self, url: RTMPURL, path: str = "") -> None:
        """
        @param url: the other server's.
        @param path: the stream's identity here, if it has one, which is no secret: neither is a name there that is the
            same.
        """
        name, query = partQuery(url.name)
        queries = [query, partQuery(url.app)[1]]
        values = [parameter.partition("=")[2] for query in queries for parameter in query.split("&")]
        words = {url.name, name, url.user, url.password, *queries, *values} - {"", path}
        if path.endswith(f"/{name}"):
            words.discard(name)
        # The longest first: it may begin like a shorter one.
        patterns = sorted(map(re.escape, words), key=len, reverse=True)
        self._pattern = re.compile(rf"(?<!\w)(?:{'|'.join(patterns)})(?!\w)") if patterns else None

    def about(self, text: object) -> str:
        """The text, with a mark in the place of each secret."""
        return str(text) if self._pattern is None else self._pattern.sub(_MASK, str(text))
