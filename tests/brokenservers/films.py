"""
What has to be published for a bend to be met (C{media} of L{tests.brokenservers.bend}), as files made once per run.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

from tests.interop.processes import run
from tests.interop.programs import ffmpeg9
from tests.interop.sources import source

__all__ = ["FILMS"]


def _encode(name: str, size: str, seconds: int, quality: int) -> Path:
    path = source().with_name(name)
    picture = ["-f", "lavfi", "-i", f"testsrc2=size={size}:rate=25", "-f", "lavfi", "-i", "sine", "-t", str(seconds)]
    encoders = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", str(quality), "-pix_fmt", "yuv420p", "-c:a", "aac"]
    run([ffmpeg9(), "-nostdin", "-v", "error", *picture, *encoders, str(path)], path.with_suffix(".log"))
    return path


@cache
def longSource() -> Path:
    """2 MB: a slow reader takes two seconds for it."""
    return _encode("slow.flv", "640x360", 5, 10)


@cache
def heavySource() -> Path:
    """8 MB: more than the buffers of two sockets hold."""
    return _encode("heavy.flv", "1280x720", 4, 1)


@cache
def timecodeSource() -> Path:
    """A film with a track of time codes, which FFmpeg publishes as data of 4 bytes."""
    path = source().with_name("timecode.mov")
    command = [ffmpeg9(), "-nostdin", "-v", "error", "-i", str(source()), "-c", "copy", "-timecode", "01:00:00:00"]
    run([*command, str(path)], path.with_suffix(".log"))
    return path


#: By name, how to get it.
FILMS: dict[str, Callable[[], Path]] = {
    "short": source,
    "long": longSource,
    "heavy": heavySource,
    "timecode": timecodeSource,
}
