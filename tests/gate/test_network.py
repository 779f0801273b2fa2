# -*- test-case-name: tests.gate.test_network -*-
"""
Tests for L{rtmptw.gate.network}.
"""

from __future__ import annotations

from ipaddress import ip_network

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.gate.network import Networks, addressBytes, readNetwork


class NetworkTests(SynchronousTestCase):
    def test_read(self) -> None:
        """A network, or a single address; an IPv4 one in IPv6 form is an IPv4 one."""
        for text, expected in (
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("192.0.2.7", "192.0.2.7/32"),
            ("192.0.2.0/255.255.255.0", "192.0.2.0/24"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("2001:db8::/32", "2001:db8::/32"),
            ("::1", "::1/128"),
            ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
            ("::ffff:192.0.2.7", "192.0.2.7/32"),
            ("::/0", "::/0"),
            ("64:ff9b::/96", "64:ff9b::/96"),
        ):
            self.assertEqual(str(readNetwork(text)), expected)

    def test_bad(self) -> None:
        for text, wrong in (
            ("", "'' is no network"),
            ("all", "'all' is no network"),
            ("10.0.0.0/33", "is no network"),
            ("example.org", "is no network"),
            ("10.0.0.1/8", "bits behind its prefix: the network is 10.0.0.0/8"),
            ("fe80::1%eth0", "'fe80::1%eth0' is no network"),
            ("::%\0\0", r"'::%\x00\x00' is no network"),
            ("::1%\x1b[2J/64", r"'::1%\x1b[2J/64' is no network"),
            ("\x1b[2J", r"'\x1b[2J' is no network"),
        ):
            self.assertIn(wrong, str(self.assertRaises(ValueError, readNetwork, text)))

    def test_addressBytes(self) -> None:
        for host, expected in (
            ("192.0.2.7", b"\xc0\0\2\7"),
            ("::ffff:192.0.2.7", b"\xc0\0\2\7"),
            ("::1", bytes(15) + b"\1"),
            ("fe80::1%eth0", b"\xfe\x80" + bytes(13) + b"\1"),
            ("::192.0.2.7", bytes(12) + b"\xc0\0\2\7"),
            ("", None),
            ("example.org", None),
            ("127.1", None),
            ("1.2.3.4\0", None),
            ("::\0", None),
            ("::1::", None),
            ("/run/rtmp.sock", None),
        ):
            self.assertEqual(addressBytes(host), expected, host)

    def test_contains(self) -> None:
        networks = Networks(map(readNetwork, ("127.0.0.1/32", "10.0.0.0/8", "2001:db8::/32", "::1")))
        for host, isInside in (
            ("127.0.0.1", True),
            ("127.0.0.2", False),
            ("127.0.0.0", False),
            ("10.255.255.255", True),
            ("11.0.0.0", False),
            ("9.255.255.255", False),
            ("::ffff:10.1.2.3", True),
            ("2001:db8:ffff::", True),
            ("2001:db9::", False),
            ("::1", True),
            ("::2", False),
        ):
            address = addressBytes(host)
            assert address is not None
            self.assertEqual(address in networks, isInside, host)

    def test_lengths(self) -> None:
        """All of IPv4 is nothing of IPv6, and the other way round; nobody is in no network."""
        four, six = addressBytes("192.0.2.7"), addressBytes("2001:db8::1")
        assert four is not None and six is not None
        for networks, expected in (
            (Networks([readNetwork("0.0.0.0/0")]), (True, False)),
            (Networks([readNetwork("::/0")]), (False, True)),
            (Networks(), (False, False)),
        ):
            self.assertEqual((four in networks, six in networks), expected)

    @settings(max_examples=200, deadline=None)
    @given(st.ip_addresses(), st.ip_addresses(), st.integers(0, 128))
    def test_asTheStandardLibrary(self, address: object, other: object, prefix: int) -> None:
        """It is the same as with the module C{ipaddress}."""
        text = str(other)
        network = ip_network(f"{text}/{min(prefix, 128 if ':' in text else 32)}", strict=False)
        if getattr(address, "ipv4_mapped", None) or getattr(network.network_address, "ipv4_mapped", None):
            return
        found = addressBytes(str(address))
        assert found is not None
        self.assertEqual(found in Networks([network]), address in network)
