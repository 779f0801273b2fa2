"""Tests for L{rtmptw.url}."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rtmptw.errors import RTMPError, URLError
from rtmptw.session.streampath import streamPath
from rtmptw.url import DEFAULT_PORTS, RTMPURL

#: Path, application, name: as FFmpeg 5.1 and 9 were seen to send them for these very paths.
AS_FFMPEG = [
    ("/live/test", "live", "test"),
    ("/live/test?token=x", "live", "test?token=x"),
    ("/live/inst/test", "live/inst", "test"),
    ("/live/a/b/test", "live/a", "b/test"),
    ("/live?k=v/test", "live?k=v", "test"),
    ("/live?k=v/inst/test", "live?k=v/inst", "test"),
    ("/live?k=v", "live?k=v", ""),
    ("/test", "test", ""),
    ("/live/a/test?u=a/b", "live/a", "test?u=a/b"),
    ("/live/my%20name", "live", "my%20name"),
    ("/live/mp4:x", "live", "mp4:x"),
    ("/live/mp4:x/y", "live", "mp4:x/y"),
    ("/live/a/mp4:x/y", "live/a", "mp4:x/y"),
    ("/live/a:b/c?d:e/f", "live", "a:b/c?d:e/f"),
    ("/live/x?u=a:b/c", "live", "x?u=a:b/c"),
    ("/app/instance/", "app/instance", ""),
    ("/app/", "app", ""),
    ("/live/?k=v", "live", "?k=v"),
    ("/live/test/?k=v", "live/test", "?k=v"),
    ("/live/te#st", "live", "te#st"),
    ("//live/test", "/live", "test"),
    ("/live//test", "live/", "test"),
    ("/ondemand/a/b", "ondemand", "a/b"),
    ("/ondemand/mp4:a/b", "ondemand", "mp4:a/b"),
    ("/", "", ""),
    ("", "", ""),
]

#: The same where FFmpeg does otherwise.
OTHERWISE = [
    # It cuts inside of the query.
    ("/live/test?u=a/b", "live", "test?u=a/b"),
    ("/live/test?u=a/b/c/", "live", "test?u=a/b/c/"),
    ("/live/test?k=v#f/g", "live", "test?k=v#f/g"),
    # It takes "c/" for the name.
    ("/a/b/c/", "a/b/c", ""),
    ("/live/mp4:x/", "live/mp4:x", ""),
    # It forgets the question mark.
    ("?k=v", "?k=v", ""),
    ("?k=v/test", "?k=v", "test"),
    # It changes the endings.
    ("/x/y.flv", "x", "y.flv"),
    ("/x/y.mp4", "x", "y.mp4"),
]

#: Where the host is, and what is found there.
PLACES = [
    ("rtmp://example.com", ("rtmp", "example.com", 1935)),
    ("rtmps://example.com", ("rtmps", "example.com", 443)),
    ("RTMP://Example.com:1936", ("rtmp", "Example.com", 1936)),
    ("rtmp://127.0.0.1:1", ("rtmp", "127.0.0.1", 1)),
    ("rtmp://my_host-2.local.:65535", ("rtmp", "my_host-2.local.", 65535)),
    ("rtmp://bücher.example:01935", ("rtmp", "bücher.example", 1935)),
    ("rtmp://[::1]:1936", ("rtmp", "::1", 1936)),
    ("rtmps://[2001:db8::7]", ("rtmps", "2001:db8::7", 443)),
    ("rtmp://[fe80::1%eth0]:1935", ("rtmp", "fe80::1%eth0", 1935)),
]

#: What is wrong, and words that say so.
WRONG = [
    ("", "no scheme"),
    ("camera", "no scheme"),
    ("example.com/live/x", "no scheme"),
    ("rtmp:/example.com/live/x", "no scheme"),
    ("://example.com/live/x", "no scheme"),
    ("http://example.com/live/x", "the scheme http:// is unknown"),
    ("rtmpe://example.com/live/x", "(rtmpe) is not supported: rtmps is"),
    ("RTMPTE://example.com/live/x", "(rtmpte) is not supported: rtmps is"),
    ("rtmpt://example.com/live/x", "RTMP over HTTP (rtmpt) is not supported"),
    ("rtmpts://example.com/live/x", "(rtmpts) is not supported: rtmps is"),
    ("rtmfp://example.com/live/x", "RTMFP is not supported"),
    ("rtmp://", "there is no host"),
    ("rtmp:///live/x", "there is no host"),
    ("rtmp://:1935/live/x", "there is no host"),
    ("rtmp://me:pw@/live/x", "there is no host"),
    ("rtmp://ho<st/live/x", "the host ho<st has a character"),
    ("rtmp://host#x/live/x", "the host host#x has a character"),
    ("rtmp://::1/live/x", "an IPv6 address must be in brackets"),
    ("rtmp://[::1/live/x", "the ] behind the IPv6 address is missing"),
    ("rtmp://[127.0.0.1]/live/x", "in brackets is not an IPv6 address"),
    ("rtmp://[]/live/x", "in brackets is not an IPv6 address"),
    ("rtmp://[::1]1935/live/x", "behind the brackets"),
    ("rtmp://host:/live/x", "the port is not a number from 1 to 65535"),
    ("rtmp://host:0/live/x", "the port 0 is not a number from 1 to 65535"),
    ("rtmp://host:65536/live/x", "the port 65536 is not"),
    ("rtmp://host:-1/live/x", "the port -1 is not"),
    ("rtmp://host:١٢/live/x", "the port ١٢ is not"),
    ("rtmp://[::1]:x/live/x", "the port x is not"),
    ("rtmp://host/live/my name", "a space in it (character 20): write %20"),
    (" rtmp://host/live/x", "a space in it (character 1)"),
    ("rtmp://host/live/x\n", "a control or invisible character in it (character 19)"),
    ("rtmp://host/live/x\0y", "a control or invisible character"),
    ("rtmp://host/live/\u202ex", "a control or invisible character"),
    ("rtmp://host/live/\udcff", "a control or invisible character"),
]

#: A password that is not encoded as it should be, wherever that leads.
SPILLED = [
    "rtmp://me:SECRET@host:port/live/x",
    "rtmp://me:SECRET@ho st/live/x",
    "rtmp://me:SECRET@ho<st/live/x",
    "rtmp://me:SECRET/9@host/live/x",
    "rtmp://me:SECRET?9@host/live/x",
    "rtmp://SECRET<9/x:y@host/live/x",
    "rtmp://me:%ffSECRET@host/live/x",
    "rtmp://%ffSECRET@host/live/x",
    "rtmp://me:SECRET@[::z]/live/x",
    "rtmp://me:SECRET@/live/x",
    "rtmp://me:SECRET:9/live@host",
    "me:SECRET@host/live/x",
    "http://me:SECRET@host/live/x",
]

#: Path, given application, the name that is left.
APPLICATIONS = [
    ("/live/a/b/c", "live/a/b", "c"),
    ("/live/a/b/c", "live", "a/b/c"),
    ("/live/a/b/c", "live/a/b/c", ""),
    ("/live/a/b/c", "liv", "c"),
    ("/live/a/b/c", "other", "c"),
    ("/live/c?k=a/b", "other", "c?k=a/b"),
    ("/live?k=v/c", "live", "c"),
    ("/live?k=v/c", "live?k=v", "c"),
    ("/c", "live", "c"),
    ("/c?k=v", "live", "c?k=v"),
    ("/a/b/", "live", ""),
    ("/a/b/", "a", "b/"),
    ("", "live", ""),
]


class SplitTests(SynchronousTestCase):
    """Application and name."""

    def test_92_paths(self) -> None:
        """Conformance 92: URLs are split as FFmpeg splits them, where that makes sense; %xx and queries are kept."""
        for path, app, name in [*AS_FFMPEG, *OTHERWISE]:
            for place in ("rtmp://host", "rtmps://me:pw@[::1]:1936"):
                url = RTMPURL.parse(place + path)
                self.assertEqual((url.app, url.name), (app, name), path)

    def test_92_application(self) -> None:
        """Conformance 92: an application that is given is the application, and the name is what is left."""
        for path, app, name in APPLICATIONS:
            url = RTMPURL.parse(f"rtmp://host{path}", app=app)
            self.assertEqual((url.app, url.name), (app, name), (path, app))

    def test_92_name(self) -> None:
        """Conformance 92: a name that is given is the name; the application is the same as without, or as given."""
        for path, app, _ in [*AS_FFMPEG, *OTHERWISE]:
            url = RTMPURL.parse(f"rtmp://host{path}", name="a key/of:mine?x=y/z")
            self.assertEqual((url.app, url.name), (app, "a key/of:mine?x=y/z"), path)
        url = RTMPURL.parse("rtmp://host/a/b/c", app="", name="")
        self.assertEqual((url.app, url.name), ("", ""))

    def test_given(self) -> None:
        """What is given beside the URL may have spaces, but nothing that can't be seen."""
        self.assertEqual(RTMPURL.parse("rtmp://host", app="my app", name="my name").tcUrl, "rtmp://host/my app")
        for what, app, name in (("the application", "a\nb", "x"), ("the name", "a", "x\u200b")):
            error = self.assertRaises(URLError, RTMPURL.parse, "rtmp://host", app, name)
            self.assertIn(f"{what} has a control or invisible character", str(error))

    @given(st.text("ab/?:=&#%.", max_size=12))
    @example("live/a/test?u=a/b")
    def test_sameStream(self, path: str) -> None:
        """However a path is split, the server joins it to the same identity, and loses nothing of it."""
        url = RTMPURL.parse(f"rtmp://host/{path}")
        joined = url.app + ("/" if path.startswith(f"{url.app}/") else "") + url.name
        self.assertIn(path, (joined, f"{joined}/"))
        parts = {part for part in path.split("/") if part}
        if parts and parts.isdisjoint({".", ".."}) and "?" not in path:
            # The whole path in the application is how others send it (wire facts 8).
            self.assertEqual(streamPath(url.app, url.name), streamPath(path, ""))


class PlaceTests(SynchronousTestCase):
    """Scheme, host, port, credentials."""

    def test_places(self) -> None:
        """The port has a default; schemes may be in capitals; IPv6 addresses stand in brackets."""
        for place, expected in PLACES:
            for path in ("", "/", "/live/x", "/live/x?at=a@b:c"):
                url = RTMPURL.parse(place + path)
                self.assertEqual((url.scheme, url.host, url.port), expected, place)
                self.assertEqual((url.user, url.password), ("", ""))
                self.assertEqual(url.secure, expected[0] == "rtmps")

    def test_credentials(self) -> None:
        """User and password are decoded; the last C{@} before the path ends them."""
        for text, user, password in (
            ("me:pw", "me", "pw"),
            ("me", "me", ""),
            ("me:", "me", ""),
            (":pw", "", "pw"),
            ("", "", ""),
            ("m%40e:p%3Aw%2F%C3%A9", "m@e", "p:w/é"),
            ("me:a:b@c#d", "me", "a:b@c#d"),
        ):
            url = RTMPURL.parse(f"rtmp://{text}@[::1]:1936/live/x")
            self.assertEqual((url.user, url.password), (user, password))
            self.assertEqual((url.host, url.port, url.app, url.name), ("::1", 1936, "live", "x"))

    def test_92_tcUrl(self) -> None:
        """Conformance 92: tcUrl has the application, the port if it is not the usual one, and never credentials."""
        for text, expected in (
            ("rtmp://me:pw@host/live/x", "rtmp://host/live"),
            ("rtmp://host:1935/live/a/x", "rtmp://host/live/a"),
            ("rtmp://host:443/live?k=v/x", "rtmp://host:443/live?k=v"),
            ("rtmps://host:443/live/x", "rtmps://host/live"),
            ("rtmps://host:1935/live/x", "rtmps://host:1935/live"),
            ("rtmp://me@[::1]/live/x", "rtmp://[::1]/live"),
            ("rtmp://[::1]:1936", "rtmp://[::1]:1936/"),
        ):
            self.assertEqual(RTMPURL.parse(text).tcUrl, expected)

    def test_wrong(self) -> None:
        """What is wrong is said."""
        for text, words in WRONG:
            error = self.assertRaises(URLError, RTMPURL.parse, text)
            self.assertIn(words, str(error), text)
            self.assertIsInstance(error, RTMPError)
            self.assertIsInstance(error, ValueError)

    def test_noSecrets(self) -> None:
        """No error shows what may be a password, nor does the error that is behind it."""
        for text in SPILLED:
            error = self.assertRaises(URLError, RTMPURL.parse, text)
            self.assertNotIn("SECRET", str(error), text)
            self.assertTrue(error.__suppress_context__ or error.__context__ is None, text)
        self.assertIn("must be percent-encoded", str(self.assertRaises(URLError, RTMPURL.parse, SPILLED[3])))

    @given(
        st.text(max_size=30), st.text(max_size=8), st.sampled_from(["", "rtmp://", "rtmps://me:pw@", "rtmp://[::1]"])
    )
    def test_anything(self, text: str, given: str, start: str) -> None:
        """Whatever the text, there is a URL or a L{URLError}."""
        try:
            url = RTMPURL.parse(start + text, given)
        except URLError:
            return
        self.assertTrue(url.host)
        self.assertIn(url.scheme, DEFAULT_PORTS)
        self.assertTrue(1 <= url.port <= 65535)


class TextTests(SynchronousTestCase):
    """For people, and for authentication."""

    def test_text(self) -> None:
        """Neither user nor password nor the values of a query are shown; what is shown is a URL."""
        for text, expected in (
            ("rtmp://me:pw@host:1935/live/x", "rtmp://host/live/x"),
            ("rtmps://me:pw@host:1935/live/a/b/x", "rtmps://host:1935/live/a/b/x"),
            ("rtmp://host/live/x?key=secret/1", "rtmp://host/live/x?…"),
            ("rtmp://host/live?key=secret/x", "rtmp://host/live?…/x"),
            ("rtmp://host/live", "rtmp://host/live"),
            ("rtmp://[::1]", "rtmp://[::1]/"),
        ):
            url = RTMPURL.parse(text)
            self.assertEqual(str(url), expected)
            self.assertEqual(repr(url), f"<RTMPURL {expected}>")
            self.assertEqual(f"{url}", expected)

    def test_withQuery(self) -> None:
        """Parameters go behind those that are there; the rest stays."""
        url = RTMPURL.parse("rtmp://me:pw@host/live/x?k=v")
        once = url.withQuery("authmod=adobe&user=me")
        twice = once.withQuery("response=secret")
        self.assertEqual(once.app, "live?authmod=adobe&user=me")
        self.assertEqual(twice.tcUrl, "rtmp://host/live?authmod=adobe&user=me&response=secret")
        self.assertEqual((twice.name, twice.user, twice.password), ("x?k=v", "me", "pw"))
        self.assertEqual(str(twice), "rtmp://host/live?…/x?…")
        self.assertEqual(url.app, "live")

    def test_withName(self) -> None:
        """Another name, and the rest as it was."""
        url = RTMPURL.parse("rtmps://me:pw@host:1/app/instance/")
        self.assertEqual(url.withName("x"), RTMPURL("rtmps", "host", 1, "app/instance", "x", "me", "pw"))
        self.assertEqual(url.name, "")
