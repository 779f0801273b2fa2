# -*- test-case-name: tests.show.test_secretplaces -*-
"""
Where secrets stand in what two peers say (wire facts 3.1, 3.3 and 8).

A stream's name is a secret mostly: who knows it can publish in another's place. It stands where publish and play, and
the commands around them, have it. Tokens, and the answers to questions for a password, stand in the queries of the
name, of the application and of tcUrl; but there are servers that want them as arguments of connect, or in commands of
their own, so what no table here knows is a secret if a client says it. What servers say repeats all that in sentences.

Each text in a message has a L{Role} by its place: by the command, the number of the value, and the name of the member
if it lies in an object.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum

from rtmptw.trace.segment import Side
from rtmptw.wire.amf import AMFValue, Dictionary, ECMAArray, TypedObject, Vector, XMLDocument

__all__ = ["HARMLESS", "Role", "changed"]


class Role(Enum):
    """What a text is, by the place where it stands."""

    NAME = "the name of a stream, perhaps with a query"
    SECRET = "all of it is a secret"
    ADDRESS = "an address: a URL, or an application, perhaps with a query"
    TYPE = "the type of a publish"
    DETAILS = "the name of a stream, in a server's words"
    STATUS = "a server's sentence"
    DESCRIPTION = "a server's sentence that holds the name of a stream mostly"
    TEXT = "any other text"
    REMARK = "a text of ours"
    OPEN = "never a secret"


#: Commands of clients whose first argument is the name of a stream; and some that say no secrets.
_NAMING = "play play2 releaseStream FCPublish FCUnpublish FCSubscribe FCUnsubscribe getStreamLength deleteStream"
_PLAIN = "createStream _checkbw checkBandwidth receiveAudio receiveVideo pause pauseRaw seek _result _error onStatus"

#: What a client says, by command: the roles of the values from the third on; the last one is that of all that follow.
_CLIENT: dict[str, tuple[Role, ...]] = {
    # Flash lets its programs add any arguments, such as a user and a password.
    "connect": (Role.TEXT, Role.SECRET),
    # The null in front of the name may be missing.
    "publish": (Role.NAME, Role.NAME, Role.TYPE),
    **dict.fromkeys((*_NAMING.split(), "closeStream"), (Role.NAME,)),
    **dict.fromkeys((*_PLAIN.split(), "onBWDone"), (Role.TEXT,)),
}

_LOGINS = "user username login password passwd passphrase pass pwd pin session token accesstoken authtoken securetoken"
_PROOFS = "secret key apikey auth authorization response challenge opaque salt nonce cnonce signature sign sig hash"

#: What a member of an object is, by its name in lower case, wherever the object stands.
_MEMBERS: dict[str, Role] = {
    **dict.fromkeys(("level", "code", "flashver", "fmsver"), Role.OPEN),
    **dict.fromkeys(("app", "tcurl", "pageurl", "swfurl"), Role.ADDRESS),
    **dict.fromkeys(("details", "stream", "streamname", "streamkey"), Role.DETAILS),
    **dict.fromkeys((*_LOGINS.split(), *_PROOFS.split()), Role.SECRET),
}

#: Texts that say nothing about anybody: for where no place tells what a text is.
HARMLESS = frozenset(
    (
        *_CLIENT,
        *("onFCPublish", "onFCUnpublish", "onFCSubscribe", "onFCUnsubscribe", "close", "|RtmpSampleAccess"),
        *("onMetaData", "@setDataFrame", "@clearDataFrame", "onTextData", "onCuePoint", "onFI", "onCaption"),
        *("live", "record", "append", "appendWithGap", "nonprivate", "status", "error", "warning"),
    )
)

#: What may be done to each text: it is given the text and its role, and returns what is to stand there.
Change = Callable[[str, Role], str]


def changed(values: Sequence[AMFValue], side: Side, isCommand: bool, change: Change) -> tuple[AMFValue, ...]:
    """
    The values of a message, with each text in them as C{change} wants it.

    @param values: of a command or data message, from the name on.
    @param side: who says it.
    @param isCommand: else it is data.
    """
    name = values[0] if values and isinstance(values[0], str) else ""
    if not isCommand:
        roles: tuple[Role, ...] = (Role.TEXT,)
    elif side is Side.CLIENT:
        roles = _CLIENT.get(name, (Role.SECRET,))
    else:
        roles = (Role.DESCRIPTION if name == "onStatus" else Role.STATUS,)
    return tuple(
        _changed(value, Role.TEXT if position < 2 else roles[min(position - 2, len(roles) - 1)], change)
        for position, value in enumerate(values)
    )


def _changed(value: AMFValue, role: Role, change: Change) -> AMFValue:
    """One value, whose own role is known; those in it may have others."""
    if isinstance(value, str):
        text = change(str(value), role)
        return XMLDocument(text) if isinstance(value, XMLDocument) else text
    if isinstance(value, dict):
        members = {
            change(key, Role.TEXT): _changed(member, _memberRole(key, role), change) for key, member in value.items()
        }
        if isinstance(value, TypedObject):
            return TypedObject(change(value.className, Role.TEXT), members)
        return ECMAArray(members) if isinstance(value, ECMAArray) else members
    if isinstance(value, Dictionary):
        return Dictionary(
            [(_changed(key, role, change), _changed(item, role, change)) for key, item in value], value.weak
        )
    if isinstance(value, Vector):
        items = [_changed(item, role, change) for item in value]
        return Vector(value.kind, items, value.fixed, change(value.typeName, Role.TEXT))
    if isinstance(value, (list, tuple)):
        return [_changed(item, role, change) for item in value]
    return value


def _memberRole(name: str, role: Role) -> Role:
    """The role of a member, in an object that has a role itself."""
    known = _MEMBERS.get(name.lower(), role)
    if role is Role.DESCRIPTION and known is role and name != "description":
        return Role.STATUS
    return known
