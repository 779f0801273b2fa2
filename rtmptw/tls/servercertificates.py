# -*- test-case-name: tests.tls.test_servercertificates -*-
"""
A server's certificates: read from files, chosen by the host that a client asks for, and read again when the files
change.

How a certificate is replaced
=============================
When a connection comes, and the last look is not just a moment ago (L{LOOK_SECONDS}), every file is looked at: its
time, size and inode. If any has changed, all are read.

- A certificate that is good takes the place of the one that was in the same file before, for new connections. Those
  that are there keep what they have.
- If a file is missing, cut short, or damaged, if key and certificate do not belong together, or if the new certificate
  is not valid at this time, the one before stays in use, and one warning says why. The files are read again when they
  change again; when they could not be read, at the next look; when a certificate becomes valid, then.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable

from OpenSSL import SSL
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from twisted.logger import Logger
from twisted.protocols.tls import TLSMemoryBIOProtocol
from zope.interface import implementer

from rtmptw.tls.certificatefiles import CertificateFiles
from rtmptw.tls.identity import Identity

__all__ = ["EXPIRY_WARNING", "LOOK_SECONDS", "ServerCertificates"]

#: How often the files are looked at, at most, seconds.
LOOK_SECONDS = 0.25

#: How long before its end a certificate that is taken gets a warning, seconds.
EXPIRY_WARNING = 7 * 24 * 3600.0

_Stamp = tuple[int, int, int, int] | None


@implementer(IOpenSSLServerConnectionCreator)
class ServerCertificates:
    """Makes the TLS side of a server's connections."""

    _log = Logger()

    def __init__(
        self,
        files: CertificateFiles,
        monotonic: Callable[[], float] = time.monotonic,
        wallClock: Callable[[], float] = time.time,
    ) -> None:
        """
        Read the files. A certificate that is not valid at this time is used all the same: there is no other.

        @param monotonic: tells seconds since any moment.
        @param wallClock: tells seconds since 1970.
        @raise CertificateError: whatever is wrong with any of them; its text begins with the file.
        """
        self._files = files
        self._monotonic = monotonic
        self._wallClock = wallClock
        self._looked = monotonic()
        self._stamps: dict[str, _Stamp] | None = self._look()
        identities, problems = files.load(wallClock())
        if problems:
            raise problems[0]
        #: By the file that the certificate was in.
        self._identities = _byFile(identities)
        self._contexts: dict[Identity, SSL.Context] = {}
        self._warned: tuple[dict[str, _Stamp], str] | None = None
        self._use()

    def announce(self) -> None:
        """Log what is in use, and warn of what is not valid, or not for long."""
        for identities in self._identities.values():
            for identity in identities:
                self._announce("using", identity)

    def serverConnectionForTLS(self, protocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        """See L{IOpenSSLServerConnectionCreator.serverConnectionForTLS}."""
        now = self._monotonic()
        if now - self._looked >= LOOK_SECONDS:
            self._looked = now
            self._refresh()
        return SSL.Connection(self._contexts[self._default])

    def find(self, host: str) -> Identity:
        """
        The certificate for a host: one for just that name, or one with a wildcard for its first part (RFC 6125, section
        6.4.3). If there is none, the first, by the order of the files.
        """
        host = host.lower().rstrip(".")
        wildcard = f"*.{host.partition('.')[2]}"
        return self._byName.get(host) or self._byName.get(wildcard) or self._default

    def _serverNamed(self, connection: SSL.Connection) -> None:
        """A client has said which host it wants. Whatever that is, this does not raise."""
        name = connection.get_servername() or b""
        identity = self.find(name.decode("ascii", "replace"))
        if identity is not self._default:
            connection.set_context(self._contexts[identity])

    def _use(self, later: Iterable[Identity] = ()) -> None:
        """
        Be ready to give out L{_identities}.

        @param later: certificates that are not in use, but will be valid.
        """
        now = self._wallClock()
        identities = [each for group in self._identities.values() for each in group]
        self._contexts = {each: self._contexts.get(each) or each.makeContext(self._serverNamed) for each in identities}
        self._default = next((each for each in identities if each.isValid(now)), identities[0])
        self._byName: dict[str, Identity] = {}
        # The best ones last.
        for identity in sorted(identities, key=lambda each: (each.isValid(now), each.notAfter)):
            self._byName.update(dict.fromkeys(identity.names, identity))
        self._again = min(
            (each.notBefore for each in (*identities, *later) if each.notBefore > now), default=float("inf")
        )

    def _look(self) -> dict[str, _Stamp]:
        """What shows that a file has changed."""
        return {path: _stamp(path) for path in self._files.paths()}

    def _refresh(self) -> None:
        stamps, now = self._look(), self._wallClock()
        if stamps == self._stamps and now < self._again:
            return
        self._stamps = stamps
        identities, problems = self._files.load(now)
        if any(isinstance(problem.__cause__, OSError) for problem in problems):
            # Maybe there were too few descriptors: a file need not change to become readable.
            self._stamps = None
        reasons = [str(problem) for problem in problems]
        groups = _byFile(identities)
        if not problems:
            reasons += [f"{file}: no certificate with its key any more" for file in self._identities.keys() - groups]
        taken: list[Identity] = []
        later: list[Identity] = []
        for file, group in groups.items():
            before = self._identities.get(file, [])
            if [each.content for each in group] == [each.content for each in before]:
                continue
            wrong = [text for each in group if (text := each.validity(now))]
            if before and wrong:
                reasons.append(f"{file}: the certificate {wrong[0]}")
                later += group
            else:
                self._identities[file] = group
                taken += group
        self._warn(stamps, reasons)
        self._use(later)
        for identity in taken:
            self._announce("from now on", identity)

    def _warn(self, stamps: dict[str, _Stamp], reasons: list[str]) -> None:
        """One warning, until the files change or something else is wrong with them."""
        warning = (stamps, "; ".join(sorted(reasons)))
        if reasons and warning != self._warned:
            self._log.warn("TLS: the certificate before stays in use: {reasons}", reasons=warning[1])
        self._warned = warning

    def _announce(self, what: str, identity: Identity) -> None:
        self._log.info(
            "TLS: {what} the certificate for {identity}, of {file}", what=what, identity=identity, file=identity.file
        )
        wrong = identity.validity(self._wallClock(), EXPIRY_WARNING)
        if wrong:
            self._log.warn("TLS: {file}: the certificate {wrong}", file=identity.file, wrong=wrong)


def _stamp(path: str) -> _Stamp:
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    # The last one tells of a copy that has the old time and size.
    return status.st_mtime_ns, status.st_size, status.st_ino, status.st_ctime_ns


def _byFile(identities: Iterable[Identity]) -> dict[str, list[Identity]]:
    groups: dict[str, list[Identity]] = {}
    for identity in identities:
        groups.setdefault(identity.file, []).append(identity)
    return groups
