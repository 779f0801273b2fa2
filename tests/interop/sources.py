"""
What is published: short FLV files of a test picture and a sine, made once per run with FFmpeg 9.

What a publisher sends need not be what is in the file that it reads: FFmpeg's muxer makes its own tags (another
composition of the end, of the metadata, other rounding), and so it may be another one in each version. So the source
that a recording is compared with is always the work of the muxer that publishes: L{remux} writes the same input with
the same program into a file.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from tests.interop.processes import once, run, runDirectory
from tests.interop.programs import ffmpeg9

__all__ = ["CODECS", "LONG", "MAPS", "longSource", "remux", "source"]

#: Seconds of a source; and of one that is still on when other programs, which begin behind it, have started, however
#: busy the machine is.
SECONDS = 3
LONG = 8

_PICTURE = ("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25")
_SOUND = ("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000")

_H264 = ("-c:v:0", "libx264", "-preset:v:0", "veryfast", "-g:v:0", "25", "-pix_fmt:v:0", "yuv420p")
_AAC = ("-c:a:0", "aac", "-b:a:0", "96k")
_HEVC = ("libx265", "-preset", "ultrafast", "-x265-params", "log-level=error:keyint=25:pools=1:frame-threads=1")

#: By name: the encoders' options.
CODECS: dict[str, tuple[str, ...]] = {
    "h264-aac": (*_H264, *_AAC),
    "hevc-opus": ("-c:v", *_HEVC, "-c:a", "libopus"),
    "av1-flac": ("-c:v", "libsvtav1", "-preset", "12", "-g", "25", "-c:a", "flac"),
    "vp9-ac3": ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-g", "25", "-c:a", "ac3"),
    # Track 0 is sent as ever, track 1 as enhanced RTMP's multitrack (wire facts 7.1).
    "multitrack": (
        *("-map", "0:v", "-map", "1:a", "-map", "0:v", "-map", "1:a"),
        *_H264,
        *_AAC,
        *("-c:v:1", "libx265", "-preset:v:1", "ultrafast", "-x265-params:v:1", _HEVC[-1], "-c:a:1", "libopus"),
    ),
}

#: By name, where that is not all and in order: which of a source's streams to publish.
MAPS: dict[str, tuple[str, ...]] = {"multitrack": ("-map", "0")}


@once
def source(codecs: str = "h264-aac", seconds: float = SECONDS) -> Path:
    """
    An input for publishers.

    @param codecs: one of L{CODECS}.
    """
    path = runDirectory() / f"{codecs}-{seconds:g}.flv"
    command = [ffmpeg9(), "-nostdin", "-v", "error", *_PICTURE, *_SOUND, *CODECS[codecs], "-t", f"{seconds:g}"]
    run([*command, "-f", "flv", str(path)], path.with_suffix(".log"))
    return path


@once
def remux(program: str, input: Path, *options: str, before: tuple[str, ...] = ()) -> Path:
    """
    What this FFmpeg makes of an input when it publishes it, as a file.

    @param options: of the output, which it is published with.
    @param before: of the input.
    """
    which = hashlib.sha256(repr((program, options, before)).encode()).hexdigest()[:16]
    path = runDirectory() / f"{input.stem}-{which}.flv"
    command = [program, "-nostdin", "-v", "error", *before, "-i", str(input), *options]
    run([*command, "-c", "copy", "-f", "flv", str(path)], path.with_suffix(".log"))
    return path


@once
def longSource() -> Path:
    """More than 35,337 messages (wire facts 0.2) of a tiny picture and a tone."""
    path = runDirectory() / "long.flv"
    run(
        [
            *(ffmpeg9(), "-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=32x32:rate=250"),
            *("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000", "-t", "122"),
            *("-c:v", "libx264", "-preset", "ultrafast", "-g", "250", "-pix_fmt", "yuv420p"),
            *("-c:a", "aac", "-b:a", "64k", "-f", "flv", str(path)),
        ],
        path.with_suffix(".log"),
    )
    return path
