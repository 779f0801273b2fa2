# -*- test-case-name: tests.cli.test_sign -*-
"""
C{rtmptw sign}: signed URLs for C{twistd rtmp --publish-signed} and C{--play-signed}.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from time import time
from typing import Any, ClassVar

from twisted.python.usage import UsageError

from rtmptw.auth.addresses import addressOf
from rtmptw.auth.rule import PLAY, PUBLISH
from rtmptw.auth.signedurl import SecretFileError, readSecrets, signedQuery
from rtmptw.cli.options import CommandOptions
from rtmptw.errors import StatusError, URLError
from rtmptw.session.streampath import partQuery, streamPath
from rtmptw.url import RTMPURL

__all__ = ["SignOptions", "run"]

_EXAMPLES = """
Secrets are lines of a file; the first one signs, and the server takes all.

  openssl rand -hex 32 > SECRETS && chmod 600 SECRETS
  twistd rtmp --play-signed SECRETS
  rtmptw sign --secret SECRETS --play --for 1h rtmp://HOST/live/camera
  rtmptw sign --secret SECRETS --publish --for 30m --address 192.0.2.7 \\
      rtmps://HOST/live/camera
"""

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile("([0-9]{1,9})([smhd]?)")
_MAX_DAYS = 36_500


class SignOptions(CommandOptions):
    """rtmptw sign"""

    command = "sign"
    synopsis = "[options] URL"
    longdesc = "Print the URL, signed: who has it may publish or play the stream until a time."
    examples = _EXAMPLES

    optFlags = [
        ["publish", None, "It is for publishing."],
        ["play", None, "It is for playing."],
    ]
    optParameters: ClassVar[list[list[Any]]] = [
        ["secret", None, None, "The file of secrets, the same as the server's."],
        ["for", None, "1h", "How long it is good: seconds, or 30m, 12h, 7d."],
        ["address", None, None, "The only address that it is good for, as the server sees it. [default: any]"],
    ]

    def parseArgs(self, *arguments: str) -> None:
        """The URL."""
        if len(arguments) != 1:
            raise UsageError("sign needs a URL: rtmp://host/application/name")
        self["url"] = arguments[0]

    def postOptions(self) -> None:
        """
        @raise UsageError: if something can't be.
        """
        if bool(self["publish"]) == bool(self["play"]):
            raise UsageError("what is it for? --publish or --play, one of them")
        if self["secret"] is None:
            raise UsageError("--secret FILE is needed")
        try:
            self["secrets"] = readSecrets(self["secret"])
        except SecretFileError as error:
            raise UsageError(f"--secret {error}") from None
        duration = _DURATION.fullmatch(self["for"])
        if duration is None:
            raise UsageError(f"--for {self['for']}: a time is 90, 30m, 12h or 7d")
        self["seconds"] = int(duration[1]) * _UNITS[duration[2]]
        if self["seconds"] > _MAX_DAYS * _UNITS["d"]:
            raise UsageError(f"--for {self['for']}: no URL is good for more than {_MAX_DAYS}d")
        self["origin"] = "" if self["address"] is None else _readAddress(self["address"])
        self["path"] = _pathOf(self["url"])


def _readAddress(text: str) -> str:
    """The address as the server has it when it looks at a client."""
    try:
        address = ip_address(text)
    except ValueError:
        raise UsageError(f"--address {text}: an address is 192.0.2.7 or 2001:db8::7") from None
    return str(addressOf(f"[{address}]:0"))


def _pathOf(text: str) -> str:
    """The stream of a URL, as every server of ours knows it."""
    try:
        url = RTMPURL.parse(text)
        if not url.name:
            raise UsageError("the URL names no stream: rtmp://host/application/name")
        return streamPath(partQuery(url.app)[0], partQuery(url.name)[0])
    except URLError as error:
        raise UsageError(str(error)) from None
    except StatusError as error:
        raise UsageError(error.description) from None


async def run(reactor: Any, options: SignOptions) -> None:
    """Sign, and tell."""
    url, action = options["url"], PUBLISH if options["publish"] else PLAY
    query = signedQuery(options["secrets"][0], action, options["path"], time() + options["seconds"], options["origin"])
    # The name is the end of the URL.
    mark = "&" if "?" in RTMPURL.parse(url).name else "?"
    print(f"{url}{mark}{query}")
