"""
TLS handshakes in memory.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from OpenSSL import SSL
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator

from tests.tls.authority import Credential

__all__ = ["Outcome", "clientContext", "exchange", "shakeHands"]


@dataclass
class Outcome:
    """
    What a client got.

    @ivar serial: the serial number of the server's certificate.
    @ivar chain: how many certificates the server has sent.
    """

    serial: int
    chain: int
    version: str
    cipher: str


def clientContext() -> SSL.Context:
    """A client that speaks everything that OpenSSL can, and trusts anybody."""
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_cipher_list(b"ALL:COMPLEMENTOFALL:@SECLEVEL=0")
    return context


def exchange(one: SSL.Connection, other: SSL.Connection) -> None:
    """
    Let both sides do what they can.

    @raise SSL.Error: one of them breaks it off.
    """
    waiting = 0
    while waiting < 4:
        for here, there in ((one, other), (other, one)):
            waiting += 1
            with suppress(SSL.WantReadError):
                here.do_handshake()
            try:
                there.bio_write(here.bio_read(1 << 16))
                waiting = 0
            except SSL.WantReadError:
                pass


def shakeHands(
    certificates: IOpenSSLServerConnectionCreator, host: str | None = None, context: SSL.Context | None = None
) -> Outcome:
    """
    Connect to a server.

    @param host: whom the client says that it wants; by default, nobody.
    @param context: of the client.
    """
    server: SSL.Connection = certificates.serverConnectionForTLS(None)
    server.set_accept_state()
    client = SSL.Connection(context or clientContext())
    client.set_connect_state()
    if host is not None:
        client.set_tlsext_host_name(host.encode())
    exchange(client, server)
    return outcome(client)


def outcome(client: SSL.Connection) -> Outcome:
    """What a client got."""
    certificate = client.get_peer_certificate(as_cryptography=True)
    assert certificate is not None
    chain = client.get_peer_cert_chain(as_cryptography=True)
    assert chain is not None
    return Outcome(
        certificate.serial_number, len(chain), client.get_protocol_version_name(), client.get_cipher_name() or ""
    )


class OneCertificate:
    """A server that has just this one, as OpenSSL would have it: whatever it can."""

    def __init__(self, credential: Credential, *chain: Credential, newest: int = 0) -> None:
        """
        @param newest: the newest version of TLS that it knows; 0 for all.
        """
        self._context = clientContext()
        self._context.set_max_proto_version(newest)
        self._context.use_certificate(credential.certificate)
        self._context.use_privatekey(credential.key)
        for each in chain:
            self._context.add_extra_chain_cert(each.certificate)

    def serverConnectionForTLS(self, protocol: object) -> SSL.Connection:
        return SSL.Connection(self._context)
