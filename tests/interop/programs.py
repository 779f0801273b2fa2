"""
The real programs: where they are, and what to install where one is missing.

A test that needs a missing program is skipped, and says which package brings it. With C{RTMPTW_INTEROP=required} in the
environment it fails instead: nothing is to be skipped where everything is said to be there.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from functools import cache
from importlib import import_module
from pathlib import Path
from unittest import SkipTest

__all__ = ["ffmpeg5", "ffmpeg9", "gstLaunch", "nginx", "nginxRTMPModule", "rtmpdump", "tshark"]

#: Where distributions put nginx's modules.
_MODULE_DIRECTORIES = ("/usr/lib/nginx/modules", "/usr/lib64/nginx/modules", "/usr/share/nginx/modules")

#: How long a program may take to say what it is, seconds.
_PATIENCE = 60


def _missing(reason: str) -> Exception:
    """What to raise for a program that is not there."""
    if os.environ.get("RTMPTW_INTEROP") == "required":
        return AssertionError(f"{reason} (RTMPTW_INTEROP=required)")
    return SkipTest(reason)


def _find(name: str, package: str) -> str:
    # Debian keeps servers where only root looks for programs.
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise _missing(f"{name} is not installed: Debian package {package}")
    return found


def _ffmpegVersion(program: str) -> int:
    """The major version; 0 if it can't be told."""
    text = subprocess.run([program, "-version"], capture_output=True, text=True, timeout=_PATIENCE).stdout
    match = re.match(r"ffmpeg version n?(\d+)\.", text)
    return int(match[1]) if match else 0


@cache
def ffmpeg5() -> str:
    """FFmpeg 5.1, as in Debian 12: before enhanced RTMP."""
    program = _find("ffmpeg", "ffmpeg")
    version = _ffmpegVersion(program)
    if version != 5:
        raise _missing(f"{program} is version {version}; wanted is 5.1: Debian 12's package ffmpeg")
    return program


@cache
def ffmpeg9() -> str:
    """FFmpeg 9, from PyPI: enhanced RTMP with multitrack, and every encoder that the sources need."""
    try:
        module = import_module("imageio_ffmpeg")
    except ImportError:
        raise _missing("FFmpeg 9 is not installed: PyPI package imageio-ffmpeg") from None
    program = str(module.get_ffmpeg_exe())
    version = _ffmpegVersion(program)
    if version < 9:
        raise _missing(f"{program} is version {version}; wanted is 9: PyPI package imageio-ffmpeg")
    return program


@cache
def gstLaunch(*elements: str) -> str:
    """
    GStreamer's C{gst-launch-1.0}.

    @param elements: what it must be able to do; each is known by its name.
    """
    packages = "gstreamer1.0-tools, gstreamer1.0-plugins-base, -good and -bad"
    program = _find("gst-launch-1.0", packages)
    inspect = _find("gst-inspect-1.0", packages)
    for element in elements:
        if subprocess.run([inspect, element], capture_output=True, timeout=_PATIENCE).returncode:
            raise _missing(f"GStreamer has no {element}: Debian packages {packages}")
    return program


@cache
def rtmpdump() -> str:
    """rtmpdump, with librtmp."""
    return _find("rtmpdump", "rtmpdump")


@cache
def nginx() -> str:
    """nginx. It is of use only with L{nginxRTMPModule}."""
    return _find("nginx", "nginx")


@cache
def nginxRTMPModule() -> str:
    """The file of nginx's RTMP module."""
    for directory in _MODULE_DIRECTORIES:
        path = Path(directory, "ngx_rtmp_module.so")
        if path.exists():
            return str(path)
    raise _missing("nginx has no ngx_rtmp_module.so: Debian package libnginx-mod-rtmp")


@cache
def tshark() -> str:
    """Wireshark's C{tshark}."""
    return _find("tshark", "tshark")
