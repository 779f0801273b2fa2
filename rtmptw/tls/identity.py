# -*- test-case-name: tests.tls.test_identity -*-
"""
Who a server is: a private key, the certificate that belongs to it, and the chain that leads to an authority.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from OpenSSL import SSL

from rtmptw.closereason import reasonsOf
from rtmptw.errors import CertificateError
from rtmptw.tls.certificate import commonName, listed, moment, namesOf
from rtmptw.tls.pem import PEMFile, PrivateKey

__all__ = ["CIPHERS", "Identity", "matchKeys"]

#: The suites of TLS 1.2: with forward secrecy, and encryption that authenticates. Those of TLS 1.3 all are so.
CIPHERS = b"ECDHE+AESGCM:ECDHE+CHACHA20"

_OPTIONS = SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION | SSL.OP_CIPHER_SERVER_PREFERENCE | SSL.OP_NO_TICKET


class Identity:
    """
    A server's certificate, ready for use.

    @ivar file: where the certificate was read from.
    @ivar names: the hosts that it is for, in lower case.
    @ivar notBefore: from when on it is valid, seconds since 1970.
    @ivar notAfter: until when.
    @ivar content: the certificate and its chain, in DER; two identities with the same content are the same.
    """

    def __init__(
        self, file: str, key: PrivateKey, certificate: x509.Certificate, chain: Sequence[x509.Certificate]
    ) -> None:
        """
        @raise CertificateError: OpenSSL refuses it; the text begins with the file.
        """
        self.file = file
        self._key = key
        self._certificate = certificate
        self._chain = tuple(chain)
        try:
            self.names = namesOf(certificate) or tuple(filter(None, [commonName(certificate)]))
            # If it can't be used, now is the time to know.
            self.makeContext(lambda connection: None)
        except SSL.Error as error:
            raise CertificateError(f"{file}: OpenSSL refuses it: {', '.join(reasonsOf(error))}") from None
        except CertificateError as error:
            raise CertificateError(f"{file}: {error}") from None
        self.notBefore = certificate.not_valid_before_utc.timestamp()
        self.notAfter = certificate.not_valid_after_utc.timestamp()
        self.content = tuple(each.public_bytes(Encoding.DER) for each in (certificate, *self._chain))

    def __str__(self) -> str:
        until = moment(self._certificate.not_valid_after_utc)
        return f"{listed(self.names)} (serial number {self._certificate.serial_number:x}, until {until})"

    def isValid(self, now: float) -> bool:
        """Whether it is valid at that time, in seconds since 1970."""
        return self.notBefore <= now <= self.notAfter

    def validity(self, now: float, margin: float = 0.0) -> str:
        """
        What is wrong with its time.

        @param now: seconds since 1970.
        @param margin: how many seconds it should still be valid.
        @return: nothing, if nothing is.
        """
        if now < self.notBefore:
            return f"not valid before {moment(self._certificate.not_valid_before_utc)}"
        if now > self.notAfter:
            return f"expired on {moment(self._certificate.not_valid_after_utc)}"
        if now + margin > self.notAfter:
            return f"expires on {moment(self._certificate.not_valid_after_utc)}"
        return ""

    def makeContext(self, serverNamed: Callable[[SSL.Connection], None]) -> SSL.Context:
        """
        What connections are made from: TLS 1.2 or 1.3, L{CIPHERS}, no compression, no renegotiation, no sessions that
        outlive a certificate.

        @param serverNamed: called when the client has said which host it wants (Server Name Indication, RFC 6066).
        """
        context = SSL.Context(SSL.TLS_METHOD)
        context.set_min_proto_version(SSL.TLS1_2_VERSION)
        context.set_options(_OPTIONS)
        # An idle connection holds no buffers.
        context.set_mode(SSL.MODE_RELEASE_BUFFERS)
        context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        context.set_cipher_list(CIPHERS)
        context.set_tlsext_servername_callback(serverNamed)
        context.use_certificate(self._certificate)
        context.use_privatekey(self._key)
        for each in self._chain:
            context.add_extra_chain_cert(each)
        return context


def matchKeys(files: Sequence[PEMFile], place: str, now: float) -> tuple[list[Identity], list[CertificateError]]:
    """
    Find the certificate of every key.

    If several are for the same key, one that is valid now, and longest, is taken; if one is there several times
    (certbot's cert.pem and fullchain.pem), the one that has most of its chain with it.

    @param place: where the files are from, for errors.
    @param now: seconds since 1970.
    @return: in the order of the keys; and what is wrong.
    """
    identities: list[Identity] = []
    problems: list[CertificateError] = []
    certificates = [each for file in files for each in file.certificates]
    seen: set[bytes] = set()
    for file in files:
        for key in file.keys:
            public = _publicKey(key)
            if public in seen:
                continue
            seen.add(public)
            found = list(_occurrences(files, public))
            if not found:
                problems.append(CertificateError(f"{file.path}: no certificate in {place} is for this private key"))
                continue
            try:
                each = [Identity(path, key, *_chain(rest, certificates)) for path, rest in found]
            except CertificateError as error:
                problems.append(error)
            else:
                identities.append(max(each, key=lambda one: (one.isValid(now), one.notAfter, len(one.content))))
    if not seen:
        problems.append(CertificateError(f"{place}: there is no private key"))
    return identities, problems


def _occurrences(files: Iterable[PEMFile], public: bytes) -> Iterator[tuple[str, Sequence[x509.Certificate]]]:
    """Where a key's certificate is: the file, and the certificates in it from there on."""
    for file in files:
        for position, certificate in enumerate(file.certificates):
            if _publicKey(certificate) == public:
                yield file.path, file.certificates[position:]


def _chain(
    rest: Sequence[x509.Certificate], others: Sequence[x509.Certificate]
) -> tuple[x509.Certificate, list[x509.Certificate]]:
    """
    Each certificate's issuer, as far as they follow it in its file; then from wherever they are. An authority's own
    certificate, at the end, is not looked for: who trusts it has it.

    @return: the first certificate, and the others of its chain.
    """
    last = rest[0]
    chain: list[x509.Certificate] = []
    for issuer in rest[1:]:
        if last.issuer != issuer.subject or _isSelfIssued(last):
            break
        chain.append(issuer)
        last = issuer
    while not _isSelfIssued(last):
        known = (rest[0], *chain)
        issuers = [
            each for each in others if each.subject == last.issuer and not _isSelfIssued(each) and each not in known
        ]
        if not issuers:
            break
        last = issuers[0]
        chain.append(last)
    return rest[0], chain


def _isSelfIssued(certificate: x509.Certificate) -> bool:
    return certificate.subject == certificate.issuer


def _publicKey(owner: PrivateKey | x509.Certificate) -> bytes:
    return owner.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
