# -*- test-case-name: tests.live.test_edition -*-
"""
An edition: what a viewer is sent of what is on the tape, and in which form.

Nearly all are sent everything, byte for byte: L{PLAIN}. Other editions are for those who have asked for another message
stream, who do not want sound or pictures, who have no picture yet, and for servers that we publish to.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from rtmptw.live.image import address, toPublish
from rtmptw.wire.message import MessageType

__all__ = ["PLAIN", "Edition"]


@dataclass(frozen=True, slots=True)
class Edition:
    """
    An edition is a value.

    @ivar streamId: the message stream that it is sent on.
    @ivar publishes: whether it is for a server that others play it from: C{onMetaData} is behind C{@setDataFrame} then.
    @ivar refused: the message types that the viewer does not want.
    @ivar soundOnly: whether video is withheld until the next keyframe.
    """

    streamId: int = 1
    publishes: bool = False
    refused: frozenset[int] = frozenset()
    soundOnly: bool = False

    def changed(self, **changes: Any) -> Edition:
        """An edition that differs in these; L{PLAIN} itself, if it is the same."""
        edition = replace(self, **changes)
        return PLAIN if edition == PLAIN else edition

    def has(self, type: int) -> bool:
        """Whether it has messages of a type."""
        return type not in self.refused and not (self.soundOnly and type == MessageType.VIDEO)

    def image(self, type: int, image: bytes) -> bytes:
        """The image (L{rtmptw.live.image}) of a message in this edition."""
        if self.publishes and type == MessageType.DATA:
            image = toPublish(image)
        return address(image, self.streamId.to_bytes(4, "little"))


#: Everything, as it is on the tape.
PLAIN = Edition()
