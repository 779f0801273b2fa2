# -*- test-case-name: tests.session.test_authentication -*-
"""
Tests for L{rtmptw.session.authentication}.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.errors import AuthenticationError, StatusError
from rtmptw.session.adobe import MAX_USER, MAX_VALUE, needAuth, needResponse, readQuery, response
from rtmptw.session.authentication import CONNECTS, MAX_DESCRIPTION, nextQuery
from tests.session.test_adobe import SEEN as ADOBE_SEEN
from tests.session.test_llnw import SEEN as LLNW_SEEN

SCHEMES = ("adobe", "llnw")

LONG = "[ AccessManager.Reject ] : [ authmod=adobe ] : ?reason="
LONG_LLNW = "[ AccessManager.Reject ] : [ authmod=llnw ] : ?reason="


def challenged(opaque: str, prefix: str = LONG, user: str = "alice") -> str:
    """Adobe's demand for a response."""
    tail = f"&opaque={opaque}" if opaque else ""
    return f"{prefix}needauth&user={user}&salt=6MnrBnKW==&challenge=7C5OrwQg={tail}"


def answer(description: str, user: str = "alice", password: str = "sesame", app: str = "live") -> str | None:
    """The answer to a server."""
    return nextQuery(description, user, password, app)


#: What a peer may send: words of the schemes, in any order, among anything else.
HOSTILE = st.lists(
    st.sampled_from(
        [
            *("authmod=adobe", "authmod=llnw", "need auth", "?", "&", "=", "%", "reason=needauth", "user="),
            *("salt=", "challenge=", "opaque=", "nonce="),
        ]
    )
    | st.text(max_size=8),
    max_size=12,
).map("".join)


class QueryTests(SynchronousTestCase):
    def test_notAsked(self) -> None:
        """Another error has nothing to do with it."""
        for description in ("", "the application has 200 characters", "[ AccessManager.Reject ] : ", "auth"):
            self.assertIsNone(answer(description))

    def test_who(self) -> None:
        """The first demand, in the long form, and in gortmplib's."""
        for scheme in SCHEMES:
            for description in (
                f"[ AccessManager.Reject ] : [ code=403 need auth; authmod={scheme} ] : ",
                f"[ code=403 need auth; authmod={scheme} ]",
                f"code=403 need auth; authmod={scheme}",
                f"authmod={scheme} code=403 need auth",
            ):
                self.assertEqual(answer(description), f"authmod={scheme}&user=alice")
        self.assertEqual(answer(needAuth(), "alice@example.org"), "authmod=adobe&user=alice@example.org")

    def test_proveAdobe(self) -> None:
        """The second, in every form: what real programs have answered."""
        forms = (
            LONG,
            "authmod=adobe ?reason=",
            "[ AccessManager.Reject ] : [ code=403 need auth; authmod=adobe ] : /live : ?reason=",
        )
        for opaque, own, proof in ADOBE_SEEN:
            tail = f"&opaque={opaque}" if opaque else ""
            for form in forms:
                for user in ("alice", ""):
                    description = challenged(opaque, form, user)
                    query = nextQuery(
                        description, "alice", "ses:ame", "live", lambda count, own=own: bytes.fromhex(own)
                    )
                    self.assertEqual(query, f"authmod=adobe&user=alice&challenge={own}&response={proof}{tail}")

    def test_proveLLNW(self) -> None:
        """The same for Limelight's: what FFmpeg has answered."""
        for app, nonce, own, proof in LLNW_SEEN:
            for form in (LONG_LLNW, "[ authmod=llnw ] : ?reason=", "authmod=llnw ?reason="):
                description = f"{form}needauth&user=camera&nonce={nonce}"
                query = nextQuery(description, "camera", "sesame", app, lambda count, own=own: bytes.fromhex(own))
                expected = f"authmod=llnw&user=camera&nonce={nonce}&cnonce={own}&nc=00000001&response={proof}"
                self.assertEqual(query, expected)

    def test_random(self) -> None:
        """Its own challenge is another one each time: four random bytes."""
        for description in (challenged(""), f"{LONG_LLNW}needauth&nonce=n"):
            queries = {answer(description) for _ in range(5)}
            self.assertEqual(len(queries), 5)
            own = "cnonce" if "llnw" in description else "challenge"
            query = nextQuery(description, "alice", "sesame", "live", lambda count: bytes(range(count)))
            self.assertIn(f"&{own}=00010203&", str(query))

    def test_refused(self) -> None:
        """What the server has against it, in words; never the password."""
        rows = [
            (f"{LONG}authfailed", ["password", "'alice'"]),
            (f"{LONG}authfailed&opaque=x", ["password", "'alice'"]),
            (f"{LONG_LLNW}authfailed", ["password", "'alice'"]),
            ("authmod=adobe ?reason=authfailed", ["password", "'alice'"]),
            (f"{LONG}nosuchuser", ["no user 'alice'"]),
            (f"{LONG_LLNW}nosuchuser", ["no user 'alice'"]),
            (f"{LONG}closed", ["not understood", "closed"]),
            ("authmod=adobe", ["not understood"]),
            ("authmod=adobe ?", ["not understood"]),
            ("authmod=llnw ?nonce=n", ["not understood"]),
            (f"authmod=adobe ?reason=\n{'x' * 9000}", ["not understood", "\\n"]),
            (
                "[ AccessManager.Reject ] : [ code=403 need auth; authmod=digest ] : ",
                ["wants authmod=digest", "authmod=adobe and authmod=llnw are"],
            ),
            ("authmod=", ["authmod="]),
            (f"authmod={'x' * 9000}", ["x" * 32]),
            (f"{LONG}needauth&user=alice&challenge=c", ["no salt"]),
            (f"{LONG}needauth&salt=&challenge=c", ["no salt"]),
            (f"{LONG}needauth&salt=s", ["no challenge"]),
            (f"{LONG}needauth&salt=s\n&challenge=c", ["salt"]),
            (f"{LONG}needauth&salt=s&challenge=c c", ["challenge"]),
            (f"{LONG}needauth&salt=s&challenge=c&opaque=\u00e9", ["opaque"]),
            (f"{LONG}needauth&salt={'s' * (MAX_VALUE + 1)}&challenge=c", ["salt"]),
            (f"{LONG_LLNW}needauth&user=alice", ["no nonce"]),
            (f"{LONG_LLNW}needauth&nonce=&salt=s&challenge=c", ["no nonce"]),
            (f"{LONG_LLNW}needauth&nonce=n n", ["the nonce"]),
            (f"{LONG_LLNW}needauth&nonce={'n' * (MAX_VALUE + 1)}", ["the nonce"]),
        ]
        self.assertTrue(issubclass(AuthenticationError, StatusError))
        for description, words in rows:
            error = self.assertRaises(AuthenticationError, answer, description)
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
            query = answer(description)
        except AuthenticationError as error:
            self.assertTrue(error.description.isprintable())
        else:
            self.assertRegex(query or "authmod=adobe&", r"^authmod=(adobe|llnw)&[!-~]*$")
            self.assertEqual(query is None, "authmod=" not in description)

    def test_enough(self) -> None:
        """The longest that is good; and what lies behind the part that is looked at does not count."""
        good = f"{LONG}needauth&salt={'s' * MAX_VALUE}&challenge={'c' * MAX_VALUE}&opaque={'o' * MAX_VALUE}"
        self.assertTrue(str(answer(good)).endswith("o" * MAX_VALUE))
        self.assertIn(f"&nonce={'n' * MAX_VALUE}&", str(answer(f"{LONG_LLNW}needauth&nonce={'n' * MAX_VALUE}")))
        self.assertIsNone(answer(" " * MAX_DESCRIPTION + needAuth()))

    def test_withoutCredentials(self) -> None:
        """The reason says how to give them."""
        for user, password in (("", ""), ("alice", ""), ("", "sesame")):
            for description in (needAuth(), challenged(""), f"{LONG_LLNW}needauth&nonce=n"):
                error = self.assertRaises(AuthenticationError, answer, description, user, password)
                self.assertIn("rtmp://user:password@host/", error.description)

    def test_badUsers(self) -> None:
        """Those that would not survive in a query."""
        for user in ("a&b", "a?b", "a b", "a\nb", "a\x7fb", "x" * (MAX_USER + 1)):
            error = self.assertRaises(AuthenticationError, answer, needAuth(), user)
            self.assertIn("a user can't have", error.description)
        self.assertTrue(answer(needAuth(), "x" * MAX_USER))

    def test_bothSides(self) -> None:
        """Our client and our server understand each other, in as many connects as are said to be enough."""
        first = answer(needAuth(), "alice", "ses:ame") or ""
        who = readQuery(first)
        assert who is not None
        self.assertEqual((who.user, who.response), ("alice", ""))
        second = answer(needResponse(who.user, "s", "c", "c"), "alice", "ses:ame") or ""
        proof = readQuery(second)
        assert proof is not None
        self.assertEqual(proof.response, response("alice", "ses:ame", "s", "c", "", proof.challenge))
        self.assertEqual(proof.opaque, "c")
        self.assertEqual(len(["", first, second]), CONNECTS)
