# -*- test-case-name: tests.test_client -*-
"""
The client: from a URL to a connection, a stream to publish, or a stream that is played.

::

    stream = await publish("rtmp://example.com/live/camera")
    stream.send(message)
    await stream.close()

    stream = await play("rtmps://example.com/live/camera", subscriber)
    reason = await stream.whenEnded()

    connection = await connect("rtmp://example.com/live")
    result = await connection.call("anyCommand", 1, "two")
    stream = await connection.publish("camera")

All of them return Deferreds. Whatever goes wrong comes out of them as one of L{rtmptw.errors}, in words that say what
could not be done.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.endpoints import HostnameEndpoint, clientFromString, wrapClientTLS
from twisted.internet.error import ConnectingCancelledError, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import (
    IAddress,
    IHalfCloseableProtocol,
    IOpenSSLClientConnectionCreator,
    IReactorTime,
    IStreamClientEndpoint,
    ITCPTransport,
)
from twisted.internet.protocol import Factory, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from rtmptw.closereason import explain
from rtmptw.connections import Connections
from rtmptw.discretion import Discretion
from rtmptw.errors import CallError, CallTimedOut, ConnectionClosed
from rtmptw.interfaces import ILink, IOwner, ISubscriber
from rtmptw.limits import Limits, Reached
from rtmptw.protocol import RTMPProtocol
from rtmptw.session.authentication import CONNECTS, nextQuery
from rtmptw.session.clientconnection import ClientConnection
from rtmptw.session.clientstream import PlayedStream, PublishedStream
from rtmptw.session.connect import connectParameters
from rtmptw.tls.client import clientTLS
from rtmptw.url import RTMPURL
from rtmptw.wire.amf import AMFValue
from rtmptw.wire.handshake import ClientHandshake
from rtmptw.wire.limits import ReadLimits

__all__ = ["CLIENT_LIMITS", "CONNECT_SECONDS", "RTMPClientFactory", "connect", "endpointOf", "play", "publish"]

#: How long everything up to the answer to connect may take, seconds; with authentication, that is three connections.
CONNECT_SECONDS = 30.0

#: What a server may ask of us; it has more time than a client to read what it was sent and to close its side.
CLIENT_LIMITS = Limits(lingerSeconds=30.0)

_T = TypeVar("_T")


@implementer(IHalfCloseableProtocol)
class _ClientProtocol(RTMPProtocol):
    """
    The client's side of one connection. It is told when the system has everything that was sent, so that a server that
    closes the connection before that is known to have missed the end.
    """

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """A server that leaves without a word speaks another protocol, most likely."""
        if not self.received and not self._reason and reason.check(ConnectionDone, ConnectionLost):
            guess = "does it speak without TLS (rtmp)?" if self.secure else "does it want TLS (rtmps)?"
            self._reason = f"the peer closed the connection without a word; {guess}"
        super().connectionLost(reason)

    def writeConnectionLost(self) -> None:
        """All is sent, and our side is closed."""
        self.allSent = True

    def readConnectionLost(self) -> None:
        """The server has closed its side."""
        cast(ITCPTransport, self.transport).loseConnection()


@implementer(IOwner)
class RTMPClientFactory(Factory):
    """
    Makes the client's side of connections. L{connect} uses it; by itself it is for those who have a way of their own,
    such as L{twisted.application.internet.ClientService}: the protocol's C{session} is the L{ClientConnection}.

    @ivar clock: what tells the time.
    @ivar verbose: whether every message has a line in the log.
    @ivar hidesNames: whether that line leaves out what the stream is called; it does not.
    @ivar limits: how much a server may ask, and how long it may take.
    @ivar reached: how often each of the limits was reached.
    @ivar publisherLimits: how much a server may make us keep when we play.
    """

    noisy = False
    hidesNames = False

    def __init__(
        self,
        url: RTMPURL,
        clock: IReactorTime,
        publishing: bool = False,
        parameters: Mapping[str, AMFValue] | None = None,
        verbose: bool = False,
        publisherLimits: ReadLimits | None = None,
        limits: Limits | None = None,
        reached: Reached | None = None,
    ) -> None:
        """
        @param publishing: whether to look like an encoder.
        @param parameters: more for the command object of connect, or other values.
        @param publisherLimits: by default, what C{limits} say.
        @param limits: by default, L{CLIENT_LIMITS}.
        @param reached: by default, a new one; to be shared with other connections.
        """
        self.clock = clock
        self.verbose = verbose
        self.limits = CLIENT_LIMITS if limits is None else limits
        self.reached = Reached() if reached is None else reached
        self.publisherLimits = publisherLimits or self.limits.ofPublishers
        self._parameters = connectParameters(url.app, url.tcUrl, publishing) | dict(parameters or {})
        self._connections = Connections(clock)

    def buildProtocol(self, addr: IAddress | None) -> RTMPProtocol:
        """A protocol for one connection."""
        protocol = _ClientProtocol(self)
        protocol.factory = self
        return protocol

    def handshake(self) -> ClientHandshake:
        """See L{IOwner.handshake}."""
        return ClientHandshake()

    def session(self, link: ILink) -> ClientConnection:
        """See L{IOwner.session}."""
        return ClientConnection(link, self.clock, self._parameters)

    def tells(self, protocol: RTMPProtocol) -> bool:
        """See L{IOwner.tells}. There are few."""
        return True

    def origin(self, protocol: RTMPProtocol) -> str:
        """See L{IOwner.origin}. A client has asked for whom it has."""
        return ""

    def connectionMade(self, protocol: RTMPProtocol) -> None:
        """A connection is there."""
        self._connections.add(protocol)

    def connectionLost(self, protocol: RTMPProtocol) -> None:
        """A connection has gone, and is done with."""
        self._connections.remove(protocol)


def connect(
    url: str | RTMPURL,
    endpoint: IStreamClientEndpoint | str | None = None,
    *,
    reactor: Any = None,
    tls: IOpenSSLClientConnectionCreator | None = None,
    publishing: bool = False,
    parameters: Mapping[str, AMFValue] | None = None,
    timeout: float = CONNECT_SECONDS,
    verbose: bool = False,
    limits: Limits | None = None,
    reached: Reached | None = None,
) -> Deferred[ClientConnection]:
    """
    Connect to a server.

    With a user and a password in the URL, a server that asks for authentication gets its answer, in Adobe's scheme or
    Limelight's.

    @param url: C{rtmp://} or C{rtmps://[user:password@]host[:port]/app[/name]}; the name is not used here.
    @param endpoint: another way than to the URL's host and port: an endpoint, or the text of one, such as
        C{"unix:/run/rtmp"}. It does the encryption as well, if there is to be any.
    @param reactor: by default, the reactor.
    @param tls: how to encrypt and whom to trust, for C{rtmps}; by default L{rtmptw.tls.client.clientTLS}: whom the
        system trusts, if the certificate is for the URL's host.
    @param publishing: look like an encoder, and not like a player; always so with a user in the URL.
    @param parameters: more for the command object of connect, or other values.
    @param timeout: how long it all may take, seconds.
    @param verbose: log every message, a line each.
    @param limits: how much the server may ask of us; by default, L{CLIENT_LIMITS}.
    @param reached: where it is counted that a limit was reached; by default, only here.
    @return: the connection, once the server has accepted it; or a failure: L{CallError} if it has refused,
        L{rtmptw.errors.AuthenticationError}, L{ConnectionClosed}, L{CallTimedOut}. Cancelling it closes what there is.
    @raise URLError: if the URL is none.
    """
    return _Attempt(url, endpoint, reactor, tls, publishing, parameters, verbose, limits, reached).run(timeout)


def publish(url: str | RTMPURL, *, type: str = "live", **options: Any) -> Deferred[PublishedStream]:
    """
    Connect, and publish the stream that the URL names.

    @param type: see L{ClientConnection.publish}.
    @param options: those of L{connect}.
    @return: as of L{connect} and of L{ClientConnection.publish}. Closing the stream closes the connection.
    """
    url = _parse(url)

    async def run() -> PublishedStream:
        connection = await connect(url, **{"publishing": True, **options})
        return await _orAbort(url, connection, connection.publish(url.name, type))

    return Deferred.fromCoroutine(run())


def play(url: str | RTMPURL, subscriber: ISubscriber, *, start: float = -2.0, **options: Any) -> Deferred[PlayedStream]:
    """
    Connect, and play the stream that the URL names.

    @param subscriber: is given what comes.
    @param start: see L{ClientConnection.play}.
    @param options: those of L{connect}.
    @return: as of L{connect} and of L{ClientConnection.play}. Closing the stream closes the connection.
    """
    url = _parse(url)

    async def run() -> PlayedStream:
        connection = await connect(url, **options)
        return await _orAbort(url, connection, connection.play(url.name, subscriber, start))

    return Deferred.fromCoroutine(run())


def endpointOf(url: RTMPURL, reactor: Any, tls: IOpenSSLClientConnectionCreator | None = None) -> IStreamClientEndpoint:
    """
    The way to the server of a URL.

    @param tls: for rtmps: how to check the server; by default, as L{clientTLS} does.
    @raise CertificateError: if the system's certificates are of no use.
    """
    plain = HostnameEndpoint(reactor, url.host, url.port)
    return wrapClientTLS(tls or clientTLS(url.host), plain) if url.secure else plain


def _parse(url: str | RTMPURL) -> RTMPURL:
    return url if isinstance(url, RTMPURL) else RTMPURL.parse(url)


async def _orAbort(url: RTMPURL, connection: ClientConnection, stream: Deferred[_T]) -> _T:
    """A connection that is of no use is not left behind."""
    try:
        return await stream
    except BaseException as error:
        connection.abort(Discretion(url).about(error) or "given up")
        raise


class _Attempt:
    """One L{connect}."""

    def __init__(
        self,
        url: str | RTMPURL,
        endpoint: IStreamClientEndpoint | str | None,
        reactor: Any,
        tls: IOpenSSLClientConnectionCreator | None,
        publishing: bool,
        parameters: Mapping[str, AMFValue] | None,
        verbose: bool,
        limits: Limits | None,
        reached: Reached | None,
    ) -> None:
        if reactor is None:
            from twisted.internet import reactor
        self._url = _parse(url)
        self._clock = IReactorTime(reactor)
        self._endpoint = self._way(endpoint, reactor, tls)
        self._publishing = publishing or bool(self._url.user)
        self._parameters = parameters
        self._verbose = verbose
        self._limits, self._reached = limits, reached
        self._step = ""

    def _way(
        self, endpoint: IStreamClientEndpoint | str | None, reactor: Any, tls: IOpenSSLClientConnectionCreator | None
    ) -> IStreamClientEndpoint:
        if isinstance(endpoint, str):
            return cast(IStreamClientEndpoint, clientFromString(reactor, endpoint))
        if endpoint is not None:
            return endpoint
        return endpointOf(self._url, reactor, tls)

    def run(self, timeout: float) -> Deferred[ClientConnection]:
        """See L{connect}."""

        def timedOut(result: ClientConnection | Failure, seconds: float) -> ClientConnection | Failure:
            raise CallTimedOut(self._step, seconds)

        return Deferred.fromCoroutine(self._connect()).addTimeout(timeout, self._clock, timedOut)

    async def _connect(self) -> ClientConnection:
        url = self._url
        for attempt in range(CONNECTS):
            connection = await self._reach(url)
            self._step = f"connect to {self._url.withName('')}"
            try:
                await connection.whenConnected()
                return connection
            except CallError as error:
                connection.abort(Discretion(self._url).about(error))
                more = nextQuery(error.description, self._url.user, self._url.password, self._url.app)
                if more is None or attempt == CONNECTS - 1:
                    raise
                url = self._url.withQuery(more)
            except BaseException:
                connection.abort()
                raise
        raise AssertionError("unreachable")  # pragma: no cover

    async def _reach(self, url: RTMPURL) -> ClientConnection:
        """A transport to the server."""
        self._step = f"connecting to {self._url.host}, port {self._url.port}"
        factory = RTMPClientFactory(
            url,
            self._clock,
            self._publishing,
            self._parameters,
            self._verbose,
            limits=self._limits,
            reached=self._reached,
        )
        try:
            protocol = await self._endpoint.connect(factory)
        except (CancelledError, ConnectingCancelledError):
            # Endpoints have an error of their own for it.
            raise CancelledError() from None
        except Exception as error:
            raise ConnectionClosed(self._step, explain(error)) from error
        assert isinstance(protocol, RTMPProtocol)
        assert isinstance(protocol.session, ClientConnection)
        return protocol.session
