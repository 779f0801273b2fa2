# -*- test-case-name: tests.test_exports -*-
"""
Tests for the public names.
"""

from __future__ import annotations

import os
import pkgutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

import rtmptw

PUBLIC = {
    "AuthenticationError",
    "CacheLimits",
    "CallError",
    "CallTimedOut",
    "ClientConnection",
    "ConnectRequest",
    "ConnectionClosed",
    "FlushTimes",
    "Granted",
    "IApplication",
    "IStreamObserver",
    "IStreamSource",
    "ISubscriber",
    "ISubscription",
    "LimitExceeded",
    "LiveStream",
    "LocalProtocolError",
    "MediaKind",
    "MediaTag",
    "Message",
    "MessageType",
    "OpenApplication",
    "PlayRequest",
    "PlayedStream",
    "PublishRequest",
    "PublishedStream",
    "Pull",
    "Push",
    "RTMPClientFactory",
    "RTMPError",
    "RTMPServerFactory",
    "RTMPURL",
    "RemoteProtocolError",
    "StatusError",
    "StreamHub",
    "URLError",
    "__version__",
    "classify",
    "connect",
    "describe",
    "play",
    "publish",
}


class ExportTests(SynchronousTestCase):
    def test_publicNames(self) -> None:
        """A name that is once public stays."""
        self.assertEqual(sorted(PUBLIC - set(rtmptw.__all__)), [])
        for name in rtmptw.__all__:
            self.assertTrue(hasattr(rtmptw, name), name)

    def test_sorted(self) -> None:
        order = sorted(rtmptw.__all__, key=lambda name: (not name.isupper(), name))
        self.assertEqual(list(rtmptw.__all__), order)

    def test_everyModule(self) -> None:
        """Every module names what is public, and has it; every public name is described."""
        for _, name, isPackage in pkgutil.walk_packages(rtmptw.__path__, "rtmptw."):
            module = import_module(name)
            if isPackage:
                continue
            self.assertTrue(module.__doc__, name)
            for exported in module.__all__:
                value = getattr(module, exported)
                if callable(value) and getattr(value, "__module__", None) == name:
                    self.assertTrue(value.__doc__, f"{name}.{exported}")

    def test_noReactor(self) -> None:
        """No module installs a reactor when it is imported."""
        names = [name for _, name, _ in pkgutil.walk_packages(rtmptw.__path__, "rtmptw.")]
        program = (
            f"import sys, importlib\nfor name in {names!r}: importlib.import_module(name)\n"
            "sys.exit('twisted.internet.reactor' in sys.modules)"
        )
        environment = {**os.environ, "PYTHONPATH": str(Path(rtmptw.__file__).parents[1])}
        self.assertEqual(subprocess.run([sys.executable, "-c", program], env=environment).returncode, 0)
