"""
The playing programs' command lines. Each writes what it gets into an FLV file.
"""

from __future__ import annotations

from pathlib import Path

from tests.interop.programs import ffmpeg5, ffmpeg9, gstLaunch, rtmpdump

__all__ = ["PLAYERS", "decode", "play"]

#: What L{play} knows.
PLAYERS = ("ffmpeg9", "ffmpeg5", "rtmpdump", "rtmpdumpLive", "rtmp2src", "rtmpsrc")


def play(player: str, url: str, file: Path) -> list[str]:
    """
    @param player: one of L{PLAYERS}.
    @raise SkipTest: if it is missing.
    """
    if player in ("ffmpeg9", "ffmpeg5"):
        program = {"ffmpeg9": ffmpeg9, "ffmpeg5": ffmpeg5}[player]()
        # Its own times would begin with 0; -copyts keeps ours.
        return [program, "-nostdin", "-v", "warning", "-copyts", "-i", url, "-c", "copy", "-f", "flv", str(file)]
    if player in ("rtmpdump", "rtmpdumpLive"):
        live = ["--live"] if player == "rtmpdumpLive" else []
        return [rtmpdump(), "-q", *live, "-r", url, "-o", str(file)]
    location = f"location={url} live=1" if player == "rtmpsrc" else f"location={url}"
    # Unbuffered, because rtmpsrc does not end by itself: see test_players.
    return [gstLaunch(player), "-q", player, location, "!", "filesink", f"location={file}", "buffer-mode=unbuffered"]


def decode(program: str, input: str, *options: str) -> list[str]:
    """FFmpeg, which decodes everything, and says and does nothing unless something is wrong with it."""
    return [program, "-nostdin", "-xerror", "-v", "error", "-i", input, *options, "-f", "null", "-"]
