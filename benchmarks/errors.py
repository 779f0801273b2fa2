# -*- test-case-name: tests.interop.test_benchmarks -*-
"""
What can go wrong with a measurement.
"""

from __future__ import annotations

__all__ = ["BenchmarkError", "MissingError"]


class BenchmarkError(Exception):
    """Something could not be measured; the text says why."""


class MissingError(BenchmarkError):
    """A server is not there; the text says what to install, or which option to give."""
