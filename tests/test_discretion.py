# -*- test-case-name: tests.test_discretion -*-
"""
Tests for L{rtmptw.discretion}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.discretion import Discretion
from rtmptw.errors import CallError
from rtmptw.url import RTMPURL

FULL = "rtmp://me:pass%2Fword@there/live?auth=abc&x=/key?token=t0k&empty="


class DiscretionTests(SynchronousTestCase):
    def test_about(self) -> None:
        rows = [
            # Each secret, and each as a part of something else.
            (FULL, "live/a", "live/key is published already", "live/… is published already"),
            (FULL, "live/a", "live/key?token=t0k&empty= is taken", "live/… is taken"),
            (FULL, "live/a", "the token t0k is wrong", "the token … is wrong"),
            (FULL, "live/a", "auth=abc&x= (abc)", "… (…)"),
            (FULL, "live/a", "me:pass/word@", "…:…@"),
            (FULL, "live/a", "key, 'key', /key/ and key", "…, '…', /…/ and …"),
            # What only looks like it.
            (
                FULL,
                "live/a",
                "a keyframe, monkeys, the_key and t0ken; some",
                "a keyframe, monkeys, the_key and t0ken; some",
            ),
            (FULL, "live/a", "", ""),
            # What is known here is no secret, but its query is.
            ("rtmp://there/live/camera", "live/camera", "live/camera is published", "live/camera is published"),
            ("rtmp://there/live/camera?k=v", "live/camera", "camera?k=v: camera, v", "…: camera, …"),
            ("rtmp://there/live/camera", "live/other", "live/camera is published", "live/… is published"),
            ("rtmp://there/live/a.b", "live/x", "a.b and axb", "… and axb"),
            # Nothing to hide.
            ("rtmp://there/live", "live/a", "live, there, a", "live, there, a"),
        ]
        for url, path, text, expected in rows:
            self.assertEqual(Discretion(RTMPURL.parse(url), path).about(text), expected, (url, text))

    def test_errors(self) -> None:
        """What is no text is made one first."""
        error = CallError("publish", "key is in use", "NetStream.Publish.BadName")
        found = Discretion(RTMPURL.parse(FULL), "live/a").about(error)
        self.assertEqual(found, "publish refused: NetStream.Publish.BadName: … is in use")
