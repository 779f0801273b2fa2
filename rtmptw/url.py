# -*- test-case-name: tests.test_url -*-
"""
The URL of a stream, and how it is taken apart: what goes into connect, and what into publish or play (wire facts 8).

::

    rtmp://user:password@host:port/app/name?query         rtmps: the same over TLS

    rtmp://host/live/camera?key=x     app "live", name "camera?key=x"
    rtmp://host/live/inst/camera      app "live/inst", name "camera": with three parts, the app has two
    rtmp://host/live/a/b/camera       app "live/a", name "b/camera"
    rtmp://host/live/mp4:a/b          app "live", name "mp4:a/b": what has a colon begins the name
    rtmp://host/live?key=x/camera     app "live?key=x", name "camera"
    rtmp://host/live/camera?k=a/b     app "live", name "camera?k=a/b": no slash of the name's query counts
    rtmp://host/app/a/b/              app "app/a/b", no name: with a slash at its end, the path is an app and no more
    rtmp://host/camera                app "camera", no name
    rtmp://host/ondemand/a/b          app "ondemand", name "a/b"

RTMP has no rule for this, so it is FFmpeg's, with two differences: FFmpeg cuts C{/live/camera?k=a/b} inside of the
query, and C{/app/a/b/} into "app/a" and "b/". And FFmpeg changes a name that ends in C{.flv}, C{.mp4} or C{.f4v}; here
names stay as they are written, %xx and queries too, and C{#} is a character like any other. Where all that does not
fit, app and name can be given beside the URL.

User name and password may be percent-encoded, and a password with C{/}, C{?} or C{@} in it must be. They are never
part of what is sent as tcUrl, nor of what is shown:

    >>> url = RTMPURL.parse("rtmp://me:secret@example.com:1936/live/camera?key=x")
    >>> url
    <RTMPURL rtmp://example.com:1936/live/camera?…>
    >>> url.tcUrl, url.name
    ('rtmp://example.com:1936/live', 'camera?key=x')
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from ipaddress import AddressValueError, IPv6Address
from urllib.parse import unquote

from rtmptw.errors import URLError

__all__ = ["DEFAULT_PORTS", "RTMPURL"]

#: The port of each scheme that is understood, if the URL has none.
DEFAULT_PORTS = {"rtmp": 1935, "rtmps": 443}

#: Schemes that exist, and are not understood.
_UNSUPPORTED = {
    "rtmpe": "encrypted RTMP (rtmpe) is not supported: rtmps is",
    "rtmpte": "encrypted RTMP over HTTP (rtmpte) is not supported: rtmps is",
    "rtmpt": "RTMP over HTTP (rtmpt) is not supported",
    "rtmpts": "RTMP over HTTPS (rtmpts) is not supported: rtmps is",
    "rtmfp": "RTMFP is not supported",
}

#: Unicode categories that a URL can't have: controls, invisible characters, surrogates, and line separators. It has no
#: spaces (Zs) either, but a name that is given beside the URL may have them.
_REFUSED = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_HOST = re.compile(r"[\w.~-]+")

#: What stands for a query that is not shown.
_MASK = "?…"


@dataclass(frozen=True, repr=False)
class RTMPURL:
    """
    Where a stream is. As text, without user, password and the values of queries: any of them may be a secret.

    @ivar scheme: C{"rtmp"} or C{"rtmps"}.
    @ivar host: a name or an address; an IPv6 address without its brackets.
    @ivar port: 1 to 65535.
    @ivar app: the application, as it goes into connect; may have a query, and may be empty.
    @ivar name: the stream's name, as it goes into publish or play; may have a query, and may be empty.
    @ivar user: the user name, percent-decoded; C{""} if there is none.
    @ivar password: the password, percent-decoded; C{""} if there is none.
    """

    scheme: str
    host: str
    port: int
    app: str
    name: str
    user: str = ""
    password: str = ""

    @classmethod
    def parse(cls, text: str, app: str | None = None, name: str | None = None) -> RTMPURL:
        """
        Take a URL apart.

        @param app: the application, if it is known to be another than the path tells. If no name is given with it, the
            name is what follows this application in the path, or else the last part of the path.
        @param name: the name, if it is known to be another than the path tells. The application is the same as without.
        @raise URLError: which says what is wrong with which part, and shows nothing that may be a secret.
        """
        _checkCharacters("the URL", text, spaces=False)
        scheme, rest = _partScheme(text)
        end = re.search("[/?]", rest)
        authority, path = (rest[: end.start()], rest[end.start() :]) if end else (rest, "")
        credentials, at, place = authority.rpartition("@")
        user, password = _readCredentials(credentials)
        host, port = _readPlace(place, DEFAULT_PORTS[scheme], bool(at) or "@" in path)
        for what, given in (("the application", app), ("the name", name)):
            _checkCharacters(what, given or "", spaces=True)
        path = path.removeprefix("/")
        foundApp, foundName = _split(path) if app is None else (app, _nameBehind(app, path))
        return cls(scheme, host, port, foundApp, foundName if name is None else name, user, password)

    @property
    def secure(self) -> bool:
        """Whether the connection is to be encrypted by TLS."""
        return self.scheme == "rtmps"

    @property
    def tcUrl(self) -> str:
        """What connect says as tcUrl (RTMP 1.0, section 7.2.1.1): up to the application, never with credentials."""
        return f"{self._origin}/{self.app}"

    def withQuery(self, query: str) -> RTMPURL:
        """
        The same with more in the application's query, where authentication has its parameters (wire facts 8).

        @param query: such as C{"authmod=adobe&user=me"}.
        """
        return replace(self, app=f"{self.app}{'&' if '?' in self.app else '?'}{query}")

    def withName(self, name: str) -> RTMPURL:
        """The same with another name."""
        return replace(self, name=name)

    @property
    def _origin(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}"

    def __str__(self) -> str:
        parts = [self._origin, _masked(self.app)]
        return "/".join([*parts, _masked(self.name)] if self.name else parts)

    def __repr__(self) -> str:
        return f"<RTMPURL {self}>"


def _masked(text: str) -> str:
    """An application or a name without the values of its query."""
    path, mark, _ = text.partition("?")
    return path + _MASK if mark else path


def _checkCharacters(what: str, text: str, spaces: bool) -> None:
    """
    @param spaces: whether there may be spaces.
    @raise URLError: if there is what can't be seen.
    """
    for position, character in enumerate(text, 1):
        category = unicodedata.category(character)
        if category == "Zs" and not spaces:
            raise URLError(f"{what} has a space in it (character {position}): write %20")
        if category in _REFUSED:
            raise URLError(f"{what} has a control or invisible character in it (character {position})")


def _partScheme(text: str) -> tuple[str, str]:
    """The scheme, and what follows its slashes."""
    found = _SCHEME.match(text)
    if found is None:
        raise URLError("a URL that begins with rtmp:// or rtmps:// is needed: this one has no scheme")
    scheme = found[1].lower()
    if scheme not in DEFAULT_PORTS:
        raise URLError(_UNSUPPORTED.get(scheme, f"the scheme {scheme}:// is unknown: it must be rtmp:// or rtmps://"))
    return scheme, text[found.end() :]


def _readCredentials(text: str) -> tuple[str, str]:
    """User name and password, from what is before the C{@}."""
    user, _, password = text.partition(":")
    try:
        return unquote(user, errors="strict"), unquote(password, errors="strict")
    except UnicodeDecodeError:
        # Without its cause: that one has the bytes.
        raise URLError("the %xx of the user name or the password are not UTF-8") from None


def _readPlace(text: str, default: int, hasAt: bool) -> tuple[str, int]:
    """
    Host and port.

    @param hasAt: whether there is an C{@} near: with a password that is not encoded as it should be, this may be a part
        of it, and is not shown.
    """
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket:
            raise URLError("the ] behind the IPv6 address is missing")
        try:
            IPv6Address(host)
        except AddressValueError:
            raise URLError("what is in brackets is not an IPv6 address") from None
        if rest and not rest.startswith(":"):
            raise URLError("behind the brackets of an IPv6 address there can be only a port, as :1936")
        colon, port = rest[:1], rest[1:]
    else:
        host, colon, port = text.partition(":")
        if ":" in port:
            raise URLError("the host has more than one colon: an IPv6 address must be in brackets, as [::1]")
    if not host:
        raise URLError("there is no host: a URL is rtmp://host/application/name")
    if ":" not in host and not _HOST.fullmatch(host):
        raise URLError("the host" + ("" if hasAt else f" {host}") + " has a character that no host name has")
    if not colon:
        return host, default
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and 1 <= int(port) <= 65535):
        shown = "" if hasAt or not port else f" {port}"
        hint = "; a password with / or ? or @ must be percent-encoded" if hasAt else ""
        raise URLError(f"the port{shown} is not a number from 1 to 65535{hint}")
    return host, int(port)


def _split(path: str) -> tuple[str, str]:
    """
    Application and name.

    @param path: without its first slash.
    """
    app, slash, rest = path.partition("/")
    inPath = rest.partition("?")[0]
    instance, second, _ = inPath.partition("/")
    if not slash or app == "ondemand":
        return app, rest
    if rest.endswith("/") and inPath == rest:
        return path[:-1], ""
    if not second or ":" in instance:
        return app, rest
    return f"{app}/{instance}", rest[len(instance) + 1 :]


def _nameBehind(app: str, path: str) -> str:
    """
    The name, if the application is known.

    @param path: without its first slash.
    """
    if path == app:
        return ""
    if path.startswith(f"{app}/"):
        return path[len(app) + 1 :]
    if "/" not in path:
        return path
    name, mark, query = _split(path)[1].partition("?")
    return name.rpartition("/")[2] + mark + query
