"""
The cases, by name, in the order in which they are measured.
"""

from __future__ import annotations

from benchmarks.case import Case
from benchmarks.cases import attacked, fanout, ingest, join, memory, mixed, most, stalled, steady, throughput, tls

__all__ = ["CASES"]

CASES: dict[str, Case] = {
    case.name: case
    for case in (
        fanout.CASE,
        most.CASE,
        mixed.CASE,
        ingest.CASE,
        throughput.CASE,
        join.CASE,
        memory.CASE,
        tls.CASE,
        stalled.CASE,
        steady.CASE,
        attacked.CASE,
    )
}
