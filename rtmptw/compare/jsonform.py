# -*- test-case-name: tests.compare.test_jsonform -*-
"""
A comparison for programs: one object of JSON::

    {
      "labels": ["nginx-rtmp", "mine"],
      "clients": [{"name": "FFmpeg", "version": "Lavf59.27.100", "role": "publishes"}, ...],
      "sameClient": true,
      "first": 0,                             # which of the differences is the first that matters; null if none is
      "differences": [
        {
          "how": "other",                     # or "missing" (only A has it), "extra" (only B has it), "order"
          "side": "server",                   # whose words
          "what": "the answer to connect",
          "weight": "stops",                  # or "loses", "matters", "advice", "little"
          "why": "a client takes an answer for ...", "source": "wire facts 3.6 ...",      # null if a rule tells
          "offsets": [3122, 3122],            # in the stream of that side; null where there is nothing
          "fields": [{
            "name": "_result.transactionId", "weight": "matters",
            "a": {"text": "1", "type": "number", "meaning": "connect's", "offset": 3142}, "b": ...  # or null
          }],
          "violations": [{"in": "B", "cause": "connect-transaction-id", "severity": "stops", "words": "...",
                          "offset": 3142, "title": "...", "mend": "...", "source": "...", "clients": {...},
                          "affected": ["FFmpeg", ...]}]   # of the clients, those that stop or lose something
        }
      ],
      "folded": {"random bytes": 3},          # noise, counted
      "totals": [{"side": "client", "what": "video", "a": {"count": 62, "bytes": 65321, "sha256": "..."}, "b": ...}],
      "notes": []
    }

Secrets are masked. Keys may be added, and are never renamed.
"""

from __future__ import annotations

from typing import Any

from rtmptw.compare.aspects import Field
from rtmptw.compare.comparison import Comparison
from rtmptw.compare.difference import Difference
from rtmptw.compare.shown import Shown
from rtmptw.compare.totals import Total

__all__ = ["toJSON"]

#: The longest text of a field, characters.
_LONGEST = 1000


def toJSON(comparison: Comparison, showSecrets: bool = False) -> dict[str, Any]:
    """
    @param showSecrets: whether names of streams, tokens and passwords are shown as they are.
    """
    shown = Shown(comparison, showSecrets)
    first = comparison.first
    one, other = (told.totals for told in comparison.told)
    return {
        "labels": [shown.about(label) for label in comparison.labels],
        "clients": [{"name": v.name, "version": v.version, "role": v.role} for v in comparison.visitors],
        "sameClient": comparison.isSameClient,
        "first": None if first is None else comparison.differences.index(first),
        "differences": [_difference(each, shown) for each in comparison.differences],
        "folded": dict(sorted(comparison.folded.items())),
        "totals": [
            {"side": side.value, "what": name, "a": _total(here), "b": _total(there)}
            for side, name, here, there in one.beside(other)
        ],
        "notes": [shown.remark(note) for note in comparison.notes],
    }


def _difference(difference: Difference, shown: Shown) -> dict[str, Any]:
    row = difference.why
    fields = [
        {} if step is None else shown.fields(step, conversation) for conversation, step in enumerate(difference.steps)
    ]
    return {
        "how": difference.how.value,
        "side": difference.side.value,
        "what": shown.title(difference.step),
        "weight": difference.weight.name.lower(),
        "why": None if row is None else row.reason,
        "source": None if row is None else row.section,
        "offsets": [None if step is None else step.entry.offset for step in difference.steps],
        "fields": [
            {
                "name": shown.fieldName(difference.step, field.name),
                "weight": field.row.weight.name.lower(),
                "a": _field(fields[0].get(field.name)),
                "b": _field(fields[1].get(field.name)),
            }
            for field in difference.fields
        ],
        "violations": [
            {
                "in": "AB"[wrong.conversation],
                "cause": wrong.violation.cause.name,
                "severity": wrong.violation.cause.severity.value,
                "words": shown.remark(wrong.violation.words),
                "offset": wrong.violation.offset,
                "title": wrong.violation.cause.title,
                "mend": wrong.violation.cause.mend,
                "source": wrong.violation.cause.source,
                "clients": dict(wrong.violation.cause.clients),
                "affected": list(wrong.violation.cause.affected),
            }
            for wrong in difference.wrongs
        ],
    }


def _field(field: Field | None) -> dict[str, Any] | None:
    if field is None:
        return None
    return {"text": field.text[:_LONGEST], "type": field.kind, "meaning": field.meaning, "offset": field.place}


def _total(total: Total) -> dict[str, Any]:
    return {"count": total.count, "bytes": total.size, "sha256": total.digest if total.count else None}
