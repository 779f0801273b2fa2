# -*- test-case-name: tests.benchmarks.test_cases -*-
"""
RTMPS: the fan-out to viewers that come over TLS, beside our own to those that do not.
"""

from __future__ import annotations

from dataclasses import replace

from benchmarks.cases import fanout

__all__ = ["CASE"]

CASE = replace(
    fanout.CASE,
    name="tls",
    about="fan-out to viewers that come over TLS, beside our own to those that do not",
    servers=("ours", "ours-tls"),
    baseline="ours",
    sizes=(500,),
    isOwn=True,
)
