# -*- test-case-name: tests.tls.test_certificatefiles -*-
"""
Tests for L{rtmptw.tls.certificatefiles}.
"""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.tls.certificatefiles import CertificateFiles, PEMDirectory, PEMFiles
from tests.tls.authority import NOW, Authority
from tests.tls.directory import Directory

ROOT = Authority("Root")
MIDDLE = Authority("Middle", ROOT)
ONE = MIDDLE.certify("a.example")
TWO = MIDDLE.certify("b.example")


class FilesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.directory = Directory(self)

    def check(self, files: CertificateFiles, *expected: tuple[str, int]) -> None:
        """Assert what is loaded: for each identity the file of its certificate, and how many make up its chain."""
        identities, problems = files.load(NOW)
        self.assertEqual(problems, [])
        self.assertEqual(
            [(each.file, len(each.content)) for each in identities],
            [(self.directory(name), count) for name, count in expected],
        )

    def refused(self, files: CertificateFiles, *expected: tuple[str, str], use: int = 0) -> None:
        """Assert that there are these problems, each with its file, and that so many identities are of use."""
        identities, problems = files.load(NOW)
        self.assertEqual(len(identities), use)
        self.assertEqual(len(problems), len(expected), problems)
        for problem, (name, wrong) in zip(problems, expected, strict=True):
            self.assertTrue(str(problem).startswith(f"{self.directory(name)}: "), problem)
            self.assertIn(wrong, str(problem))

    def files(self, key: str = "key.pem", certificate: str = "cert.pem", chain: str | None = None) -> PEMFiles:
        return PEMFiles(
            self.directory(key), self.directory(certificate), None if chain is None else self.directory(chain)
        )

    def test_files(self) -> None:
        self.directory.write(key=ONE.keyPEM, cert=ONE.pem, full=ONE.pem + MIDDLE.pem, chain=MIDDLE.pem + ROOT.pem)
        self.directory.write(all=ONE.keyPEM + ONE.pem + MIDDLE.pem)
        for arguments, expected in (
            (("key.pem", "cert.pem"), ("cert.pem", 1)),
            (("key.pem", "full.pem"), ("full.pem", 2)),
            (("key.pem", "cert.pem", "chain.pem"), ("cert.pem", 2)),
            (("all.pem", "all.pem"), ("all.pem", 2)),
        ):
            self.check(self.files(*arguments), expected)
        files = self.files("key.pem", "key.pem", "chain.pem")
        self.assertEqual(files.paths(), [self.directory("key.pem"), self.directory("chain.pem")])

    def test_absolute(self) -> None:
        """The directory that it all begins in may be left."""
        files, directory = PEMFiles("key.pem", "cert.pem", "chain.pem"), PEMDirectory("certificates")
        here = os.getcwd()
        self.assertEqual(files.paths(), [os.path.join(here, name) for name in ("key.pem", "cert.pem", "chain.pem")])
        self.assertEqual((files.place, directory.place), (os.path.join(here, "cert.pem"), f"{here}/certificates"))

    def test_badFiles(self) -> None:
        """One that is bad spoils all."""
        self.directory.write(key=ONE.keyPEM, cert=ONE.pem, chain=MIDDLE.pem, other=TWO.pem, both=TWO.keyPEM + TWO.pem)
        self.directory.write(cut=ONE.pem[:200], none=b"")
        for arguments, expected in (
            (("missing.pem",), [("missing.pem", "No such file")]),
            (("missing.pem", "cut.pem"), [("missing.pem", "No such file"), ("cut.pem", "cut short")]),
            (("key.pem", "none.pem"), [("none.pem", "not a PEM file")]),
            (("key.pem", "key.pem"), [("key.pem", "not a PEM certificate")]),
            (("cert.pem",), [("cert.pem", "there is no private key in it")]),
            (("key.pem", "cert.pem", "key.pem"), [("key.pem", "not a PEM certificate")]),
            (("key.pem", "cert.pem", "cut.pem"), [("cut.pem", "cut short")]),
            (("key.pem", "other.pem"), [("key.pem", "is for this private key")]),
            (("key.pem", "both.pem"), [("key.pem", "is for this private key")]),
        ):
            self.refused(self.files(*arguments), *expected)

    def test_directory(self) -> None:
        """Whatever ends in .pem, below it too, in the order of the names; links are followed, but not in circles."""
        self.directory.write(z=ONE.keyPEM, y=ONE.pem, chain=MIDDLE.pem)
        self.directory.write(ignored=b"")
        os.rename(self.directory("ignored.pem"), self.directory("README"))
        elsewhere = Directory(self)
        elsewhere.write(full=TWO.pem + MIDDLE.pem + ROOT.pem, key=TWO.keyPEM)
        os.symlink(elsewhere.path, self.directory("b"))
        os.symlink(self.directory.path, elsewhere("back"))
        directory = PEMDirectory(self.directory.path)
        names = ["b/full.pem", "b/key.pem", "chain.pem", "y.pem", "z.pem"]
        self.assertEqual(directory.paths(), [self.directory(name) for name in names])
        self.check(directory, ("b/full.pem", 3), ("y.pem", 2))

    def test_badDirectory(self) -> None:
        """A file that is bad is none of the others' business, unless it has what they need."""
        directory = PEMDirectory(self.directory.path)
        self.refused(PEMDirectory(self.directory("missing")), ("missing", "no such directory"))
        identities, problems = directory.load(NOW)
        self.assertEqual((identities, str(problems[0])), ([], f"{self.directory.path}: no file in it ends in .pem"))
        self.directory.write(a=ONE.pem)
        self.assertEqual(str(directory.load(NOW)[1][0]), f"{self.directory.path}: there is no private key")
        self.directory.write(b=ONE.keyPEM, c=TWO.keyPEM)
        self.refused(directory, ("c.pem", f"no certificate in {self.directory.path} is for this"), use=1)
        self.directory.write(d=TWO.pem[:300])
        self.refused(directory, ("d.pem", "cut short"), use=1)
        os.mkdir(self.directory("e.pem"))
        self.refused(directory, ("d.pem", "cut short"), use=1)
