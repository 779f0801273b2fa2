"""Tests for L{rtmptw.record.recorder}."""
