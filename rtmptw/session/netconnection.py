# -*- test-case-name: tests.session.test_netconnection -*-
"""
NetConnection: what two peers say to each other, as far as both sides of it are the same (RTMP 1.0, section 7.2.1).

::

    FRESH --connect--> CONNECTING --accepted--> CONNECTED --> ENDED
                           |                        |           ^
                           +--------refused---------+-----------+

Messages come in one at a time and are given, by their type, to a method (L{NetConnection.RECEIVERS}). Pings are
answered and windows acknowledged here. What a command means is the business of the two sides:
L{rtmptw.session.serverconnection.ServerConnection} and L{rtmptw.session.clientconnection.ClientConnection}.
"""

from __future__ import annotations

from enum import Enum
from typing import ClassVar

from rtmptw.interfaces import ILink
from rtmptw.session.acknowledgement import Acknowledgements
from rtmptw.wire.aggregate import splitAggregate
from rtmptw.wire.command import Command
from rtmptw.wire.control import UserControl, UserControlType
from rtmptw.wire.message import Message, MessageType

__all__ = ["NetConnection", "Phase"]

#: How much of a command's name goes into the log, characters.
MAX_LOGGED = 64


class Phase(Enum):
    """How far a connection has come."""

    FRESH = "before connect"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    ENDED = "ended"


class NetConnection:
    """
    One side of one connection, from the first message on.

    @ivar phase: how far it has come.
    @ivar lastCommand: the name of the last command that came, for the log.
    @ivar commands: how many commands and user control messages have come in this second.
    @ivar waiting: whether something has to be decided first; nothing may be given to L{messageReceived} meanwhile.
    @ivar silent: whether nothing may be sent that does not have to be: a server's word to a publisher that does not
        read costs it the end of its stream (wire facts 0.2).
    """

    #: By message type. What is not here is passed over (wire facts 10.25).
    RECEIVERS: ClassVar[dict[int, str]] = {
        MessageType.USER_CONTROL: "_userControlReceived",
        MessageType.WINDOW_ACKNOWLEDGEMENT_SIZE: "_windowReceived",
        MessageType.AUDIO: "_mediaReceived",
        MessageType.VIDEO: "_mediaReceived",
        MessageType.DATA_AMF3: "_dataReceived",
        MessageType.DATA: "_dataReceived",
        MessageType.COMMAND_AMF3: "_commandReceived",
        MessageType.COMMAND: "_commandReceived",
        MessageType.AGGREGATE: "_aggregateReceived",
    }

    def __init__(self, link: ILink) -> None:
        self.phase = Phase.FRESH
        self.lastCommand = ""
        self.commands = 0
        self.silent = False
        self.waiting = False
        self._link = link
        self._acknowledgements: Acknowledgements | None = None
        self._pings = link.limits.pings

    # What the connection below asks

    @property
    def activity(self) -> str:
        """What it is doing or has done last, for the log."""
        raise NotImplementedError

    @property
    def connected(self) -> bool:
        """Whether the connect was accepted."""
        return self.phase is Phase.CONNECTED

    @property
    def publishing(self) -> bool:
        """Whether the peer publishes: then its silence means that it is gone."""
        return False

    @property
    def awaitsMedia(self) -> bool:
        """Whether the peer publishes, and has sent no media yet."""
        return False

    @property
    def playing(self) -> bool:
        """Whether the peer plays."""
        return False

    @property
    def active(self) -> bool:
        """Whether the connection does anything. The server lets go of one that does not, after a while."""
        return True

    @property
    def isOfUse(self) -> bool:
        """Whether anybody gets anything by the connection now. Where places are short, others go first."""
        return self.active

    # What the connection below tells

    def begin(self) -> None:
        """The handshake is done."""

    def messageReceived(self, message: Message) -> None:
        """
        Take the next message.

        @raise RemoteProtocolError: if it is a command or aggregate that can't be read.
        """
        receiver = self.RECEIVERS.get(message.type)
        if receiver is not None and self.phase is not Phase.ENDED:
            getattr(self, receiver)(message)

    def flush(self, received: int) -> None:
        """
        All messages of one read have been taken.

        @param received: all bytes received so far.
        """
        # At most one acknowledgement for a read, and none to somebody who sends media (wire facts 2.8, 10.94).
        if not self.silent:
            self._acknowledge(received)

    def second(self, received: int, quiet: bool) -> None:
        """
        A second has passed.

        @param received: all bytes received so far.
        @param quiet: whether none of them came in this second: the time to acknowledge to a publisher that asked.
        """
        self._pings = self._link.limits.pings
        self.commands = 0
        if quiet and not self.waiting:
            self._acknowledge(received)

    def _acknowledge(self, received: int) -> None:
        if self._acknowledgements is not None:
            self._link.send(*self._acknowledgements.due(received))

    def farewell(self, reason: str, code: str) -> tuple[Message, ...]:
        """
        The last words before we close the connection.

        @param code: the status that tells the peer the reason, or nothing.
        """
        return ()

    def end(self, reason: str) -> None:
        """
        The connection is over: end what it was doing, after all that was received. Harmless when repeated.
        """
        self.phase = Phase.ENDED

    def gone(self, reason: str, cleanly: bool) -> None:
        """
        The transport is gone as well. L{end} was called before.

        @param cleanly: whether the peer had everything that we sent: it has closed after we had.
        """

    # Messages

    def _userControlReceived(self, message: Message) -> None:
        control = UserControl.decode(message.payload)
        if control is None:
            return
        # Each is work, as a command is: a flood of them waits as well.
        self.commands += 1
        if control.event != UserControlType.PING_REQUEST:
            self._controlReceived(control)
        elif not self._pings:
            self._link.reached.add("pings")
        # Somebody who does not read our answers gets no more of them.
        elif self._link.outlet.ready:
            self._pings -= 1
            self._link.send(UserControl(UserControlType.PING_RESPONSE, control.value).encode())

    def _windowReceived(self, message: Message) -> None:
        if self._acknowledgements is None:
            self._acknowledgements = Acknowledgements()
        self._acknowledgements.windowReceived(message)

    def _controlReceived(self, control: UserControl) -> None:
        """A user control message other than a ping."""

    def _mediaReceived(self, message: Message) -> None:
        """Audio or video."""
        raise NotImplementedError

    def _dataReceived(self, message: Message) -> None:
        """Metadata and the like."""
        raise NotImplementedError

    def _aggregateReceived(self, message: Message) -> None:
        for part in splitAggregate(message):
            if part.type in (MessageType.AUDIO, MessageType.VIDEO):
                self._mediaReceived(part)
            elif part.type == MessageType.DATA:
                self._dataReceived(part)

    def _commandReceived(self, message: Message) -> None:
        if not message.payload:
            return
        command = self._decode(message)
        self.lastCommand = command.name[:MAX_LOGGED]
        self.commands += 1
        self._obey(command, message.streamId)

    def _decode(self, message: Message) -> Command:
        return Command.decode(message, self._link.limits.ofCommands)

    def _obey(self, command: Command, id: int) -> None:
        """
        A command.

        @param id: the message stream that it came on.
        """
        raise NotImplementedError
