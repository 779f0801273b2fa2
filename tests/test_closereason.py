# -*- test-case-name: tests.test_closereason -*-
"""
Tests for L{rtmptw.closereason}.
"""

from __future__ import annotations

from OpenSSL.SSL import Error as TLSError
from OpenSSL.SSL import SysCallError, ZeroReturnError
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.closereason import explain, reasonsOf, whyLost
from rtmptw.errors import CertificateError

HINT = " (what came is not TLS: does the peer speak without encryption?)"


class CloseReasonTests(SynchronousTestCase):
    def test_TLS(self) -> None:
        """OpenSSL's lists, whatever is in them."""
        for error, text in (
            (TLSError([("SSL routines", "", "wrong version number")]), f"TLS failed: wrong version number{HINT}"),
            (TLSError([("SSL routines", "", "http request")]), f"TLS failed: http request{HINT}"),
            (TLSError([("SSL routines", "", "unexpected eof")]), "TLS failed: unexpected eof"),
            (TLSError([("a", "b", "one"), ("a", "b", "two")]), "TLS failed: one, two"),
            (TLSError([()]), "TLS failed: the peer broke it off"),
            (TLSError([("a", "b", "")]), "TLS failed: the peer broke it off"),
            (TLSError([]), "TLS failed: the peer broke it off"),
            (TLSError(), "TLS failed: the peer broke it off"),
            (ZeroReturnError(), "TLS failed: the peer broke it off"),
            (TLSError(""), "TLS failed: the peer broke it off"),
            (TLSError("in words"), "TLS failed: in words"),
            (SysCallError(-1, "Unexpected EOF"), "TLS failed: Unexpected EOF"),
        ):
            self.assertEqual(explain(error), text)
            self.assertEqual(whyLost(Failure(error)), text)

    def test_meanings(self) -> None:
        """Whatever version of OpenSSL says it, and whoever has found it."""
        for reason, words in (
            ("tlsv1 alert unknown ca", "does not trust the issuer of our certificate"),
            ("ssl/tls alert bad certificate", "does not accept our certificate"),
            ("sslv3 alert certificate unknown", "does not accept our certificate"),
            ("ssl/tls alert certificate expired", "finds our certificate expired"),
            ("ssl/tls alert certificate revoked", "finds our certificate revoked"),
            ("tlsv1 alert protocol version", "no TLS as new as ours"),
            ("unsupported protocol", "no TLS as new as ours"),
            ("version too low", "no TLS as new as ours"),
            ("ssl/tls alert handshake failure", "no encryption in common"),
            ("no shared cipher", "no encryption in common"),
            ("tlsv1 unrecognized name", "has no certificate for this host"),
        ):
            text = explain(TLSError([("SSL routines", "", reason)]))
            self.assertTrue(text.startswith(f"TLS failed: {reason} (the peer "), text)
            self.assertIn(words, text)

    def test_reasons(self) -> None:
        """Without what is around them."""
        self.assertEqual(reasonsOf(TLSError([("a", "b", "one"), ("a", "b", ""), ()])), ["one"])
        self.assertEqual(reasonsOf(SysCallError(-1, "Unexpected EOF")), ["Unexpected EOF"])

    def test_certificate(self) -> None:
        """A certificate's error says all there is to say."""
        error = CertificateError("a.example is not trusted: its certificate has expired")
        self.assertEqual(explain(error), str(error))
        self.assertEqual(whyLost(Failure(error)), str(error))

    def test_done(self) -> None:
        self.assertEqual(whyLost(Failure(ConnectionDone())), "the peer closed the connection")
        self.assertEqual(whyLost(Failure(ConnectionDone("with a text"))), "the peer closed the connection")

    def test_lost(self) -> None:
        """All that was not closed has Twisted's own words, where they say anything."""
        for error in (ConnectionLost("reset by peer"), ConnectionAborted()):
            self.assertEqual(whyLost(Failure(error)), str(error))
        self.assertEqual(
            whyLost(Failure(ConnectionLost())), "the connection broke off: it was reset, or nobody answers any more"
        )
        self.assertIn("reset by peer", whyLost(Failure(ConnectionLost("reset by peer"))))
        self.assertIn("aborted", whyLost(Failure(ConnectionAborted())))

    def test_others(self) -> None:
        """The text or, without one, at least the name."""
        for error, text in (
            (ConnectionResetError("gone"), "gone"),
            (OSError(98, "Address in use"), "[Errno 98] Address in use"),
            (ValueError(), "ValueError"),
            (ValueError(""), "ValueError"),
        ):
            self.assertEqual(explain(error), text)
            self.assertEqual(whyLost(Failure(error)), text)
