# -*- test-case-name: tests.test_interfaces -*-
"""
Where things plug in.

For those who build on rtmptw:

- L{IApplication}: who may connect, publish and play.
- L{ISubscriber}: Python code that wants a stream's media.
- L{IStreamObserver}: Python code that wants to know of every publish; recorders and relays are such.
- L{IStreamSource}: Python code that can bring streams which nobody publishes; relays are such, too.

Between the layers:

- L{IStreamHub}, L{IPublisher}, L{IPublication}, L{IViewing}: what sessions need of streams.
- L{ILink}, L{IOutlet}: what sessions and streams need of a connection.
- L{IOwner}: what a connection needs of the server or client that it belongs to.
"""

from __future__ import annotations

from twisted.internet.interfaces import IPushProducer
from zope.interface import Attribute, Interface

__all__ = [
    "IApplication",
    "ILink",
    "IOutlet",
    "IOwner",
    "IPublication",
    "IPublisher",
    "IStreamHub",
    "IStreamObserver",
    "IStreamSource",
    "ISubscriber",
    "ISubscription",
    "IViewing",
]


class IApplication(Interface):
    """
    The rules of a server.

    Each method may return at once, return a Deferred, or be a coroutine. To refuse, raise (or fail with)
    L{rtmptw.errors.StatusError}: the client is told the reason, then the connection is closed. Any other exception is
    logged, and refuses without giving its text away; so does C{False}, without a reason. Any other result is a yes; a
    L{rtmptw.requests.Granted} is a yes for another stream than the one that the client has named.

    Until the answer is there nothing else of this connection is processed, and little of it is kept. After 30 s (the
    limit C{verdictSeconds}) the Deferred is cancelled, and the request refused. A client that leaves meanwhile is still
    decided about: what it has sent is passed on if the answer is yes.
    """

    def connectRequested(request):  # type: ignore[no-untyped-def]
        """
        Somebody connects.

        @type request: L{rtmptw.requests.ConnectRequest}
        """

    def publishRequested(request):  # type: ignore[no-untyped-def]
        """
        Somebody wants to publish.

        @type request: L{rtmptw.requests.PublishRequest}
        """

    def playRequested(request):  # type: ignore[no-untyped-def]
        """
        Somebody wants to play.

        @type request: L{rtmptw.requests.PlayRequest}
        """


class ISubscriber(Interface):
    """
    Python code that takes a stream's media, every message of it, in order, in the reactor's thread.

    A subscriber that comes late is first given the metadata, the sequence headers and everything from the newest
    keyframe on. One that raises is logged and loses its subscription; nobody else notices.
    """

    def messageReceived(message):  # type: ignore[no-untyped-def]
        """
        One message: audio, video or data.

        @type message: L{rtmptw.wire.message.Message}. Its payload is shared: keep it, don't change it.
        """

    def streamEnded(reason):  # type: ignore[no-untyped-def]
        """
        The stream has ended; everything that was published was given before. The subscription is over.

        @type reason: L{str}
        """


class ISubscription(Interface):
    """
    What L{IStreamHub.subscribe} gives: a hold on the stream.

    A subscriber that must not lose anything and can't keep up may C{pauseProducing()}: the publisher is not read until
    C{resumeProducing()}. Everybody else waits with it, so this is for short times.
    """

    def pauseProducing():  # type: ignore[no-untyped-def]
        """Stop reading the publisher."""

    def resumeProducing():  # type: ignore[no-untyped-def]
        """Read the publisher again."""

    def stopProducing():  # type: ignore[no-untyped-def]
        """End the subscription; C{streamEnded} is not called."""


class IStreamObserver(Interface):
    """Told about publishes. A publisher that comes back to its stream is no other one: nobody is told again."""

    def publishStarted(stream):  # type: ignore[no-untyped-def]
        """
        A publisher has got the name, and has sent nothing yet: a subscriber that is added now gets everything.

        @type stream: L{rtmptw.live.livestream.LiveStream}
        """


class IStreamSource(Interface):
    """
    Told which streams are wanted. It may bring one by publishing it in the hub (L{IStreamHub.publish}), now or later.
    """

    def streamWanted(path, hops):  # type: ignore[no-untyped-def]
        """
        The first one has come who wants this stream by its name; somebody may be publishing it, or not.

        @param path: the stream's identity.
        @param hops: the identities of the servers that the one who wants it relays it to, a tuple; mostly none.
        """

    def streamUnwanted(path):  # type: ignore[no-untyped-def]
        """The last one of them has gone."""


class IStreamHub(Interface):
    """Names to streams."""

    def whenFree(path, principal="", origin=""):  # type: ignore[no-untyped-def]
        """
        Wait until a name can be published. Mostly that is so at once; or its publisher is silent, and has some time to
        be heard.

        @param path: the stream's identity, as L{rtmptw.requests.StreamRequest.path}.
        @param principal: who wants it, as L{rtmptw.requests.StreamRequest.principal}.
        @param origin: where he comes from, as L{ILink.origin}.
        @return: a coroutine.
        @raise StatusError: if the name is taken: C{NetStream.Publish.BadName}.
        """

    def publish(path, publisher, hops=(), principal=""):  # type: ignore[no-untyped-def]
        """
        Take a name.

        @param path: the stream's identity.
        @param publisher: a L{twisted.internet.interfaces.IPushProducer}: whom to hold when a subscriber must, and to
            stop when somebody else gets the name. An L{IPublisher}, if it can tell when it was heard.
        @param hops: the identities of the servers that it comes through, a tuple of L{str}.
        @param principal: who publishes, as far as proven.
        @rtype: L{IPublication}
        @raise StatusError: if the name is taken: C{NetStream.Publish.BadName}.
        """

    def play(path, outlet, streamId, ended, hops=()):  # type: ignore[no-untyped-def]
        """
        Begin to send a stream to a viewer, now or as soon as somebody publishes it.

        @type outlet: L{IOutlet}
        @param streamId: the message stream ID for what is sent.
        @param ended: called without arguments when the publisher has ended and all of it was handed to the outlet.
        @param hops: the identities of the servers that it goes on to, a tuple of L{str}.
        @rtype: L{IViewing}
        """

    def subscribe(path, subscriber):  # type: ignore[no-untyped-def]
        """
        Give a stream's media to Python code, now or as soon as somebody publishes it, until one publisher has ended.

        @type subscriber: L{ISubscriber}
        @rtype: L{ISubscription}
        """


class IPublisher(IPushProducer):
    """A publisher that can tell when it was heard last."""

    quiet = Attribute("L{float}: for how long nothing has come from it, seconds.")
    origin = Attribute("L{str}: where it comes from, as L{ILink.origin}. It may be left out.")

    def displaced():  # type: ignore[no-untyped-def]
        """Somebody else has got the name. What was published is his stream now."""


class IPublication(Interface):
    """A publisher's hold on a name."""

    path = Attribute("The stream's identity.")
    hops = Attribute("The identities of the servers that it comes through, a tuple of L{str}.")

    def append(message):  # type: ignore[no-untyped-def]
        """
        Take one audio, video or data message (data without C{@setDataFrame}) and give it to the subscribers.

        @type message: L{rtmptw.wire.message.Message}
        """

    def clearMetadata(name):  # type: ignore[no-untyped-def]
        """Forget a data message that late joiners would be sent (C{@clearDataFrame})."""

    def flush():  # type: ignore[no-untyped-def]
        """Nothing more will come in this turn of the reactor: give what has come to the viewers."""

    isOver = Attribute("L{bool}: whether the name is neither held nor kept for this publisher any more.")

    def suspend(reason, isSaid=False):  # type: ignore[no-untyped-def]
        """
        Give the name back; but the publisher may come back, and is waited for. Everything appended reaches subscribers
        and viewers first. Harmless when repeated.

        @param isSaid: whether the publisher has said that this is the end, and is still there.
        """

    def end(reason):  # type: ignore[no-untyped-def]
        """
        The stream is over, also if it waits for this publisher to come back. Everything appended reaches subscribers
        and viewers first. Harmless when repeated, or when another publisher has gone on with the stream.
        """


class IViewing(Interface):
    """A viewer's place in a stream."""

    isOn = Attribute("L{bool}: whether somebody publishes the stream, or may come back to do so.")

    def pause():  # type: ignore[no-untyped-def]
        """Send nothing."""

    def resume():  # type: ignore[no-untyped-def]
        """Go on where it was, or from the newest keyframe if that is later."""

    def receive(type, wanted):  # type: ignore[no-untyped-def]
        """
        Send a type of message, or do not.

        @param type: C{MessageType.AUDIO} or C{MessageType.VIDEO}.
        """

    def stop():  # type: ignore[no-untyped-def]
        """Leave the stream; C{ended} is not called. Harmless when repeated."""


class IOutlet(Interface):
    """
    The one way out of a connection: every byte leaves through it, so order can't break.
    """

    ready = Attribute("L{bool}: whether the connection takes more; what is written regardless is kept.")

    block = Attribute("L{int}: how many bytes are best offered at a time.")

    peer = Attribute("L{str}: who is at the other end, for the log.")

    def write(data):  # type: ignore[no-untyped-def]
        """
        Send bytes that are chunks already, whole messages only; all of it, now or later.

        @type data: L{bytes}, or a L{memoryview} of what nobody changes.
        """

    def offer(data):  # type: ignore[no-untyped-def]
        """
        Send as much as the connection takes at once. To be called while C{ready}.

        If that is not all of C{data}, the rest of the message in which it stopped must be written next.

        @type data: L{bytes}
        @return: how many bytes were taken.
        """

    def attach(drained):  # type: ignore[no-untyped-def]
        """Have C{drained()} called each time the outlet becomes ready again. Nobody asks whether it is meanwhile."""

    def detach(drained):  # type: ignore[no-untyped-def]
        """Undo L{attach}."""


class ILink(Interface):
    """
    What a NetConnection needs of the connection below it.
    """

    outlet = Attribute("The L{IOutlet}.")
    peer = Attribute("L{str}: who is at the other end, for the log.")
    origin = Attribute("L{str}: what is most likely the same for the same peer; nothing, if many share its address.")
    secure = Attribute("L{bool}: whether the connection is encrypted by TLS.")
    limits = Attribute("The L{rtmptw.limits.Limits} that it keeps.")
    reached = Attribute("The L{rtmptw.limits.Reached}: how often each limit was reached.")
    quiet = Attribute("L{float}: for how long nothing has come while it was read, seconds.")

    def write(message):  # type: ignore[no-untyped-def]
        """Send media, however much has not left yet: whoever sends it looks at the outlet."""

    def send(*messages):  # type: ignore[no-untyped-def]
        """Send messages in one write, cut at our chunk size."""

    def trust():  # type: ignore[no-untyped-def]
        """The peer may send media: large messages from here on."""

    def hold(who):  # type: ignore[no-untyped-def]
        """Do not read the peer until C{who} lets go, and everybody else who holds."""

    def release(who):  # type: ignore[no-untyped-def]
        """Undo L{hold}. Harmless when repeated."""

    def proceed():  # type: ignore[no-untyped-def]
        """The application has answered: go on with what was held meanwhile."""

    def close(reason, code=""):  # type: ignore[no-untyped-def]
        """
        Send what was written, then close.

        @param reason: for the log.
        @param code: if given, a status that tells the peer the reason as well.
        """

    def abort(reason):  # type: ignore[no-untyped-def]
        """
        Close at once, whatever is still to be sent. Harmless on a connection that is gone.

        @param reason: for the log, if none was given before.
        """


class IOwner(Interface):
    """
    What a connection needs of the server or client that it belongs to.
    """

    clock = Attribute("The L{twisted.internet.interfaces.IReactorTime}.")
    verbose = Attribute("L{bool}: whether every message has a line in the log.")
    hidesNames = Attribute("L{bool}: whether that line leaves out what a client calls a stream: it may be a key.")
    limits = Attribute("The L{rtmptw.limits.Limits}.")
    reached = Attribute("The L{rtmptw.limits.Reached}: how often each limit was reached.")
    publisherLimits = Attribute("The L{rtmptw.wire.limits.ReadLimits} of those who may send media.")

    def handshake():  # type: ignore[no-untyped-def]
        """
        Our side of a handshake.

        @rtype: L{rtmptw.wire.handshake.Handshake}
        """

    def session(link):  # type: ignore[no-untyped-def]
        """
        Our side of what is said after the handshake.

        @type link: L{ILink}
        @rtype: L{rtmptw.session.netconnection.NetConnection}
        """

    def connectionMade(protocol):  # type: ignore[no-untyped-def]
        """A connection has come: its C{second()} is to be called every second."""

    def origin(protocol):  # type: ignore[no-untyped-def]
        """
        See L{ILink.origin}.

        @rtype: L{str}
        """

    def tells(protocol):  # type: ignore[no-untyped-def]
        """
        Whether the log is to have a line about a connection that is about to be lost.

        @rtype: L{bool}
        """

    def connectionLost(protocol):  # type: ignore[no-untyped-def]
        """A connection has gone, and is done with."""
