# -*- test-case-name: tests.tls.test_endpoint -*-
"""
Server endpoints for RTMPS, for L{twisted.internet.endpoints.serverFromString}::

    rtmps:443:privateKey=key.pem:certKey=fullchain.pem
    rtmps-directory:/etc/certificates:443

They take what Twisted's own C{ssl:} and C{tls:} take, and L{hardened} makes them of those. What they do better: only
encryption of today (L{rtmptw.tls.identity.CIPHERS}), new certificates are used without a restart
(L{rtmptw.tls.servercertificates}), and a flood of connections keeps nobody waiting (L{rtmptw.gate.port}).
"""

from __future__ import annotations

import re
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IListeningPort,
    IProtocolFactory,
    IStreamServerEndpoint,
    IStreamServerEndpointStringParser,
)
from twisted.plugin import IPlugin
from zope.interface import implementer

from rtmptw.gate.port import BACKLOG, PortEndpoint
from rtmptw.tls.certificatefiles import CertificateFiles, PEMDirectory, PEMFiles
from rtmptw.tls.servercertificates import ServerCertificates
from rtmptw.tls.transport import TLSFactory

__all__ = ["BACKLOG", "DirectoryParser", "FilesParser", "RTMPSEndpoint", "hardened"]

#: Twisted's prefixes, and ours in their place. What C{haproxy:} is put before may be any endpoint.
_PREFIXES = {"ssl": "rtmps", "tls": "rtmps-directory", "tcp": "rtmp", "tcp6": "rtmp6"}
_PREFIX = re.compile(rf"^((?:haproxy:)*)({'|'.join(_PREFIXES)})(?=:|$)", re.IGNORECASE)


def hardened(description: str) -> str:
    """
    @param description: a server endpoint string.
    @return: the same, with our endpoint in place of Twisted's C{ssl:} or C{tls:}; and of its C{tcp:} or C{tcp6:}
        (L{rtmptw.gate.port}).
    """
    return _PREFIX.sub(lambda match: match[1] + _PREFIXES[match[2].lower()], description)


@implementer(IStreamServerEndpoint)
class RTMPSEndpoint:
    """TLS over TCP."""

    def __init__(self, reactor: Any, port: str, files: CertificateFiles, interface: str, backlog: str) -> None:
        """
        @param port: a number.
        @param interface: an address of this machine; empty for all of IPv4, C{::} for all there are.
        @param backlog: a number.
        @raise CertificateError: the certificates can't be used.
        """
        self._endpoint = PortEndpoint(reactor, int(port), interface, int(backlog))
        self._certificates = ServerCertificates(files)
        self._reactor = reactor

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        """Listen. See L{IStreamServerEndpoint.listen}."""
        self._certificates.announce()
        factory = TLSFactory(self._certificates, False, protocolFactory, self._reactor)
        return self._endpoint.listen(factory)


@implementer(IPlugin, IStreamServerEndpointStringParser)
class FilesParser:
    """C{rtmps:PORT:privateKey=FILE:certKey=FILE:extraCertChain=FILE:interface=ADDRESS:backlog=NUMBER}"""

    prefix = "rtmps"

    def parseStreamServer(self, reactor: Any, *args: Any, **kwargs: Any) -> RTMPSEndpoint:
        """See L{IStreamServerEndpointStringParser.parseStreamServer}."""
        return _filesEndpoint(reactor, *args, **kwargs)


@implementer(IPlugin, IStreamServerEndpointStringParser)
class DirectoryParser:
    """C{rtmps-directory:DIRECTORY:PORT:interface=ADDRESS:backlog=NUMBER}"""

    prefix = "rtmps-directory"

    def parseStreamServer(self, reactor: Any, *args: Any, **kwargs: Any) -> RTMPSEndpoint:
        """See L{IStreamServerEndpointStringParser.parseStreamServer}."""
        return _directoryEndpoint(reactor, *args, **kwargs)


# The names and the order of the parameters are those of Twisted's endpoints.


def _filesEndpoint(
    reactor: Any,
    port: str = "443",
    privateKey: str = "server.pem",
    certKey: str | None = None,
    interface: str = "",
    backlog: str = BACKLOG,
    extraCertChain: str | None = None,
) -> RTMPSEndpoint:
    return RTMPSEndpoint(reactor, port, PEMFiles(privateKey, certKey or privateKey, extraCertChain), interface, backlog)


def _directoryEndpoint(
    reactor: Any, path: str, port: str = "443", backlog: str = BACKLOG, interface: str = "::"
) -> RTMPSEndpoint:
    return RTMPSEndpoint(reactor, port, PEMDirectory(path), interface, backlog)
