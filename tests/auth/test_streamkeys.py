# -*- test-case-name: tests.auth.test_streamkeys -*-
"""
Tests for L{rtmptw.auth.streamkeys}.
"""

from __future__ import annotations

from dataclasses import replace

from rtmptw.auth.authoriser import Authoriser
from rtmptw.auth.keyfile import MIN_KEY, KeyFile, keyLine, readKeys
from rtmptw.auth.rule import markOf
from rtmptw.auth.streamkeys import KeyIsNoName, StreamKeys
from tests.auth.rulecase import HERE, RuleCase, request
from tests.session.dialects import Stage, audio, command

KEY, OTHER = "correct-horse-battery", "another.one~of_those-keys"


class StreamKeysTests(RuleCase):
    def setUp(self) -> None:
        super().setUp()
        self.file = KeyFile(self.write(f"{keyLine('live/camera', KEY)}\n{keyLine('a/b/c', OTHER)}"))
        self.rule = StreamKeys(self.file)

    def test_right(self) -> None:
        """Behind the name, or in its place: the stream is that of the file."""
        for asked, path in (
            (request("live/camera", f"key={KEY}"), "live/camera"),
            (request("live/camera", f"a=b&key={KEY}&key=x"), "live/camera"),
            (request(f"live/{KEY}"), "live/camera"),
            (request(f"live/{KEY}", "a=b"), "live/camera"),
            (request(f"a/b/{OTHER}"), "a/b/c"),
            (request("a/b/c", f"key={OTHER}"), "a/b/c"),
        ):
            self.assertEqual(self.allowed(self.rule, asked), path)
            action = "play"
            self.assertEqual(self.allowed(self.rule, asked, action), path)

    def test_principal(self) -> None:
        """Two keys of one stream are two principals, however they are said; and one is the same each time."""
        third = "one-more-key-for-live-camera"
        self.write(f"{self.path.read_text()}\n{keyLine('live/camera', third)}")
        found: dict[str, set[str]] = {}
        for key in (KEY, third):
            for asked in (request(f"live/{key}"), request("live/camera", f"key={key}"), request(f"live/{key}")):
                found.setdefault(key, set()).add(self.successResultOf(self.ask(self.rule, asked)).principal)
        labels = [key.label for key in readKeys(str(self.path))]
        self.assertEqual(found, {KEY: {f"key {labels[0]}"}, third: {f"key {labels[2]}"}})
        self.assertTrue(labels[0].startswith(readKeys(str(self.path))[0].mark.rstrip(".")))
        [principal] = {self.successResultOf(self.ask(self.rule, request("a/b/c", f"key={OTHER}"))).principal}
        self.assertRegex(principal, "^key [0-9a-f]{16}$")

    def test_removed(self) -> None:
        """Who publishes already goes on when his key is removed; but he can't come back."""
        stage = Stage(self)
        stage.application.answers["publish"] = Authoriser(stage.clock, publish=[self.rule]).publishRequested
        client = stage.publisher(KEY)
        client.send(audio(0))
        self.write(keyLine("a/b/c", OTHER))
        again = stage.connected()
        again.send(command("createStream", 2), command("publish", 3, None, KEY, "live", id=1))
        stage.pass_(4)
        self.assertEqual(again.told()[-1], "onStatus@1 NetStream.Publish.Denied")
        client.send(audio(40))
        stage.pass_(1)
        self.assertFalse(client.closing)
        [published] = stage.published
        self.assertEqual((published.path, len(published.media()), published.ends), ("live/camera", 2, []))

    def test_log(self) -> None:
        """Which line of the file it was, and not the key."""
        self.allowed(self.rule, request(f"live/{KEY}"))
        [line] = self.lines()
        mark = readKeys(str(self.path))[0].mark
        self.assertEqual(line, f"{HERE}: publish live/camera: right key, {mark}")
        self.assertIn(mark.rstrip("."), self.path.read_text())

    def test_wrong(self) -> None:
        """All get the same answer, an unknown stream and a known one; the log knows what was tried, but not how."""
        answers = set()
        for asked, key in (
            (request("live/camera"), "camera"),
            (request("live/camera", "key="), ""),
            (request("live/camera", f"key={OTHER}"), OTHER),
            (request("live/camera", f"key={KEY}x"), f"{KEY}x"),
            (request("live/unknown", f"key={KEY}"), KEY),
            (request("live/unknown", "key=sesame"), "sesame"),
            (request(f"other/{KEY}"), KEY),
            (request(KEY), KEY),
            (request(f"live/x/{KEY}"), KEY),
            (request(f"live/{KEY}", "key=x"), "x"),
            (request(f"live/{KEY}", f"key={KEY}"), KEY),
        ):
            error = self.wrong(self.rule, asked)
            answers.add(str(error))
            self.assertEqual(error.remark, f"no such stream key, {markOf(key)}")
        self.assertEqual(len(answers), 1)
        self.assertEqual(self.lines(), [])


class KeyIsNoNameTests(RuleCase):
    def test_play(self) -> None:
        """What plays by the key for publishing gets another name, wherever it stands; others are not held up."""
        file = self.write(keyLine("live/camera", KEY))
        rule, mark = KeyIsNoName(KeyFile(file)), readKeys(file)[0].mark
        public = f"key-{mark[:8]}"
        for path, other in (
            (f"live/{KEY}", f"live/{public}"),
            (KEY, public),
            (f"live/{KEY}/x", f"live/{public}/x"),
            (f"{KEY}/x", f"{public}/x"),
            (f"live/ {KEY}%20", f"live/ {public}%20"),
            (f"live/{KEY}&a=b", f"live/{public}&a=b"),
        ):
            asked = request(path)
            self.assertEqual(self.successResultOf(self.ask(rule, asked, "play")), replace(asked, path=other))
            words = (
                f"{HERE}: wants to play by the key for publishing, {mark}, and waits in vain; the stream is live/camera"
            )
            self.assertEqual(self.lines(), [words])
        for path in ("live/camera", f"live/{KEY}x", f"live/{OTHER}"):
            self.assertEqual(self.allowed(rule, request(path), "play"), path)
        self.assertEqual(self.lines(), [])

    def test_D13_manyParts(self) -> None:
        """A path is looked through at a price: it may have a few parts that are as long as a key, and no more."""
        rule = KeyIsNoName(KeyFile(self.write(keyLine("live/camera", KEY))))
        for count in (3, 4):
            path = "/".join(["x" * MIN_KEY] * count)
            self.assertEqual(self.allowed(rule, request(path), "play"), path)
        path = "/".join(["x" * MIN_KEY] * 5)
        self.assertIn("more than 4 parts of 16 characters", self.refused(rule, request(path), "play"))
        path = "/".join(["x" * (MIN_KEY - 1)] * 20)
        self.assertEqual(self.allowed(rule, request(path), "play"), path)
