"""
RTMPS: the same, encrypted.
"""

from __future__ import annotations

import datetime
import ipaddress
from pathlib import Path
from unittest import TestCase

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.interop.compare import assertSameMedia, mediaOf, readWholeFLV
from tests.interop.processes import Process
from tests.interop.programs import ffmpeg9
from tests.interop.publishers import ffmpegPublish
from tests.interop.server import Server
from tests.interop.sources import longSource, remux


class _TLSServer(Server):
    """C{twistd rtmp} behind a certificate that it has signed itself."""

    def __init__(self) -> None:
        super().__init__(endpoint="ssl:0:interface=127.0.0.1:privateKey=%/key.pem:certKey=%/certificate.pem")
        self.certificate = self.directory / "certificate.pem"
        _certify(self.directory / "key.pem", self.certificate)


def _certify(keyFile: Path, certificateFile: Path) -> None:
    """Make a key and a certificate for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    keyFile.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    certificateFile.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


class RTMPSTests(TestCase):
    """FFmpeg 9 over TLS, as fast as it goes."""

    def test_publish(self) -> None:
        """FFmpeg trusts this certificate; the recording holds all that it sent."""
        program = ffmpeg9()
        sent = mediaOf(readWholeFLV(remux(program, longSource())))
        with _TLSServer() as server:
            url = server.url("live/encrypted", "rtmps")
            command = ffmpegPublish(program, longSource(), url, realTime=False)
            # An option of the output: it goes before the URL.
            command[-1:] = ["-ca_file", str(server.certificate), url]
            with Process(command, server.directory / "ffmpeg.log") as process:
                process.succeed()
            recorded = mediaOf(readWholeFLV(server.recording("live/encrypted")))
        assertSameMedia(self, recorded, sent)
