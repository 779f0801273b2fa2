# -*- test-case-name: tests.tls.test_client -*-
"""
The client's side of TLS: which server is trusted, and what is wrong with one that is not.

A server's certificate must come from an authority that is trusted, be valid at this time, and be for the host that was
asked for (RFC 5280, section 6; RFC 6125). OpenSSL's own error says no more than "certificate verify failed". Here, the
connection is lost with a L{CertificateError} that says which of these it is, and what can be done.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL
from OpenSSL.crypto import X509, X509StoreFlags
from service_identity import VerificationError
from service_identity.cryptography import verify_certificate_hostname, verify_certificate_ip_address
from service_identity.exceptions import CertificateError as NamelessCertificate
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.internet.ssl import Certificate, optionsForClientTLS, trustRootFromCertificates
from twisted.logger import Logger
from twisted.protocols.tls import TLSMemoryBIOProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from rtmptw.errors import CertificateError
from rtmptw.tls.certificate import distinguishedName, listed, moment, namesOf
from rtmptw.tls.pem import readPEM

__all__ = ["clientTLS", "trustedCertificates"]

#: Provides Twisted's C{IOpenSSLTrustRoot}, which is not a public name: what L{trustedCertificates} and
#: L{twisted.internet.ssl.platformTrust} return.
TrustRoot = Any

_INSECURE = "--insecure, if you know why, connects without any check"
_TRUST = f"if you trust it, give its certificate with --ca FILE; {_INSECURE}"
_RENEW = f"the server needs another one; {_INSECURE}"

#: By OpenSSL's number (X509_V_ERR_..., x509_vfy.h): what is wrong, and what can be done.
_PROBLEMS = {
    2: ("the issuer of {which}, {issuer}, is not known", _TRUST),
    7: ("the signature of {which} is wrong", _RENEW),
    9: ("{which} is not valid before {notBefore}", "is the clock right? Otherwise " + _RENEW),
    10: ("{which} has expired on {notAfter}", _RENEW),
    18: ("{which} is self-signed, and not known", _TRUST),
    19: ("its authority {subject}, which has signed itself, is not known", _TRUST),
    20: (
        "the issuer of {which}, {issuer}, is not known, or the server does not send the certificate in between",
        _TRUST,
    ),
    21: ("the issuer of {which}, {issuer}, is not known, and the server sends no other certificate", _TRUST),
    23: ("{which} was revoked", _RENEW),
    26: ("{which} is not meant for servers", _RENEW),
    66: ("the key of {which} is too small", _RENEW),
    67: ("the key of {which} is too small", _RENEW),
    68: ("{which} is signed with a digest that is too weak", _RENEW),
    79: ("{which} is used as that of an authority, and is not one", _RENEW),
}
_OTHER = ("{which} does not pass OpenSSL's check number {number}", _RENEW)


def clientTLS(
    hostname: str, trustRoot: TrustRoot | None = None, verify: bool = True
) -> IOpenSSLClientConnectionCreator:
    """
    How to connect to a server with TLS 1.2 or newer. For one server, and any number of connections.

    @param hostname: the server's name or IP address, as the user has given it. A name is sent to the server, too.
    @param trustRoot: whom to trust; by default, whom the operating system trusts.
    @param verify: whether the server's certificate must be good. If not, anybody on the way can read and change all.
    @raise CertificateError: it is not the name of a host.
    """
    hostname = hostname.rstrip(".")
    try:
        options = optionsForClientTLS(hostname, trustRoot)
    except UnicodeError:
        # What IDNA (RFC 5891) has no encoding for.
        raise CertificateError(f"{hostname!a} is not the name of a host") from None
    return _ClientConnections(options, hostname, verify)


def trustedCertificates(path: str) -> TrustRoot:
    """
    Trust the authorities of a PEM file, and no others; or just a server that has signed its certificate itself.

    @raise CertificateError: there are none in it; the text begins with the file.
    """
    certificates = readPEM(path).certificates
    if not certificates:
        raise CertificateError(f"{path}: there is no certificate in it")
    return trustRootFromCertificates([Certificate.loadPEM(each.public_bytes(Encoding.PEM)) for each in certificates])


@implementer(IOpenSSLClientConnectionCreator)
class _ClientConnections:
    """Twisted's connections, with a check that explains itself in the place of theirs."""

    def __init__(self, options: IOpenSSLClientConnectionCreator, hostname: str, verify: bool) -> None:
        self._options = options
        self._hostname = hostname
        self._verify = verify

    def clientConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        """See L{IOpenSSLClientConnectionCreator.clientConnectionForTLS}."""
        connection: SSL.Connection = self._options.clientConnectionForTLS(tlsProtocol)
        if not self._verify:
            # OpenSSL would keep the check that there is if it were given none.
            connection.set_verify(SSL.VERIFY_NONE, lambda *seen: True)
            return connection
        store = connection.get_context().get_cert_store()
        if store is not None:
            # An authority in the middle of the chain may be trusted, as its own one may: who names it means it.
            store.set_flags(X509StoreFlags.PARTIAL_CHAIN)
        check = _Check(tlsProtocol, self._hostname)
        connection.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, check.certificateSeen)
        return connection


class _Check:
    """The check of one server."""

    _log = Logger()

    def __init__(self, protocol: TLSMemoryBIOProtocol, hostname: str) -> None:
        self._protocol: TLSMemoryBIOProtocol | None = protocol
        self._hostname = hostname

    def certificateSeen(self, connection: SSL.Connection, seen: X509, number: int, depth: int, good: int) -> bool:
        """
        OpenSSL has looked at a certificate; the server's own (depth 0) comes last.

        @return: whether to go on. Whatever the certificate holds, this does not raise: OpenSSL has no place for that.
        """
        try:
            certificate = seen.to_cryptography()
            wrong = _problem(certificate, number, depth) if not good else ""
            if good and depth == 0:
                wrong = _misnamed(certificate, self._hostname)
        except Exception:
            self._log.failure("{hostname}: the server's certificate can't be read", hostname=self._hostname)
            wrong = "the server's certificate can't be read"
        if wrong and self._protocol is not None:
            protocol, self._protocol = self._protocol, None
            protocol.failVerification(Failure(CertificateError(f"{self._hostname} is not trusted: {wrong}")))
        return not wrong


def _problem(certificate: x509.Certificate, number: int, depth: int) -> str:
    """What OpenSSL has found."""
    subject = distinguishedName(certificate.subject)
    text, advice = _PROBLEMS.get(number, _OTHER)
    wrong = text.format(
        which="its certificate" if depth == 0 else f"its authority's certificate ({subject})",
        subject=subject,
        issuer=distinguishedName(certificate.issuer),
        notBefore=moment(certificate.not_valid_before_utc),
        notAfter=moment(certificate.not_valid_after_utc),
        number=number,
    )
    return f"{wrong} ({advice})"


def _misnamed(certificate: x509.Certificate, hostname: str) -> str:
    """Whether a certificate is for another host."""
    verify = verify_certificate_ip_address if _isAddress(hostname) else verify_certificate_hostname
    try:
        # The zone of an IPv6 address is known on this machine only.
        verify(certificate, hostname.partition("%")[0])
    except (VerificationError, NamelessCertificate):
        names = listed(namesOf(certificate))
        return f"its certificate is for {names}, not for {hostname} (connect by a name that it is for; {_INSECURE})"
    return ""


def _isAddress(hostname: str) -> bool:
    try:
        ipaddress.ip_address(hostname)
    except ValueError:
        return False
    return True
