# -*- test-case-name: tests.tls.test_pem -*-
"""
Tests for L{rtmptw.tls.pem}.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile

from cryptography.hazmat.primitives.asymmetric import dsa, ed448, ed25519, rsa, x25519
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.errors import CertificateError
from rtmptw.tls import pem
from rtmptw.tls.pem import MAX_FILE, readPEM
from tests.tls.authority import Authority, keyPEM, newKey

AUTHORITY = Authority()
ONE = AUTHORITY.certify("a.example")

PARAMETERS = b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"


class PEMTests(SynchronousTestCase):
    def setUp(self) -> None:
        directory = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, directory)
        self.path = os.path.join(directory, "a.pem")

    def write(self, text: bytes) -> str:
        with open(self.path, "wb") as file:
            file.write(text)
        return self.path

    def refused(self, path: str) -> CertificateError:
        """The error for a file, which names the file."""
        error = self.assertRaises(CertificateError, readPEM, path)
        self.assertTrue(str(error).startswith(f"{path}: "), error)
        return error

    def test_order(self) -> None:
        """Keys and certificates in their order; text and other blocks are passed over, whatever the line ends are."""
        for text in (
            ONE.keyPEM + ONE.pem + AUTHORITY.pem,
            b"Bag Attributes\n    friendlyName: x\n" + PARAMETERS + ONE.pem + b"\n\n" + ONE.keyPEM + AUTHORITY.pem,
            (ONE.pem + AUTHORITY.pem + ONE.keyPEM).replace(b"\n", b"\r\n"),
            (ONE.pem + AUTHORITY.pem + ONE.keyPEM).rstrip(),
        ):
            found = readPEM(self.write(text))
            self.assertEqual(found.path, self.path)
            self.assertEqual(found.certificates, (ONE.certificate, AUTHORITY.certificate))
            self.assertEqual([key.public_key() for key in found.keys], [ONE.key.public_key()])

    def test_kinds(self) -> None:
        """Every kind of key that TLS signs with."""
        for key in (
            newKey(),
            rsa.generate_private_key(65537, 2048),
            ed25519.Ed25519PrivateKey.generate(),
            ed448.Ed448PrivateKey.generate(),
        ):
            self.assertEqual(readPEM(self.write(keyPEM(key))).keys[0].public_key(), key.public_key())

    def test_cutShort(self) -> None:
        """Wherever a file is cut within a block, it is noticed. Between blocks nothing shows it."""
        for text in (ONE.pem, ONE.keyPEM):
            begin = text.index(b"\n")
            for end in range(begin, len(text.rstrip())):
                self.assertIn("cut short: BEGIN", str(self.refused(self.write(text[:end]))))
        lines = ONE.pem.splitlines(True)
        self.assertIn("cut short", str(self.refused(self.write(b"".join(lines[:4]) + ONE.pem))))

    def test_bad(self) -> None:
        """Everything else that is wrong with a file."""
        damaged = ONE.pem.replace(b"\nMII", b"\nAII")
        for text, wrong in (
            (b"", "not a PEM file"),
            (b"no key", "not a PEM file"),
            (os.urandom(1000), "not a PEM file"),
            (PARAMETERS, "not a PEM file"),
            (damaged, "a certificate in it is damaged"),
            (ONE.keyPEM.replace(b"\nMI", b"\nAI"), "the private key in it is damaged"),
            (keyPEM(newKey(), b"secret"), "passphrase"),
            (keyPEM(x25519.X25519PrivateKey.generate()), "does not sign with"),
            (keyPEM(dsa.generate_private_key(2048)), "does not sign with"),
            (b" " * (MAX_FILE + 1), "larger than"),
        ):
            error = self.refused(self.write(text))
            self.assertIn(wrong, str(error))
            self.assertNotIsInstance(error.__cause__, OSError)

    def test_large(self) -> None:
        """The limit is a size that is still read."""
        found = readPEM(self.write(ONE.pem.ljust(MAX_FILE)))
        self.assertEqual(found.certificates, (ONE.certificate,))

    def test_unreadable(self) -> None:
        """What the system refuses, in its own words; and what is no file, which nobody waits for."""
        self.assertIn("No such file", str(self.refused(self.path)))
        self.assertIsInstance(self.refused(self.path).__cause__, FileNotFoundError)
        os.mkfifo(self.path)
        self.assertIn("not a file", str(self.refused(self.path)))
        self.assertIn("Is a directory", str(self.refused(os.path.dirname(self.path))))
        error = self.assertRaises(CertificateError, readPEM, "a\0b")
        self.assertEqual(str(error), "a\\x00b: not the name of a file")

    def test_F15_noDescriptors(self) -> None:
        """Too few descriptors are an error like others, and it shows what it was."""

        def full(*arguments: object) -> int:
            raise OSError(errno.EMFILE, "Too many open files")

        self.patch(pem.os, "open", full)
        error = self.refused(self.path)
        self.assertIn("Too many open files", str(error))
        self.assertIsInstance(error.__cause__, OSError)
