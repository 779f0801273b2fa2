# -*- test-case-name: tests.tls.test_certificatefiles -*-
"""
Where a server's certificates come from: files that are named one by one, or all PEM files below a directory.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod

from rtmptw.errors import CertificateError
from rtmptw.tls.identity import Identity, matchKeys
from rtmptw.tls.pem import PEMFile, readPEM

__all__ = ["CertificateFiles", "PEMDirectory", "PEMFiles"]


class CertificateFiles(ABC):
    """
    A set of PEM files.

    @ivar place: what to call it in an error.
    """

    place: str

    @abstractmethod
    def paths(self) -> list[str]:
        """The files, as they are now, in a fixed order."""

    @abstractmethod
    def load(self, now: float) -> tuple[list[Identity], list[CertificateError]]:
        """
        Read all files.

        @param now: seconds since 1970.
        @return: what can be used, and what is wrong with the rest. One of both is not empty.
        """

    def _read(self) -> tuple[list[PEMFile], list[CertificateError]]:
        files: list[PEMFile] = []
        problems: list[CertificateError] = []
        for path in self.paths():
            try:
                files.append(readPEM(path))
            except CertificateError as error:
                problems.append(error)
        return files, problems


class PEMFiles(CertificateFiles):
    """A key, its certificate, and maybe the rest of the chain; of no use unless all are good."""

    def __init__(self, privateKey: str, certificate: str, chain: str | None = None) -> None:
        """
        @param privateKey: the file of the key.
        @param certificate: the file of the certificate, maybe with its chain; may be the same.
        @param chain: a file with more of the chain.
        """
        # twistd may change its working directory.
        self._privateKey, self._certificate = os.path.abspath(privateKey), os.path.abspath(certificate)
        self._chain = None if chain is None else os.path.abspath(chain)
        self.place = self._certificate

    def paths(self) -> list[str]:
        """See L{CertificateFiles.paths}."""
        return list(dict.fromkeys(filter(None, (self._privateKey, self._certificate, self._chain))))

    def load(self, now: float) -> tuple[list[Identity], list[CertificateError]]:
        """See L{CertificateFiles.load}."""
        files, problems = self._read()
        for file in files:
            if file.path == self._privateKey and not file.keys:
                problems.append(CertificateError(f"{file.path}: there is no private key in it"))
            if file.path in (self._certificate, self._chain) and not file.certificates:
                problems.append(CertificateError(f"{file.path}: not a PEM certificate"))
        if problems:
            return [], problems
        identities, problems = matchKeys(files, self.place, now)
        return [] if problems else identities, problems


class PEMDirectory(CertificateFiles):
    """All files below a directory whose names end in C{.pem}: any number of keys, certificates and chains."""

    def __init__(self, directory: str) -> None:
        self.place = os.path.abspath(directory)

    def paths(self) -> list[str]:
        """See L{CertificateFiles.paths}."""
        found: list[str] = []
        seen: set[str] = set()
        for directory, names, files in os.walk(self.place, followlinks=True):
            # A link may lead back up.
            real = os.path.realpath(directory)
            if real in seen:
                names.clear()
                continue
            seen.add(real)
            found += [os.path.join(directory, name) for name in files if name.endswith(".pem")]
        return sorted(found)

    def load(self, now: float) -> tuple[list[Identity], list[CertificateError]]:
        """See L{CertificateFiles.load}."""
        files, problems = self._read()
        if not files and not problems:
            wrong = "no file in it ends in .pem" if os.path.isdir(self.place) else "no such directory"
            return [], [CertificateError(f"{self.place}: {wrong}")]
        identities, unmatched = matchKeys(files, self.place, now)
        # What a file that can't be read holds may well be what the others lack.
        return identities, problems or unmatched
