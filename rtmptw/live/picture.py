# -*- test-case-name: tests.live.test_livestream -*-
"""
The picture of a stream: which message is a place to start.

That is a keyframe of the main track: the one with the lowest ID so far. As long as there is no picture, every sound is
one.
"""

from __future__ import annotations

from rtmptw.live.headers import HeaderCache
from rtmptw.live.tape import Tape
from rtmptw.wire.media import MediaKind, describe
from rtmptw.wire.message import Message, MessageType

__all__ = ["Picture"]

#: Greater than every track ID, which is one byte.
_NO_TRACK = 256


class Picture:
    """
    What one publisher has shown so far.

    @ivar isThere: whether it has sent a picture, or a header for pictures.
    """

    __slots__ = ("_mainTrack", "isThere")

    def __init__(self) -> None:
        self.isThere = False
        self._mainTrack = _NO_TRACK

    def look(self, message: Message, kind: MediaKind, tape: Tape, headers: HeaderCache) -> bool:
        """
        Look at a message that is more than one of many frames, before it is on the tape.

        @return: whether it is a place to start.
        """
        if message.type == MessageType.VIDEO and not self.isThere and (kind.isHeader or kind.isFrame):
            # What came before counted as a place to start; it is none without a picture.
            self.isThere = True
            tape.keyframe = None
        if kind.isHeader:
            if message.type == MessageType.VIDEO and kind is MediaKind.SEQUENCE_HEADER:
                self._seeTrack(message)
            if headers.see(message):
                # What is on the tape is not for the new headers.
                tape.keyframe = None
            return False
        return kind.isKeyframe and self._seeTrack(message) if self.isThere else kind.isFrame

    def _seeTrack(self, message: Message) -> bool:
        """
        Look at the track of a video header or keyframe.

        Colour metadata must not be asked: FFmpeg sends every track's as if it were track 0's.

        @return: whether it is the main track's: another track's keyframe is no place to start (wire facts 7.1).
        """
        track = _lowestTrack(message)
        self._mainTrack = min(self._mainTrack, track)
        return track == self._mainTrack


def _lowestTrack(message: Message) -> int:
    """The lowest ID among the tracks of a video header or keyframe; 0 if it is not multitrack."""
    if message.payload[0] & 0x8F not in (0x86, 0x87):
        return 0
    return min(track.id for track in describe(message.type, message.payload).tracks)
