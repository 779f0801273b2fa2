# -*- test-case-name: tests.benchmarks.test_machine -*-
"""
Where and with what it is measured.
"""

from __future__ import annotations

import os
import platform
import re
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

__all__ = ["aboutMachine"]

_CPU_INFO = Path("/proc/cpuinfo")


def _processor(text: str) -> str:
    """The model, as Linux tells it."""
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1].strip() if found else platform.processor() or "unknown"


def aboutMachine() -> dict[str, Any]:
    """What belongs to every result."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": _processor(_CPU_INFO.read_text()),
        "processors": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "twisted": version("twisted"),
    }
