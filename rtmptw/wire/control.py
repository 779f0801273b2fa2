# -*- test-case-name: tests.wire.test_control -*-
"""
Protocol control messages (RTMP 1.0, sections 5.4 and 6.2; wire facts 2.6).

Each has a body of fixed shape, lives on chunk stream 2 and message stream 0, and has no time. There is nothing here to
send an Abort, because FFmpeg's reader fails behind one (wire facts 2.6).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from rtmptw.errors import LocalProtocolError
from rtmptw.wire.message import CONTROL_CHUNK_STREAM, MAX_MESSAGE_SIZE, Message, MessageType

__all__ = [
    "BandwidthLimit",
    "UserControl",
    "UserControlType",
    "acknowledgement",
    "controlValue",
    "setChunkSize",
    "setPeerBandwidth",
    "windowAcknowledgementSize",
]


class BandwidthLimit(IntEnum):
    """The limit types of Set Peer Bandwidth (RTMP 1.0, section 5.4.5)."""

    HARD = 0
    SOFT = 1
    DYNAMIC = 2


class UserControlType(IntEnum):
    """Event types (RTMP 1.0, section 7.1.7; 26 to 32 from wire facts 2.6)."""

    STREAM_BEGIN = 0
    STREAM_EOF = 1
    STREAM_DRY = 2
    SET_BUFFER_LENGTH = 3
    STREAM_IS_RECORDED = 4
    PING_REQUEST = 6
    PING_RESPONSE = 7
    SWF_VERIFY_REQUEST = 26
    SWF_VERIFY_RESPONSE = 27
    BUFFER_EMPTY = 31
    BUFFER_READY = 32


def _message(type: MessageType, body: bytes) -> Message:
    return Message(type, 0, 0, body, CONTROL_CHUNK_STREAM)


def _positive(name: str, value: int, largest: int) -> bytes:
    if not 1 <= value <= largest:
        raise LocalProtocolError(f"{name} {value}: not within 1 to {largest}")
    return value.to_bytes(4, "big")


def setChunkSize(size: int) -> Message:
    """
    @param size: what our chunks will hold from the next one on, bytes, 1 to 16777215.
    @raise LocalProtocolError: for any other size.
    """
    return _message(MessageType.SET_CHUNK_SIZE, _positive("chunk size", size, MAX_MESSAGE_SIZE))


def acknowledgement(received: int) -> Message:
    """
    @param received: all bytes received so far; the wire takes them modulo 2^32.
    """
    return _message(MessageType.ACKNOWLEDGEMENT, (received & 0xFFFFFFFF).to_bytes(4, "big"))


def windowAcknowledgementSize(size: int) -> Message:
    """
    @param size: the window after which we would like an acknowledgement, bytes, 1 to 2^31-1.
    @raise LocalProtocolError: for any other size; FFmpeg stops at those (wire facts 2.5).
    """
    return _message(MessageType.WINDOW_ACKNOWLEDGEMENT_SIZE, _positive("window size", size, 0x7FFFFFFF))


def setPeerBandwidth(size: int, limit: BandwidthLimit = BandwidthLimit.DYNAMIC) -> Message:
    """
    @param size: the window that the peer is to use, bytes, 1 to 2^31-1. Most clients answer with the same number as
        their own Window Acknowledgement Size.
    @raise LocalProtocolError: for any other size.
    """
    body = _positive("bandwidth", size, 0x7FFFFFFF) + bytes((limit,))
    return _message(MessageType.SET_PEER_BANDWIDTH, body)


def controlValue(message: Message) -> int | None:
    """
    The 32-bit number that the body of every message of section 5.4 begins with.

    @return: L{None} if the body is too short: to be passed over (wire facts 10.25).
    """
    if len(message.payload) < 4:
        return None
    return int.from_bytes(message.payload[:4], "big")


@dataclass(frozen=True)
class UserControl:
    """
    A user control message.

    @ivar event: the event type, 0-65535; a L{UserControlType} or an unknown number.
    @ivar value: the first 32-bit number of the event data: a message stream ID or, for pings, a timestamp in ms.
    @ivar extra: the second one (the buffer length of Set Buffer Length, ms), if there is one.
    """

    event: int
    value: int = 0
    extra: int | None = None

    @classmethod
    def decode(cls, payload: bytes) -> UserControl | None:
        """
        @return: L{None} for a body too short to say anything; numbers that are missing count as 0.
        """
        if len(payload) < 2:
            return None
        extra = int.from_bytes(payload[6:10], "big") if len(payload) >= 10 else None
        value = int.from_bytes(payload[2:6], "big") if len(payload) >= 6 else 0
        return cls(int.from_bytes(payload[:2], "big"), value, extra)

    def encode(self) -> Message:
        """
        @raise LocalProtocolError: if a number does not fit.
        """
        try:
            body = self.event.to_bytes(2, "big") + self.value.to_bytes(4, "big")
            if self.extra is not None:
                body += self.extra.to_bytes(4, "big")
        except OverflowError:
            raise LocalProtocolError(f"{self}: a number does not fit") from None
        return _message(MessageType.USER_CONTROL, body)
