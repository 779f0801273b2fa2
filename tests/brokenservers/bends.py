# -*- test-case-name: tests.brokenservers.test_bends -*-
"""
The table of all bends, by name: that of their cause, with more behind a colon where a cause has several bends.
"""

from __future__ import annotations

from tests.brokenservers.bend import Bend, Scene
from tests.brokenservers.chunkbends import CHUNK_BENDS
from tests.brokenservers.commandbends import COMMAND_BENDS
from tests.brokenservers.handshakebends import HANDSHAKE_BENDS
from tests.brokenservers.mediabends import MEDIA_BENDS
from tests.brokenservers.playbends import PLAY_BENDS
from tests.brokenservers.refusalbends import REFUSAL_BENDS

__all__ = ["BENDS", "Bend", "Scene"]

BENDS: dict[str, Bend] = {
    **HANDSHAKE_BENDS,
    **CHUNK_BENDS,
    **COMMAND_BENDS,
    **REFUSAL_BENDS,
    **MEDIA_BENDS,
    **PLAY_BENDS,
}
