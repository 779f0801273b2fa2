# -*- test-case-name: tests.session.test_adobe -*-
"""
Tests for L{rtmptw.session.adobe}.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.errors import StatusError
from rtmptw.session.adobe import (
    MAX_USER,
    MAX_VALUE,
    AuthenticationQuery,
    authFailed,
    needAuth,
    needResponse,
    readQuery,
    response,
    responseQuery,
)

LONG = "[ AccessManager.Reject ] : [ authmod=adobe ] : ?reason="

#: What FFmpeg 5.1 and rtmp2sink (GStreamer 1.22) have answered to the salt C{6MnrBnKW==} and the challenge
#: C{7C5OrwQg=}, for the user alice with the password C{ses:ame}: opaque, their own challenge, response.
SEEN = [
    ("vbi2V+/==", "b8fa68ec", "ZuWo90qgDmHYmKepgJ8t8Q=="),
    ("", "3209b6a8", "nCO/q0YssdGuqtmsNop81Q=="),
    ("vbi2V+/==", "cc42911b", "FF0BJMSu7v6EH+c1xAHrSQ=="),
    ("", "271c365f", "nL+RUGkkJjEN8MX+lqNWQw=="),
]


#: What a peer may send: words of the scheme, in any order, among anything else.
HOSTILE = st.lists(
    st.sampled_from(
        ["authmod=adobe", "need auth", "?", "&", "=", "%", "reason=needauth", "user=", "salt=", "challenge=", "opaque="]
    )
    | st.text(max_size=8),
    max_size=12,
).map("".join)


class ResponseTests(SynchronousTestCase):
    def test_seen(self) -> None:
        """What real programs have answered; without an opaque the challenge counts, with one it does not."""
        for opaque, own, proof in SEEN:
            self.assertEqual(response("alice", "ses:ame", "6MnrBnKW==", "7C5OrwQg=", opaque, own), proof)
            other = response("alice", "ses:ame", "6MnrBnKW==", "other", opaque, own)
            self.assertEqual(other == proof, bool(opaque))

    def test_everythingCounts(self) -> None:
        parts = ["alice", "ses:ame", "6MnrBnKW==", "7C5OrwQg=", "", "3209b6a8"]
        proofs = {response(*parts)}
        for index in (0, 1, 2, 3, 4, 5):
            proofs.add(response(*parts[:index], f"x{index}", *parts[index + 1 :]))
        self.assertEqual(len(proofs), 7)

    def test_query(self) -> None:
        """The opaque is in it if there is one."""
        for opaque, own, proof in SEEN:
            tail = f"&opaque={opaque}" if opaque else ""
            self.assertEqual(
                responseQuery("alice", "ses:ame", "6MnrBnKW==", "7C5OrwQg=", opaque, own),
                f"authmod=adobe&user=alice&challenge={own}&response={proof}{tail}",
            )

    def test_anyText(self) -> None:
        """UTF-8, and no exception for what has none."""
        self.assertNotEqual(response("ä", "\u20ac", "", "", "", ""), response("a", "\u20ac", "", "", "", ""))
        self.assertEqual(len(response("\ud800", "\udfff", "\ud800", "", "", "")), 24)


class ServerTests(SynchronousTestCase):
    def test_conformance89_descriptions(self) -> None:
        """The long form, which rtmp2 needs, in less than the 256 bytes that FFmpeg keeps."""
        self.assertEqual(needAuth(), "[ AccessManager.Reject ] : [ code=403 need auth; authmod=adobe ] : ")
        self.assertEqual(needResponse("U", "S", "C", "O"), f"{LONG}needauth&user=U&salt=S&challenge=C&opaque=O")
        self.assertEqual(authFailed(), f"{LONG}authfailed")
        self.assertEqual(authFailed("nosuchuser"), f"{LONG}nosuchuser")
        self.assertLess(len(needResponse("u" * MAX_USER, "s" * 16, "c" * 32, "o" * 32)), 256)

    def test_read(self) -> None:
        """Base64 survives, what is encoded is decoded, the first of a name counts; and FFmpeg may say ? twice."""
        rows = [
            ("", None),
            ("token=authmod", None),
            ("user=alice&response=x", None),
            ("authmod=adobe", AuthenticationQuery("adobe")),
            ("authmod", AuthenticationQuery("")),
            ("authmod=llnw&user=alice", AuthenticationQuery("llnw", "alice")),
            ("authmod=adobe&user=alice", AuthenticationQuery("adobe", "alice")),
            ("authmod=adobe&user=al%40b", AuthenticationQuery("adobe", "al@b")),
            ("authmod=adobe&user=al@b+c", AuthenticationQuery("adobe", "al@b+c")),
            ("token=x&authmod=adobe&user=alice", AuthenticationQuery("adobe", "alice")),
            ("token=x?authmod=adobe&user=alice", AuthenticationQuery("adobe", "alice")),
            ("authmod=adobe&user=alice&user=bob&authmod=llnw", AuthenticationQuery("adobe", "alice")),
            (
                "authmod=adobe&user=alice&challenge=b8fa68ec&response=a+/b==&opaque=vbi2V+/==",
                AuthenticationQuery("adobe", "alice", "b8fa68ec", "a+/b==", "vbi2V+/=="),
            ),
            (
                "authmod=adobe&user=alice&challenge=b8fa68ec&response=a%2B%2Fb%3D%3D",
                AuthenticationQuery("adobe", "alice", "b8fa68ec", "a+/b=="),
            ),
        ]
        for query, expected in rows:
            self.assertEqual((query, readQuery(query)), (query, expected))

    def test_bounds(self) -> None:
        """Values have a length, and nothing invisible, encoded or not."""
        for name, most in (
            ("user", MAX_USER),
            ("challenge", MAX_VALUE),
            ("response", MAX_VALUE),
            ("opaque", MAX_VALUE),
        ):
            found = readQuery(f"authmod=adobe&{name}={'x' * most}")
            self.assertEqual(getattr(found, name), "x" * most)
            for value in ("x" * (most + 1), "a%0Ab", "a%00b", "a\nb", "%E2%80%AE"):
                error = self.assertRaises(StatusError, readQuery, f"authmod=adobe&{name}={value}")
                self.assertIn(f"the {name} ", error.description)

    @settings(max_examples=300, deadline=None)
    @given(HOSTILE)
    def test_hostile(self, query: str) -> None:
        """Whatever comes: short visible texts, or our own error."""
        try:
            found = readQuery(query)
        except StatusError as error:
            self.assertTrue(error.description.isprintable())
        else:
            for value in (found.user, found.challenge, found.response, found.opaque) if found else ():
                self.assertTrue(len(value) <= MAX_VALUE and "\n" not in value)
