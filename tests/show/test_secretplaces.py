# -*- test-case-name: tests.show.test_secretplaces -*-
"""
Tests for L{rtmptw.show.secretplaces}: which text is what, by where it stands.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.show.secretplaces import HARMLESS, Role, changed
from rtmptw.trace.segment import Side
from rtmptw.wire.amf import UNDEFINED, AMFValue, Date, Dictionary, ECMAArray, TypedObject, Vector, XMLDocument


class RoleTests(SynchronousTestCase):
    def roles(self, *values: AMFValue, side: Side = Side.CLIENT, isCommand: bool = True) -> dict[str, Role]:
        """What each text is."""
        found: dict[str, Role] = {}

        def change(text: str, role: Role) -> str:
            found[text] = role
            return text

        self.assertEqual(changed(values, side, isCommand, change), values)
        return found

    def test_publish(self) -> None:
        roles = self.roles("publish", 5.0, None, "cam", "live")
        self.assertEqual(roles, {"publish": Role.TEXT, "cam": Role.NAME, "live": Role.TYPE})

    def test_withoutNull(self) -> None:
        """Some forget the null in front of the name."""
        self.assertIs(self.roles("publish", 5.0, "cam")["cam"], Role.NAME)

    def test_names(self) -> None:
        for name in ("play", "releaseStream", "FCPublish", "FCUnpublish", "FCSubscribe", "deleteStream"):
            self.assertIs(self.roles(name, 2.0, None, "cam", -1000.0)["cam"], Role.NAME, name)

    def test_play2(self) -> None:
        """Its name lies in an object."""
        self.assertIs(self.roles("play2", 2.0, None, {"streamName": "cam"})["cam"], Role.DETAILS)

    def test_connect(self) -> None:
        roles = self.roles("connect", 1.0, {"app": "a", "tcUrl": "t", "flashVer": "f", "token": "k"}, "login", 5.0)
        expected = {"a": Role.ADDRESS, "t": Role.ADDRESS, "f": Role.OPEN, "k": Role.SECRET, "login": Role.SECRET}
        self.assertEqual({text: roles[text] for text in expected}, expected)

    def test_unknownCommand(self) -> None:
        """What a client says that nobody knows may be a login, in any form."""
        roles = self.roles("authenticate", 7.0, "me", {"any": ["thing"], "code": "x"})
        self.assertEqual((roles["me"], roles["thing"], roles["x"]), (Role.SECRET, Role.SECRET, Role.OPEN))

    def test_harmless(self) -> None:
        for name in ("createStream", "_checkbw", "_result", "onBWDone"):
            self.assertIs(self.roles(name, 2.0, None, "words")["words"], Role.TEXT, name)
            self.assertIn(name, HARMLESS)

    def test_server(self) -> None:
        roles = self.roles(
            "onStatus",
            0.0,
            None,
            {"level": "l", "code": "c", "description": "d", "details": "n", "other": {"description": "e"}},
            side=Side.SERVER,
        )
        expected = {"l": Role.OPEN, "c": Role.OPEN, "d": Role.DESCRIPTION, "n": Role.DETAILS, "e": Role.STATUS}
        self.assertEqual({text: roles[text] for text in expected}, expected)
        self.assertIs(self.roles("_error", 1.0, None, {"description": "d"}, side=Side.SERVER)["d"], Role.STATUS)

    def test_data(self) -> None:
        roles = self.roles("@setDataFrame", "onMetaData", {"encoder": "obs", "key": "k"}, isCommand=False)
        self.assertEqual((roles["onMetaData"], roles["obs"], roles["k"]), (Role.TEXT, Role.TEXT, Role.SECRET))

    def test_nothing(self) -> None:
        self.assertEqual(self.roles(), {})
        self.assertEqual(self.roles(5.0, None, "x"), {"x": Role.SECRET})


class ChangeTests(SynchronousTestCase):
    def test_everyType(self) -> None:
        """A value keeps its type, and texts are changed wherever they lie."""
        values: list[AMFValue] = [
            "_result",
            1.0,
            ECMAArray({"a": "b"}),
            TypedObject("class", {"c": "d"}),
            XMLDocument("<e/>"),
            ["f", ("g",)],
            Vector("object", ["h"], True, "type"),
            Dictionary([("i", "j")], True),
            Date(5.0),
            b"bytes",
            UNDEFINED,
            True,
        ]
        found = changed(values, Side.SERVER, True, lambda text, role: text.upper())
        self.assertEqual(
            list(found),
            [
                "_RESULT",
                1.0,
                {"A": "B"},
                {"C": "D"},
                "<E/>",
                ["F", ["G"]],
                ["H"],
                [("I", "J")],
                Date(5.0),
                b"bytes",
                UNDEFINED,
                True,
            ],
        )
        kinds = [type(value) for value in found]
        self.assertEqual(kinds[2:8], [ECMAArray, TypedObject, XMLDocument, list, Vector, Dictionary])
        typed, vector, dictionary = found[3], found[6], found[7]
        assert isinstance(typed, TypedObject) and isinstance(vector, Vector) and isinstance(dictionary, Dictionary)
        self.assertEqual((typed.className, vector.kind, vector.typeName), ("CLASS", "object", "TYPE"))
        self.assertTrue(vector.fixed and dictionary.weak)
