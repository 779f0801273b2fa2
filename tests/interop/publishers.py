"""
The publishing programs' command lines.
"""

from __future__ import annotations

from pathlib import Path

from tests.interop.programs import gstLaunch

__all__ = ["ffmpegPublish", "gstPublish"]


def ffmpegPublish(
    program: str, input: Path, url: str, *options: str, before: tuple[str, ...] = (), realTime: bool = True
) -> list[str]:
    """
    FFmpeg, which sends its input as it is.

    @param options: of the output.
    @param before: of the input.
    @param realTime: send it at the speed at which it is to be watched; otherwise as fast as it goes.
    """
    speed = ["-re"] if realTime else []
    return [
        *(program, "-nostdin", "-v", "warning", *speed, *before, "-i", str(input), *options),
        *("-c", "copy", "-f", "flv", url),
    ]


def gstPublish(sink: str, input: Path, sent: Path, url: str, realTime: bool = True) -> list[str]:
    """
    GStreamer. Its muxer makes tags of its own, so what it gives to the sink is put into a file as well.

    @param sink: C{rtmp2sink}, or C{rtmpsink}, which is librtmp.
    @param sent: the file.
    @param realTime: as for L{ffmpegPublish}.
    """
    speed = "clocksync" if realTime else "identity"
    pipeline = (
        "flvmux name=mux streamable=true ! tee name=both "
        f"both. ! queue ! filesink location={sent} "
        f"both. ! queue ! {sink} location={url} sync=false "
        f"filesrc location={input} ! flvdemux name=input "
        f"input.video ! queue ! h264parse ! {speed} ! mux.video "
        f"input.audio ! queue ! aacparse ! {speed} ! mux.audio"
    )
    return [gstLaunch(sink, "flvmux", "flvdemux", "h264parse", "aacparse", "clocksync"), *pipeline.split()]
