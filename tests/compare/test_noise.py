# -*- test-case-name: tests.compare.test_noise -*-
"""
Tests for L{rtmptw.compare.noise}: the tables.
"""

from __future__ import annotations

import re
import time

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.causes.causes import Severity
from rtmptw.compare.noise import FIELDS, ORDER, PRESENCE, SEVERITIES, Weight, judge

TABLES = {"FIELDS": FIELDS, "PRESENCE": PRESENCE, "ORDER": ORDER}

#: Lines, and what they are worth.
FIELD_LINES = {
    "client handshake C1/value time": Weight.NOISE,
    "client handshake C1/value random": Weight.NOISE,
    "server handshake S1/value version": Weight.LITTLE,
    "server handshake S2/value is": Weight.LITTLE,
    "server handshake S0/value version": Weight.MATTERS,
    "server answer connect/value fmt": Weight.NOISE,
    "server answer connect/value chunk stream": Weight.LITTLE,
    "server video keyframe/value timestamp": Weight.LITTLE,
    "server video keyframe/absent extended timestamp": Weight.LITTLE,
    "server answer connect/value chunks": Weight.LITTLE,
    "server answer connect/value type": Weight.MATTERS,
    "server answer connect/value transactionId": Weight.MATTERS,
    "server answer connect/type transactionId: number, string": Weight.MATTERS,
    "server answer connect/absent transactionId": Weight.MATTERS,
    "server answer connect/value name": Weight.MATTERS,
    "server answer connect/value [0].fmsVer": Weight.NOISE,
    "server answer connect/absent [0].fmsVer": Weight.NOISE,
    "server answer connect/value [0].capabilities": Weight.LITTLE,
    "server answer connect/type [0]: object, null": Weight.LITTLE,
    "server answer connect/absent [1].secureToken": Weight.MATTERS,
    "server answer connect/type [1]: object, ECMA array": Weight.LITTLE,
    "server answer connect/type [1]: object, null": Weight.MATTERS,
    "server answer connect/value [1].code": Weight.MATTERS,
    "server answer connect/absent [1].code": Weight.MATTERS,
    "server answer connect/value [1].description": Weight.NOISE,
    "server answer connect/absent [1].description": Weight.LITTLE,
    "server answer connect/value [1].objectEncoding": Weight.LITTLE,
    "server answer releaseStream/type [1]: null, undefined": Weight.LITTLE,
    "server answer createStream/type [0]: null, undefined": Weight.MATTERS,
    "server answer createStream/type [1]: number, string": Weight.MATTERS,
    "server answer createStream/value [1]": Weight.MATTERS,
    "server answer createStream/absent [1]": Weight.MATTERS,
    "server status NetStream.Publish.Start/type [1]: object, ECMA array": Weight.MATTERS,
    "server status NetStream.Publish.Start/type [0]: null, undefined": Weight.MATTERS,
    "server status NetStream.Publish.Start/value message stream": Weight.MATTERS,
    "server status NetStream.Publish.Start/value transactionId": Weight.LITTLE,
    "server status NetStream.Publish.Start/value [1].description": Weight.NOISE,
    "server status NetStream.Publish.Start/value [1].code": Weight.MATTERS,
    "server status NetStream.Publish.Start/absent [1].details": Weight.LITTLE,
    "server command onBWDone/absent [1]": Weight.LITTLE,
    "server control user control stream begin 1/value second value": Weight.LITTLE,
    "server control set chunk size/value value": Weight.LITTLE,
    "server control set peer bandwidth/value limit": Weight.LITTLE,
    "server control set chunk size/value message stream": Weight.LITTLE,
    "server repeated acknowledgement/value value": Weight.NOISE,
    "server data onMetaData/value [0].width": Weight.NOISE,
    "server data onMetaData/type [0]: object, ECMA array": Weight.LITTLE,
    "server data onMetaData/type [0].width: number, undefined": Weight.MATTERS,
    "server data onMetaData/type [0].width: undefined, number": Weight.MATTERS,
    "server data onMetaData/absent [0].width": Weight.LITTLE,
    "server data onMetaData/value type": Weight.MATTERS,
    "server data onMetaData/absent prefix": Weight.LITTLE,
    "server video keyframe/value payload": Weight.NOISE,
    "server video keyframe/value codec": Weight.LITTLE,
    "server video keyframe/value message stream": Weight.MATTERS,
    "client command connect/value [0].tcUrl": Weight.NOISE,
    "client command connect/value [0].flashVer": Weight.NOISE,
    "client command connect/value [0].audioCodecs": Weight.LITTLE,
    "client command publish/value [1]": Weight.NOISE,
    "client command publish/value transactionId": Weight.NOISE,
    "client command publish/value message stream": Weight.MATTERS,
    "client data onMetaData/value [0].encoder": Weight.NOISE,
    "client control set chunk size/value message stream": Weight.LITTLE,
    "server ending /value how": Weight.LITTLE,
    "server unreadable /value reason": Weight.MATTERS,
    "a line\nthat nobody has thought of": Weight.MATTERS,
}
PRESENCE_LINES = {
    "client command publish": Weight.MATTERS,
    "client command _checkbw": Weight.LITTLE,
    "client command FCUnpublish": Weight.MATTERS,
    "client command deleteStream": Weight.LITTLE,
    "client control window acknowledgement size": Weight.LITTLE,
    "client video keyframe": Weight.MATTERS,
    "client video end": Weight.LITTLE,
    "client data onMetaData": Weight.MATTERS,
    "client data onTextData": Weight.LITTLE,
    "server answer connect": Weight.STOPS,
    "server answer createStream": Weight.STOPS,
    "server answer releaseStream": Weight.LITTLE,
    "server answer ": Weight.MATTERS,
    "server answer publish": Weight.MATTERS,
    "server answer hello": Weight.LITTLE,
    "server command onBWDone": Weight.LITTLE,
    "server command onSomething": Weight.MATTERS,
    "server status NetStream.Publish.Start": Weight.STOPS,
    "server status NetStream.Play.Start": Weight.STOPS,
    "server status NetStream.Play.Reset": Weight.LITTLE,
    "server status NetStream.Publish.BadName": Weight.MATTERS,
    "server control set chunk size": Weight.LITTLE,
    "server control abort": Weight.MATTERS,
    "server control user control stream begin 1": Weight.LITTLE,
    "server control user control stream eof 1": Weight.LITTLE,
    "server data onMetaData": Weight.MATTERS,
    "server data |RtmpSampleAccess": Weight.LITTLE,
    "server video sequence header": Weight.MATTERS,
    "server video keyframe": Weight.MATTERS,
    "server audio end": Weight.LITTLE,
    "server unreadable ": Weight.MATTERS,
    "server ending ": Weight.LITTLE,
    "server handshake S2": Weight.MATTERS,
}
ORDER_LINES = {
    "server control set chunk size | server answer connect": Weight.LITTLE,
    "server answer connect | server control set chunk size": Weight.LITTLE,
    "server command onBWDone | server answer connect": Weight.LITTLE,
    "server answer connect | server command onBWDone": Weight.LITTLE,
    "server answer createStream | server answer connect": Weight.LITTLE,
    "server answer releaseStream | server status NetStream.Publish.Start": Weight.LITTLE,
    "server status NetStream.Publish.Start | server answer createStream": Weight.MATTERS,
    "server status NetStream.Publish.Start | server answer FCPublish": Weight.LITTLE,
    "server status NetStream.Play.Start | server video keyframe": Weight.MATTERS,
    "server video sequence header | server audio sequence header": Weight.LITTLE,
    "server video sequence header | server video keyframe": Weight.MATTERS,
    "server data onMetaData | server video keyframe": Weight.LITTLE,
    "server data onMetaData | server status NetStream.Play.Start": Weight.MATTERS,
    "server data |RtmpSampleAccess | server status NetStream.Play.Start": Weight.LITTLE,
    "server control user control stream eof 1 | server video keyframe": Weight.MATTERS,
    "client command FCPublish | client command createStream": Weight.LITTLE,
}


class TableTests(SynchronousTestCase):
    def test_worth(self) -> None:
        for table, lines in ((FIELDS, FIELD_LINES), (PRESENCE, PRESENCE_LINES), (ORDER, ORDER_LINES)):
            found = {line: judge(table, line).weight for line in lines}
            self.assertEqual(found, lines)

    def test_everyRowIsUsed(self) -> None:
        """There is a line above that each row is the first to fit."""
        for name, lines in (("FIELDS", FIELD_LINES), ("PRESENCE", PRESENCE_LINES), ("ORDER", ORDER_LINES)):
            used = {judge(TABLES[name], line).pattern.pattern for line in lines}
            unused = [row.pattern.pattern for row in TABLES[name] if row.pattern.pattern not in used]
            self.assertEqual(unused, [], name)

    def test_reasons(self) -> None:
        """Each row says why, and where that is written; noise has a name to be counted under."""
        for table in TABLES.values():
            for row in table:
                self.assertTrue(row.reason and not row.reason.endswith("."), row)
                self.assertTrue(re.fullmatch(r"(RTMP 1\.0, )?\d{1,2}(\.\d+)*( rows? \d+( and \d+)?)?", row.source), row)
                self.assertTrue(row.section.startswith(("wire facts ", "RTMP 1.0, ")), row)
                self.assertTrue(bool(row.name) or row.weight is not Weight.NOISE, row)

    def test_severities(self) -> None:
        """What stops clients is worth more than what loses media, and that more than any other difference."""
        self.assertEqual(set(SEVERITIES), set(Severity))
        order = [Weight.STOPS, Weight.LOSES, Weight.MATTERS, Weight.ADVICE, Weight.LITTLE, Weight.NOISE]
        self.assertEqual(sorted(Weight), order)

    def test_longLines(self) -> None:
        """A peer's text in a line costs no more than it is long."""
        started = time.process_time()
        for text in ("undefined, " * 20, "/[" * 100, " | server" * 25, ".x type " * 25):
            for table in TABLES.values():
                for beginning in ("server data ", "server data x/type [", "server answer ", "client command x/value "):
                    judge(table, beginning + text[:200])
        self.assertLess(time.process_time() - started, 2)
