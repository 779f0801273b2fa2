# -*- test-case-name: tests.doctor.test_probe -*-
"""
All probes, in the order in which they are asked.
"""

from __future__ import annotations

from rtmptw.doctor.probe import Probe
from rtmptw.doctor.probes.again import AGAIN
from rtmptw.doctor.probes.busy import BUSY
from rtmptw.doctor.probes.delay import DELAY
from rtmptw.doctor.probes.extended import EXTENDED
from rtmptw.doctor.probes.oddities import ODDITIES
from rtmptw.doctor.probes.silent import SILENT
from rtmptw.doctor.probes.start import START
from rtmptw.doctor.probes.tail import TAIL

__all__ = ["PROBES"]

PROBES: tuple[Probe, ...] = (TAIL, START, AGAIN, BUSY, SILENT, DELAY, EXTENDED, *ODDITIES)
