# -*- test-case-name: tests.attackers.test_rows -*-
"""
All rows, by name, in the order of the table.
"""

from __future__ import annotations

from tests.attackers import chunkrows, handshakerows, messagerows, sessionrows, valuerows
from tests.attackers.row import Row

__all__ = ["ROWS"]

ROWS: dict[str, Row] = {
    row.name: row for rows in (handshakerows, chunkrows, messagerows, valuerows, sessionrows) for row in rows.ROWS
}
