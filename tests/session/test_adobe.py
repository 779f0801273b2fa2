# -*- test-case-name: tests.session.test_adobe -*-
"""
Tests for L{rtmptw.session.adobe}.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.errors import AuthenticationError, StatusError
from rtmptw.session.adobe import (
    CONNECTS,
    MAX_DESCRIPTION,
    MAX_USER,
    MAX_VALUE,
    AuthenticationQuery,
    authFailed,
    needAuth,
    needResponse,
    nextQuery,
    readQuery,
    response,
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


def challenged(opaque: str, prefix: str = LONG, user: str = "alice") -> str:
    """A demand for a response."""
    tail = f"&opaque={opaque}" if opaque else ""
    return f"{prefix}needauth&user={user}&salt=6MnrBnKW==&challenge=7C5OrwQg={tail}"


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

    def test_anyText(self) -> None:
        """UTF-8, and no exception for what has none."""
        self.assertNotEqual(response("ä", "\u20ac", "", "", "", ""), response("a", "\u20ac", "", "", "", ""))
        self.assertEqual(len(response("\ud800", "\udfff", "\ud800", "", "", "")), 24)


class ClientTests(SynchronousTestCase):
    def test_notAsked(self) -> None:
        """Another error has nothing to do with it."""
        for description in ("", "the application has 200 characters", "[ AccessManager.Reject ] : ", "auth"):
            self.assertIsNone(nextQuery(description, "alice", "sesame"))

    def test_who(self) -> None:
        """The first demand, in the long form and in gortmplib's."""
        for description in (
            "[ AccessManager.Reject ] : [ code=403 need auth; authmod=adobe ] : ",
            "code=403 need auth; authmod=adobe",
            "authmod=adobe code=403 need auth",
        ):
            self.assertEqual(nextQuery(description, "alice", "sesame"), "authmod=adobe&user=alice")
        self.assertEqual(nextQuery(needAuth(), "alice@example.org", "x"), "authmod=adobe&user=alice@example.org")

    def test_prove(self) -> None:
        """The second, in every form: what real programs have answered."""
        forms = (
            LONG,
            "authmod=adobe ?reason=",
            "[ AccessManager.Reject ] : [ code=403 need auth; authmod=adobe ] : /live : ?reason=",
        )
        for opaque, own, proof in SEEN:
            tail = f"&opaque={opaque}" if opaque else ""
            for form in forms:
                for user in ("alice", ""):
                    query = nextQuery(
                        challenged(opaque, form, user), "alice", "ses:ame", lambda count, own=own: bytes.fromhex(own)
                    )
                    self.assertEqual(query, f"authmod=adobe&user=alice&challenge={own}&response={proof}{tail}")

    def test_random(self) -> None:
        """Its own challenge is another one each time: four random bytes."""
        queries = {nextQuery(challenged(""), "alice", "sesame") for _ in range(5)}
        self.assertEqual(len(queries), 5)
        asked: list[int] = []
        nextQuery(challenged(""), "alice", "sesame", lambda count: (asked.append(count), bytes(count))[1])
        self.assertEqual(asked, [4])

    def test_refused(self) -> None:
        """What the server has against it, in words; never the password."""
        rows = [
            (f"{LONG}authfailed", ["password", "'alice'"]),
            (f"{LONG}authfailed&opaque=x", ["password", "'alice'"]),
            ("authmod=adobe ?reason=authfailed", ["password", "'alice'"]),
            (f"{LONG}nosuchuser", ["no user 'alice'"]),
            (f"{LONG}closed", ["not understood", "closed"]),
            ("authmod=adobe", ["not understood"]),
            ("authmod=adobe ?", ["not understood"]),
            (f"authmod=adobe ?reason=\n{'x' * 9000}", ["not understood", "\\n"]),
            ("[ AccessManager.Reject ] : [ code=403 need auth; authmod=llnw ] : ", ["authmod=llnw"]),
            ("authmod=", ["authmod="]),
            (f"authmod={'x' * 9000}", ["x" * 32]),
            (f"{LONG}needauth&user=alice&challenge=c", ["no salt"]),
            (f"{LONG}needauth&salt=&challenge=c", ["no salt"]),
            (f"{LONG}needauth&salt=s", ["no challenge"]),
            (f"{LONG}needauth&salt=s\n&challenge=c", ["salt"]),
            (f"{LONG}needauth&salt=s&challenge=c c", ["challenge"]),
            (f"{LONG}needauth&salt=s&challenge=c&opaque=\u00e9", ["opaque"]),
            (f"{LONG}needauth&salt={'s' * (MAX_VALUE + 1)}&challenge=c", ["salt"]),
        ]
        self.assertTrue(issubclass(AuthenticationError, StatusError))
        for description, words in rows:
            error = self.assertRaises(AuthenticationError, nextQuery, description, "alice", "sesame")
            for word in words:
                self.assertIn(word, str(error))
            self.assertNotIn("sesame", str(error))
            self.assertLess(len(str(error)), 600)
            self.assertTrue(str(error).isprintable(), error)

    @settings(max_examples=300, deadline=None)
    @given(HOSTILE)
    def test_hostile(self, description: str) -> None:
        """Whatever is asked: an answer that can stand in a URL, or our own error."""
        try:
            query = nextQuery(description, "alice", "sesame")
        except AuthenticationError as error:
            self.assertTrue(error.description.isprintable())
        else:
            self.assertRegex(query or "authmod=adobe&", r"^authmod=adobe&[!-~]*$")
            self.assertEqual(query is None, "authmod=" not in description)

    def test_enough(self) -> None:
        """The longest that is good; and what lies behind the part that is looked at does not count."""
        good = f"{LONG}needauth&salt={'s' * MAX_VALUE}&challenge={'c' * MAX_VALUE}&opaque={'o' * MAX_VALUE}"
        self.assertTrue(str(nextQuery(good, "alice", "sesame")).endswith("o" * MAX_VALUE))
        self.assertIsNone(nextQuery(" " * MAX_DESCRIPTION + needAuth(), "alice", "sesame"))

    def test_withoutCredentials(self) -> None:
        """The reason says how to give them."""
        for user, password in (("", ""), ("alice", ""), ("", "sesame")):
            for description in (needAuth(), challenged("")):
                error = self.assertRaises(AuthenticationError, nextQuery, description, user, password)
                self.assertIn("rtmp://user:password@host/", error.description)

    def test_badUsers(self) -> None:
        """Those that would not survive in a query."""
        for user in ("a&b", "a?b", "a b", "a\nb", "a\x7fb", "x" * (MAX_USER + 1)):
            error = self.assertRaises(AuthenticationError, nextQuery, needAuth(), user, "sesame")
            self.assertIn("a user can't have", error.description)
        self.assertTrue(nextQuery(needAuth(), "x" * MAX_USER, "sesame"))


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

    def test_bothSides(self) -> None:
        """They understand each other, in as many connects as are said to be enough."""
        first = nextQuery(needAuth(), "alice", "ses:ame") or ""
        who = readQuery(first)
        assert who is not None
        self.assertEqual((who.user, who.response), ("alice", ""))
        second = nextQuery(needResponse(who.user, "s", "c", "c"), "alice", "ses:ame") or ""
        proof = readQuery(second)
        assert proof is not None
        self.assertEqual(proof.response, response("alice", "ses:ame", "s", "c", "", proof.challenge))
        self.assertEqual(proof.opaque, "c")
        self.assertEqual(len(["", first, second]), CONNECTS)
