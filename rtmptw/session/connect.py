# -*- test-case-name: tests.session.test_connect -*-
"""
The first command: connect, as we say it, and the answer that lets every known client go on (RTMP 1.0, section 7.2.1.1;
wire facts 3.1, 3.3 and 3.5).
"""

from __future__ import annotations

from functools import lru_cache
from struct import Struct
from types import MappingProxyType

from rtmptw.requests import ConnectRequest
from rtmptw.session import status
from rtmptw.session.hops import checkHops, hopProperties, readHops
from rtmptw.session.streampath import MAX_APP, MAX_QUERY, checkText, joinQueries, partQuery
from rtmptw.wire.amf import AMFValue
from rtmptw.wire.command import Command
from rtmptw.wire.control import (
    UserControl,
    UserControlType,
    setChunkSize,
    setPeerBandwidth,
    windowAcknowledgementSize,
)
from rtmptw.wire.message import Message

__all__ = ["OUR_CHUNK_SIZE", "acceptConnect", "checkConnect", "connectParameters", "readConnect"]

#: The size of the chunks that we send, bytes: most messages fit one (wire facts 2.5). FFmpeg copies it. Larger ones are
#: common, but at 32768 Wireshark, as it comes, loses the framing and shows nonsense (its rtmpt.max_packet_size).
OUR_CHUNK_SIZE = 32_000

#: After how many bytes we would like an acknowledgement; nothing depends on it (wire facts 2.8).
OUR_WINDOW = 2_500_000

#: What we call the client's bandwidth. rtmp2 makes it its own acknowledgement window, and loses the end of a fast
#: stream to the acknowledgements that it thereby asks for: so it is as large as may be (wire facts 2.8).
PEER_BANDWIDTH = 0x7FFFFFFF

#: Our part of enhanced RTMP (v2, "NetConnection.connect"): any codec is forwarded (4), with multitrack (2), ModEx (4)
#: and nanosecond offsets (8) in capsEx. Not Reconnect (1).
_CAPABILITIES: dict[str, AMFValue] = {
    "fourCcList": ["*"],
    "videoFourCcInfoMap": {"*": 4.0},
    "audioFourCcInfoMap": {"*": 4.0},
    "capsEx": 14.0,
}

#: Transaction ID and object encoding.
_NUMBERS = Struct(">dd")

#: What encoders and players call themselves (wire facts 3.1 and 3.3), and what players say that they can do.
_ENCODER = "FMLE/3.0 (compatible; rtmptw)"
_PLAYER = "LNX 9,0,124,2"
_PLAYS: dict[str, AMFValue] = {
    "fpad": False,
    "capabilities": 15.0,
    "audioCodecs": 4071.0,
    "videoCodecs": 252.0,
    "videoFunction": 1.0,
}


def readConnect(command: Command, peer: str, secure: bool) -> ConnectRequest:
    """
    What a connect asks for. Its object may be missing, and hold fields of any type (wire facts 10.60).
    """
    parameters = command.commandObject if isinstance(command.commandObject, dict) else {}
    app, url = parameters.get("app"), parameters.get("tcUrl")
    path, query = partQuery(app if isinstance(app, str) else "")
    url = url if isinstance(url, str) else ""
    queries = joinQueries(query, partQuery(url)[1])
    hops = readHops(parameters)
    # They may be shared (L{Command.decodeShared}), and the application shall not change them.
    return ConnectRequest(peer, path.strip("/"), url, queries, MappingProxyType(parameters), secure, hops)


def checkConnect(request: ConnectRequest, identity: str) -> None:
    """
    @param identity: our own.
    @raise StatusError: if the application or the query can't be what it should be, or a relay runs in a circle.
    """
    checkHops(request.hops, identity)
    checkText("application", request.app, MAX_APP)
    checkText("query", request.query, 2 * MAX_QUERY)


def acceptConnect(transactionId: float, request: ConnectRequest, identity: str) -> tuple[Message, ...]:
    """
    The answer to a connect that is accepted; to be sent in one write.

    @param transactionId: the connect's own, whatever it was: FFmpeg waits for ever for any other (wire facts 0.1).
    @param identity: our own.
    """
    # AMF3 clients want theirs back. We go on in AMF0, which they understand.
    encoding = request.parameters.get("objectEncoding")
    numbers = _NUMBERS.pack(transactionId, encoding if isinstance(encoding, (int, float)) else 0.0)
    isEnhanced = not _CAPABILITIES.keys().isdisjoint(request.parameters)
    return _acceptance(numbers, isEnhanced, request.hops, identity)


@lru_cache(maxsize=64)
def _acceptance(numbers: bytes, isEnhanced: bool, hops: tuple[str, ...], identity: str) -> tuple[Message, ...]:
    """
    The answer, which depends on little: many clients get the same.

    @param numbers: as on the wire: there 0.0 and -0.0 are not the same, nor is one NaN like another.
    """
    transactionId, encoding = _NUMBERS.unpack(numbers)
    properties: dict[str, AMFValue] = {"fmsVer": "FMS/3,0,1,123", "capabilities": 31.0}
    if isEnhanced:
        properties.update(_CAPABILITIES)
    properties.update(hopProperties(hops, identity))
    information = status.information(status.CONNECT_SUCCESS, "Connection succeeded.")
    information["objectEncoding"] = encoding
    return (
        windowAcknowledgementSize(OUR_WINDOW),
        setPeerBandwidth(PEER_BANDWIDTH),
        UserControl(UserControlType.STREAM_BEGIN, 0).encode(),
        setChunkSize(OUR_CHUNK_SIZE),
        Command("_result", transactionId, properties, (information,)).encode(),
    )


def connectParameters(app: str, tcUrl: str, publishing: bool) -> dict[str, AMFValue]:
    """
    The command object of our own connect.

    @param publishing: whether to look like an encoder or like a player: some servers do not treat both the same.
    """
    if publishing:
        return {"app": app, "type": "nonprivate", "flashVer": _ENCODER, "tcUrl": tcUrl, **_CAPABILITIES}
    return {"app": app, "flashVer": _PLAYER, "tcUrl": tcUrl, **_PLAYS, **_CAPABILITIES}
