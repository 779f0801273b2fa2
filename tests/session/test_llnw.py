# -*- test-case-name: tests.session.test_llnw -*-
"""
Tests for L{rtmptw.session.llnw}.
"""

from __future__ import annotations

import hashlib

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.session.llnw import response, responseQuery

#: What FFmpeg 5.1 and 9 have answered for the user camera with the password C{sesame}: application, nonce, their own
#: nonce, response.
SEEN = [
    ("live", "fb4c8d672cf2b4dad1268a68", "a9a245fb", "52a00c3e5ea83bfb97710df54ccfb6b4"),
    ("live", "dd3a2886d61f2c4c25a13543", "e6b5756f", "99e5e9128df76e085adc02af38db4103"),
    ("live/inst", "e1997ab1b4b46fb2a3d41dd7", "41705ebb", "936ee4d246fce08929708be4e91bcd6b"),
    ("live/inst", "04e2076b88037ad124c573f1", "f2f05d54", "6faca0cd636eaae25becbe2021ea6f81"),
    ("live/_definst_", "eb00686efd33248cf85983bb", "2dafd9b8", "fcad2f164012e64990fecca9682bda00"),
    ("live/", "d2775030787806040a24cb12", "0c30b6dd", "272cb677f7d24ab244129a24b525e63e"),
    ("live?k=v", "30e6c134fffa7650aeb523f8", "486e2f9a", "30d90edaa24e5aeef8253ca885fc3d0b"),
    ("live?k=a/b", "4146c748a27ffeaebbc233d9", "c86d102f", "336da3aced0929250a7c546c46b15d59"),
]


class ResponseTests(SynchronousTestCase):
    def test_seen(self) -> None:
        """What real programs have answered."""
        for app, nonce, own, proof in SEEN:
            self.assertEqual((app, response("camera", "sesame", app, nonce, own)), (app, proof))

    def test_instance(self) -> None:
        """An application without an instance has the default one; any slash counts as an instance."""
        rows = [
            ("live", "live/_definst_", True),
            ("live", "live/", False),
            ("live/", "live/_definst_", False),
            ("live?k=v", "live?k=v/_definst_", True),
            ("live?k=v", "live", False),
            ("live?k=a/b", "live?k=a/b/_definst_", False),
            ("", "/_definst_", True),
        ]
        for one, other, same in rows:
            proofs = [response("camera", "sesame", app, "nonce", "0123abcd") for app in (one, other)]
            self.assertEqual((one, other, proofs[0] == proofs[1]), (one, other, same))

    def test_digest(self) -> None:
        """RFC 2617, section 3.2.2.1, step by step."""

        def md5(text: bytes) -> bytes:
            return hashlib.md5(text).hexdigest().encode()

        secret, request = md5("ä:live:\u20ac".encode()), md5(b"publish:/live/_definst_")
        expected = md5(secret + b":n:00000001:0123abcd:auth:" + request)
        self.assertEqual(response("ä", "\u20ac", "live", "n", "0123abcd"), expected.decode())

    def test_everythingCounts(self) -> None:
        parts = ["camera", "sesame", "live", "nonce", "0123abcd"]
        proofs = {response(*parts)}
        for index in range(len(parts)):
            proofs.add(response(*parts[:index], f"x{index}", *parts[index + 1 :]))
        self.assertEqual(len(proofs), 6)

    def test_anyText(self) -> None:
        """No exception for what has no UTF-8."""
        self.assertEqual(len(response("\ud800", "\udfff", "\ud800", "\udfff", "")), 32)

    def test_query(self) -> None:
        """The order of the query is FFmpeg's."""
        for app, nonce, own, proof in SEEN:
            self.assertEqual(
                responseQuery("camera", "sesame", app, nonce, own),
                f"authmod=llnw&user=camera&nonce={nonce}&cnonce={own}&nc=00000001&response={proof}",
            )
