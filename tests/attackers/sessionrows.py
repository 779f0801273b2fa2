# -*- test-case-name: tests.attackers.test_rows -*-
"""
Rows D1 to D4, D14, D15 and D17: sessions.
"""

from __future__ import annotations

from tests.attackers.attacker import Attacker
from tests.attackers.row import Row, saying
from tests.attackers.speech import C0C1, C2, command, header, media

__all__ = ["ROWS"]

#: How many streams are created in one go, and how often one publishes and ends.
_CREATED = 2000
_CYCLES = 200

#: How long one stays who waits for its end, s: longer than any deadline.
_WAIT = 60.0

#: How often who drips says a byte, s.
_DRIP = 1.0

#: How many absent streams are asked for on one connection.
_ABSENT = 8


async def _disorder(attacker: Attacker) -> None:
    """Each of these mistakes in turn."""
    app, name = attacker.goal.app, f"attack{attacker.number}"
    connect = command("connect", 1.0, {"app": app})
    publish, play = (command(verb, 5.0, None, name, streamId=1) for verb in ("publish", "play"))
    create = command("createStream", 2.0)
    mistakes = (
        create + publish,
        publish + media(),
        connect + connect,
        connect + create + publish + publish,
        connect + create + publish + play,
        connect + create + play + publish,
        connect + command("publish", 5.0, None, name, streamId=0),
        connect + create + publish + command("connect", 6.0, {"app": app}),
    )
    await saying(Attacker.enter, lambda number: (mistakes[number % len(mistakes)],))(attacker)


async def _reset(attacker: Attacker) -> None:
    """Streams created without end; or publishes that end at once, again and again."""
    await attacker.connect()
    if attacker.number % 2:
        await attacker.say(b"".join(command("createStream", 2.0 + number) for number in range(_CREATED)))
    else:
        await attacker.say(command("createStream", 2.0))
        name = f"attack{attacker.number}"
        cycle = command("publish", 3.0, None, name, "live", streamId=1) + command("closeStream", 0.0, streamId=1)
        for _ in range(_CYCLES):
            await attacker.say(cycle)
    await attacker.rest(2.0)


async def _tooEarly(attacker: Attacker) -> None:
    """Media before anything was decided, and on message streams that nobody has."""
    words = [C0C1, C2, command("connect", 1.0, {"app": attacker.goal.app})]
    if attacker.number % 2:
        words.append(media(100))
    words += [command("createStream", 2.0), *(media(20, streamId) for streamId in (0, 1, 2, 77, 0xFFFFFFFF))]
    words += [command("publish", 3.0, None, f"attack{attacker.number}", "live", streamId=1), media(20, 2), media(20, 1)]
    await attacker.say(b"".join(words))
    await attacker.rest(1.0)


async def _foreign(attacker: Attacker) -> None:
    """What others have, by its name and by its number."""
    victim = attacker.goal.victim
    await attacker.connect()
    for name in ("releaseStream", "FCUnpublish", "FCPublish", "FCUnsubscribe", "closeStream", "deleteStream"):
        await attacker.say(command(name, 2.0, None, victim))
        await attacker.say(command(name, 2.0, None, f"{attacker.goal.app}/{victim}"))
    await attacker.say(b"".join(command("deleteStream", 0.0, None, float(number)) for number in range(40)))
    await attacker.say(b"".join(command("closeStream", 0.0, streamId=number) for number in range(40)))
    await attacker.rest(1.0)


async def _stall(attacker: Attacker) -> None:
    await attacker.play()
    attacker.deafen()
    await attacker.rest(_WAIT)


async def _dripMessage(attacker: Attacker) -> None:
    await attacker.publish()
    await attacker.say(media() + header(0, 6, 100_000))
    for _ in range(int(_WAIT / _DRIP)):
        await attacker.rest(_DRIP)
        await attacker.say(b"\1")


async def _absent(attacker: Attacker) -> None:
    await attacker.connect()
    for number in range(_ABSENT):
        stream = number + 1
        await attacker.say(command("createStream", 2.0 + number))
        await attacker.say(command("play", 0.0, None, f"absent{attacker.number}-{number}", streamId=stream))
    await attacker.rest(1.0)


ROWS = (
    Row("D1", "commands in any order but the right one", _disorder),
    Row("D2", "createStream without end; publish and unpublish, again and again", _reset),
    Row("D3", "media before the verdict, and on foreign streams", _tooEarly),
    Row("D4", "releaseStream, FCUnpublish, deleteStream of others' streams", _foreign),
    Row("D14", "1,000 viewers that stop reading", _stall, 1000, 200),
    Row("D15", "a publisher with a byte in a second, in a message", _dripMessage, 100, 100),
    Row("D17", "play of streams that are not there", _absent, 200, 200),
)
