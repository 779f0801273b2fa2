# -*- test-case-name: tests.tls.test_identity -*-
"""
Tests for L{rtmptw.tls.identity}.
"""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.errors import CertificateError
from rtmptw.tls.identity import Identity, matchKeys
from rtmptw.tls.pem import PEMFile
from tests.tls.authority import DAY, NOW, Authority, Credential
from tests.tls.handshake import clientContext, exchange, shakeHands

ROOT = Authority("Root")
MIDDLE = Authority("Middle", ROOT)
LOWER = Authority("Lower", MIDDLE)
ONE = LOWER.certify("A.example", "*.b.example")
TWO = ROOT.certify("c.example")


def file(path: str, *content: Credential | x509.Certificate) -> PEMFile:
    """A file with these certificates, and these credentials' keys."""
    keys = tuple(each.key for each in content if isinstance(each, Credential))
    return PEMFile(path, keys, tuple(each for each in content if isinstance(each, x509.Certificate)))


class _Server:
    """A server that has this identity only."""

    def __init__(self, identity: Identity) -> None:
        self.named: list[bytes | None] = []
        self._context = identity.makeContext(lambda connection: self.named.append(connection.get_servername()))

    def serverConnectionForTLS(self, protocol: object) -> SSL.Connection:
        return SSL.Connection(self._context)


class IdentityTests(SynchronousTestCase):
    def make(self, credential: Credential = ONE, *chain: Credential) -> Identity:
        return Identity("a.pem", credential.key, credential.certificate, [each.certificate for each in chain])

    def test_attributes(self) -> None:
        identity = self.make(ONE, LOWER, MIDDLE)
        self.assertEqual((identity.file, identity.names), ("a.pem", ("a.example", "*.b.example")))
        self.assertEqual((identity.notBefore, identity.notAfter), (NOW - 30 * DAY, NOW + 60 * DAY))
        expected = tuple(each.certificate.public_bytes(Encoding.DER) for each in (ONE, LOWER, MIDDLE))
        self.assertEqual(identity.content, expected)
        self.assertEqual(
            str(identity), f"a.example, *.b.example (serial number {ONE.serial:x}, until 2030-07-14 12:00 UTC)"
        )

    def test_commonName(self) -> None:
        """Where no host is named, the common name has to do."""
        self.assertEqual(self.make(ROOT.certify(commonName="Old.example")).names, ("old.example",))
        self.assertEqual(self.make(ROOT.certify(commonName=None)).names, ())

    def test_validity(self) -> None:
        identity = self.make()
        for now, margin, wrong in (
            (NOW, 0, ""),
            (NOW - 30 * DAY - 1, 0, "not valid before 2030-04-15 12:00 UTC"),
            (NOW - 30 * DAY, 0, ""),
            (NOW + 60 * DAY, 0, ""),
            (NOW + 60 * DAY + 1, 0, "expired on 2030-07-14 12:00 UTC"),
            (NOW, 60 * DAY, ""),
            (NOW, 60 * DAY + 1, "expires on 2030-07-14 12:00 UTC"),
        ):
            self.assertEqual(identity.validity(now, margin), wrong)
            self.assertEqual(identity.isValid(now), not wrong or wrong.startswith("expires"))

    def test_versions(self) -> None:
        """TLS 1.2 and 1.3, and nothing before."""
        for version, name in ((SSL.TLS1_2_VERSION, "TLSv1.2"), (SSL.TLS1_3_VERSION, "TLSv1.3")):
            context = clientContext()
            context.set_max_proto_version(version)
            self.assertEqual(shakeHands(_Server(self.make()), context=context).version, name)
        for version in (SSL.TLS1_VERSION, SSL.TLS1_1_VERSION):
            context = clientContext()
            context.set_max_proto_version(version)
            error = self.assertRaises(SSL.Error, shakeHands, _Server(self.make()), context=context)
            self.assertIn("protocol", str(error))

    def test_ciphers(self) -> None:
        """Of all suites of TLS 1.2 that OpenSSL knows, those that encrypt with authentication and forward secrecy."""
        rsaServer = _Server(self.make(ROOT.certify("r.example", key=rsa.generate_private_key(65537, 2048))))
        ecServer = _Server(self.make())
        accepted = set()
        offered = set(SSL.Connection(clientContext()).get_cipher_list())
        for cipher in offered:
            for server in (rsaServer, ecServer):
                context = clientContext()
                context.set_max_proto_version(SSL.TLS1_2_VERSION)
                try:
                    context.set_cipher_list(f"{cipher}:@SECLEVEL=0".encode())
                    accepted.add(shakeHands(server, context=context).cipher)
                except SSL.Error:
                    continue
        self.assertEqual(
            accepted,
            {
                f"ECDHE-{signature}-{cipher}"
                for signature in ("RSA", "ECDSA")
                for cipher in ("AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305")
            },
        )
        # There was something to refuse.
        self.assertIn("AES128-SHA", offered)
        self.assertIn("ECDHE-RSA-AES256-SHA384", offered)

    def test_noRenegotiation(self) -> None:
        """Who wants to renegotiate is refused."""
        context = clientContext()
        context.set_max_proto_version(SSL.TLS1_2_VERSION)
        server, client = _Server(self.make()).serverConnectionForTLS(None), SSL.Connection(context)
        server.set_accept_state()
        client.set_connect_state()
        exchange(client, server)
        client.renegotiate()
        self.assertRaises(SSL.WantReadError, client.do_handshake)
        server.bio_write(client.bio_read(1 << 16))
        self.assertRaises(SSL.WantReadError, server.recv, 1)
        client.bio_write(server.bio_read(1 << 16))
        self.assertIn("no renegotiation", str(self.assertRaises(SSL.Error, client.do_handshake)))

    def test_chain(self) -> None:
        """The chain is sent."""
        server = _Server(self.make(ONE, LOWER, MIDDLE))
        got = shakeHands(server, "x.example")
        self.assertEqual((got.serial, got.chain), (ONE.serial, 3))
        self.assertEqual(server.named, [b"x.example"])

    def test_refused(self) -> None:
        """What OpenSSL does not take is our own error, with the file and the reason."""
        small = ROOT.certify("s.example", key=rsa.generate_private_key(65537, 1024))
        for credential, wrong in ((small, "key too small"), (Credential(TWO.key, ONE.certificate), "mismatch")):
            error = self.assertRaises(CertificateError, self.make, credential)
            self.assertTrue(str(error).startswith("a.pem: OpenSSL refuses it: "), error)
            self.assertIn(wrong, str(error))

    def test_damaged(self) -> None:
        """So is one whose names can't be read."""
        certificate = damaged()
        error = self.assertRaises(CertificateError, Identity, "a.pem", ONE.key, certificate, [])
        self.assertTrue(str(error).startswith("a.pem: its extensions can't be read: "), error)


def damaged() -> x509.Certificate:
    """A certificate for the key of L{ONE}, with names that can't be read."""
    from cryptography.hazmat.primitives import hashes

    extension = x509.UnrecognizedExtension(x509.SubjectAlternativeName.oid, b"")
    old = ONE.certificate
    return (
        x509.CertificateBuilder(
            old.issuer, old.subject, old.public_key(), 1, old.not_valid_before_utc, old.not_valid_after_utc
        )
        .add_extension(extension, False)
        .sign(ONE.key, hashes.SHA256())
    )


class MatchTests(SynchronousTestCase):
    """From files to identities. Each row: the files, and then for each identity its file and its certificates."""

    def check(self, files: list[PEMFile], *expected: tuple[str, list[Credential]]) -> None:
        identities, problems = matchKeys(files, "place", NOW)
        self.assertEqual(problems, [])
        self.assertEqual(
            [(each.file, each.content) for each in identities],
            [
                (path, tuple(each.certificate.public_bytes(Encoding.DER) for each in content))
                for path, content in expected
            ],
        )

    def test_chains(self) -> None:
        one, lower, middle, root = (each.certificate for each in (ONE, LOWER, MIDDLE, ROOT))
        full = [ONE, LOWER, MIDDLE]
        key = file("key", ONE)
        for files, path, content in (
            ([key, file("a", one)], "a", [ONE]),
            ([file("a", ONE, one)], "a", [ONE]),
            ([key, file("full", one, lower, middle)], "full", full),
            # The root, if somebody wants to send it.
            ([key, file("full", one, lower, middle, root)], "full", [*full, ROOT]),
            # In another file, or in any order: found by the issuers' names; without the root.
            ([key, file("a", one), file("chain", lower, middle, root)], "a", full),
            ([key, file("a", root, middle, lower, one)], "a", full),
            ([key, file("a", one, lower), file("b", root, middle)], "a", full),
            # What does not belong there is left out.
            ([key, file("a", one, TWO.certificate, middle), file("b", lower)], "a", full),
            ([key, file("a", one, middle)], "a", [ONE]),
            # certbot's directory.
            ([file("cert", one), file("chain", lower, middle), file("full", one, lower, middle), key], "cert", full),
            # The same key twice.
            ([key, file("again", ONE), file("a", one)], "a", [ONE]),
        ):
            self.check(files, (path, content))

    def test_several(self) -> None:
        """Each key has its own certificate, in the order of the keys."""
        one, two = ONE.certificate, TWO.certificate
        self.check([file("a", TWO, ONE), file("b", one, two)], ("b", [TWO]), ("b", [ONE]))

    def test_sameKey(self) -> None:
        """Of several for one key, one that is valid comes before one that is not; then the one that stays longest."""
        old = LOWER.certify("a.example", key=ONE.key, notAfter=NOW + DAY)
        expired = LOWER.certify("a.example", key=ONE.key, notAfter=NOW - DAY)
        future = LOWER.certify("a.example", key=ONE.key, notBefore=NOW + DAY, notAfter=NOW + 90 * DAY)
        for others in ([old], [expired], [future], [old, expired, future]):
            for certificates in ([ONE, *others], [*others, ONE]):
                files = [file("key", ONE), *(file(str(each.serial), each.certificate) for each in certificates)]
                self.check(files, (str(ONE.serial), [ONE]))

    def test_crossSigned(self) -> None:
        """Authorities that have signed each other do not send us round for ever."""
        left = Authority("Left")
        right = Authority("Right", left)
        circle = Authority("Left", right)
        leaf = right.certify("a.example")
        files = [file("key", leaf), file("a", leaf.certificate), file("b", circle.certificate, right.certificate)]
        self.check(files, ("a", [leaf, right, circle]))

    def test_problems(self) -> None:
        """What is wrong is said with its file; the rest is of use."""
        for files, texts in (
            ([file("a", ONE.certificate)], ["place: there is no private key"]),
            ([file("key", ONE), file("a", TWO.certificate)], ["key: no certificate in place is for this private key"]),
        ):
            identities, problems = matchKeys(files, "place", NOW)
            self.assertEqual((identities, [str(problem) for problem in problems]), ([], texts))
        identities, problems = matchKeys([file("a", ONE, TWO, damaged(), TWO.certificate)], "place", NOW)
        self.assertEqual([each.names for each in identities], [("c.example",)])
        (problem,) = problems
        self.assertIn("a: its extensions", str(problem))
