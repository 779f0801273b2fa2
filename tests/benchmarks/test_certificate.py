# -*- test-case-name: tests.benchmarks.test_certificate -*-
"""
Tests for L{benchmarks.certificate}.
"""

from __future__ import annotations

import ssl
import tempfile
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.certificate import writeCertificate


class CertificateTests(SynchronousTestCase):
    def test_usable(self) -> None:
        """A server can use the two together."""
        with tempfile.TemporaryDirectory() as directory:
            key, certificate = writeCertificate(Path(directory))
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
