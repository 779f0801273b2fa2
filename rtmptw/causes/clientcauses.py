# -*- test-case-name: tests.causes.test_causes -*-
"""
What the client does wrong. A server that takes it gets on with more clients.
"""

from __future__ import annotations

from rtmptw.causes.cause import Cause, Severity

__all__ = ["CLIENT_CAUSES"]

CLIENT_CAUSES: tuple[Cause, ...] = (
    Cause(
        name="client-not-chunked",
        title="The client writes a message that is longer than a chunk in one piece",
        severity=Severity.STOPS,
        mend="To the client's author: cut every message at the chunk size that you have announced (128 bytes before), "
        "and write 0xC0 + chunk stream ID behind each 128 bytes of payload. No server can read it otherwise.",
        source="wire facts 2.5, 10.29, 10.36; RTMP 1.0, section 5.3.1",
    ),
    Cause(
        name="client-extended-timestamp-not-repeated",
        title="The client does not repeat the extended timestamp in the chunks that go on with a message",
        severity=Severity.ADVICE,
        clients={
            "OBS": "30.0 and older do not repeat it; 30.1 and later do (from its source, not run).",
        },
        mend="To the server's author: look at the 4 bytes behind a type 3 header, and take them away only if they are "
        "the timestamp once more. To the client's author: repeat it.",
        source="wire facts 2.4, 3.6 row 19, 10.18; RTMP 1.0, section 5.3.1.3",
    ),
    Cause(
        name="client-transaction-id-reused",
        title="The client gives two calls the same transaction ID",
        severity=Severity.ADVICE,
        mend="To the client's author: count. The answers can't be told apart otherwise. To the server's: answer each "
        "call with its own number all the same.",
        source="wire facts 10.50, 10.65; RTMP 1.0, section 7.2.1.2",
    ),
    Cause(
        name="client-message-stream",
        title="The client uses a message stream that the server has not given",
        severity=Severity.ADVICE,
        clients={
            "FFmpeg": "It publishes on message stream 0 where it found no stream ID in the answer to createStream.",
            "MediaMTX": "It publishes on message stream 1 always (from its source, not run).",
            "nginx-rtmp": "Its relay publishes on message stream 1, whatever the answer says.",
        },
        mend="To the server's author: take publish and media on message streams 0 and 1 too, and look at your answer "
        "to createStream: a client that uses 0 has not understood it.",
        source="wire facts 3.1, 3.2, 3.6 row 8, 10.50",
    ),
)
