# -*- test-case-name: tests.test_interfaces -*-
"""
Tests for L{rtmptw.interfaces}: whoever says that it provides an interface does so.
"""

from __future__ import annotations

import inspect
import pkgutil
from importlib import import_module

from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementedBy
from zope.interface.verify import verifyClass, verifyObject

import rtmptw
from rtmptw import interfaces
from rtmptw.interfaces import ILink, IOutlet, IPublication, IStreamHub, ISubscription, IViewing
from tests.session.dialects import Stage


def classes() -> list[type]:
    """Every class that is defined in rtmptw, but for the interfaces."""
    modules = [import_module(name) for _, name, _ in pkgutil.walk_packages(rtmptw.__path__, "rtmptw.")]
    return [
        value
        for module in modules
        for value in vars(module).values()
        if inspect.isclass(value) and value.__module__ == module.__name__
    ]


class InterfaceTests(SynchronousTestCase):
    def test_everyClass(self) -> None:
        """The methods are there, with the right arguments."""
        found = set()
        for value in classes():
            for interface in implementedBy(value):
                if interface.__module__ == interfaces.__name__:
                    # Attributes are looked at below; here only what a class shows.
                    self.assertTrue(verifyClass(interface, value))
                    found.add(interface.__name__)
        expected = set(interfaces.__all__) - {"ISubscriber"}
        self.assertEqual(expected - found, set())

    def test_objects(self) -> None:
        """Attributes too."""
        stage = Stage(self)
        publisher, player = stage.publisher(), stage.player()
        stream = next(iter(stage.factory.hub))
        rows = [
            (ILink, publisher.protocol),
            (IOutlet, publisher.protocol.outlet),
            (IStreamHub, stage.factory.hub),
            (IPublication, stream.publication),
            (IViewing, player.protocol.session._streams[1]._viewing),
            (ISubscription, stage.subscriptions[0]),
        ]
        for interface, value in rows:
            self.assertTrue(verifyObject(interface, value))

    def test_everyMethodIsDescribed(self) -> None:
        for name in interfaces.__all__:
            interface = getattr(interfaces, name)
            self.assertTrue(interface.__doc__, name)
            for member, description in interface.namesAndDescriptions():
                self.assertTrue(description.__doc__, f"{name}.{member}")
