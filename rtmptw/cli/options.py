# -*- test-case-name: tests.cli.test_options -*-
"""
What the command lines of C{rtmptw} have in common.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from getopt import GetoptError, gnu_getopt
from typing import Any, ClassVar, NoReturn

from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.python.usage import Options as BaseOptions
from twisted.python.usage import UsageError

import rtmptw
from rtmptw.errors import CertificateError, URLError
from rtmptw.tls.client import clientTLS, trustedCertificates
from rtmptw.url import RTMPURL

__all__ = ["FAILED", "OK", "STANDARD", "WRONG_USAGE", "CommandOptions", "ConnectOptions", "ServerOptions", "fail"]

OK, FAILED, WRONG_USAGE = 0, 1, 2

#: What stands for standard input and standard output.
STANDARD = "-"


def fail(reason: str, status: int = FAILED) -> NoReturn:
    """
    Say why, and end.

    @raise SystemExit: always.
    """
    print(reason, file=sys.stderr)
    raise SystemExit(status)


class CommandOptions(BaseOptions):
    """
    One command.

    @cvar command: its name.
    @cvar examples: what is below the options in the help.
    """

    command = ""
    longdesc = ""
    examples = ""

    compData: Any = None

    @property
    def title(self) -> str:
        """What its messages begin with."""
        return f"rtmptw {self.command}"

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """
        Options may stand behind the URL as well.

        @raise UsageError: if one is unknown, or lacks its value.
        """
        try:
            found, arguments = gnu_getopt(list(options or ()), self.shortOpt, self.longOpt)
        except GetoptError as error:
            raise UsageError(str(error)) from None
        takesValue = {f"--{name[:-1]}" for name in self.longOpt if name.endswith("=")}
        ordered = [f"{name}={value}" if name in takesValue else f"{name}{value}" for name, value in found]
        super().parseOptions([*ordered, "--", *arguments])

    def getUsage(self, width: int | None = None) -> str:
        """The options, and examples."""
        return f"{super().getUsage(width)}{self.examples}"

    def opt_version(self) -> None:
        """Print the version of rtmptw, and exit."""
        print(f"rtmptw {rtmptw.__version__}")
        raise SystemExit(OK)

    def readNumber(self, name: str, least: float) -> float:
        """
        @raise UsageError: which names the option, if its value is no number.
        """
        try:
            number = float(self[name])
        except ValueError:
            number = math.nan
        if not least <= number < math.inf:
            raise UsageError(f"--{name} {self[name]}: it must be a number, and at least {least:g}")
        return number


class ServerOptions(CommandOptions):
    """A command that connects to a server."""

    optFlags = [["insecure", None, "Do not check the server's certificate and for whom it is (rtmps)."]]
    optParameters: ClassVar[list[list[Any]]] = [
        ["ca", None, None, "Trust the certificates in this PEM file, and no others (rtmps)."]
    ]

    def tlsTo(self, url: RTMPURL) -> IOpenSSLClientConnectionCreator | None:
        """
        How to connect; L{None} without TLS.

        @raise UsageError: if the file of C{--ca} is of no use.
        """
        if not url.secure:
            return None
        try:
            trustRoot = None if self["ca"] is None else trustedCertificates(self["ca"])
            return clientTLS(url.host, trustRoot, not self["insecure"])
        except CertificateError as error:
            raise UsageError(f"--ca {error}" if self["ca"] else str(error)) from None


class ConnectOptions(ServerOptions):
    """A command that is a client of a server."""

    optFlags = [
        ["json", None, "Print the result as JSON."],
        ["quiet", "q", "Say nothing if all goes well."],
        ["verbose", "v", "Log every message to standard error, a line each."],
    ]
    optParameters: ClassVar[list[list[Any]]] = [
        ["app", None, None, "The application, if it is not what the URL says."],
        ["name", None, None, "The stream's name, if it is not what the URL says."],
        ["timeout", None, 30.0, "How long the server may take to accept the connection, seconds."],
    ]

    def readURL(self, text: str) -> None:
        """
        @raise UsageError: if it is none.
        """
        try:
            url = RTMPURL.parse(text, self["app"], self["name"])
        except URLError as error:
            raise UsageError(str(error)) from None
        if not url.name and not self["name"] and not url.app:
            raise UsageError("the URL names no stream: rtmp://host/application/name")
        self["url"] = url

    def connectOptions(self) -> dict[str, Any]:
        """
        What L{rtmptw.client.connect} is to be told.

        @raise UsageError: if the file of C{--ca} is of no use.
        """
        options: dict[str, Any] = {"timeout": self.readNumber("timeout", 0.0), "verbose": bool(self["verbose"])}
        tls = self.tlsTo(self["url"])
        return options if tls is None else {**options, "tls": tls}
