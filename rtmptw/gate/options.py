# -*- test-case-name: tests.gate.test_options -*-
"""
Whom C{twistd rtmp} trusts, at its command line.
"""

from __future__ import annotations

from twisted.python.usage import Options, UsageError

from rtmptw.gate.admission import TRUSTED
from rtmptw.gate.network import readNetwork

__all__ = ["AdmissionOptions"]

_NOBODY = "none"


class AdmissionOptions(Options):
    """
    The options. They are a part of L{rtmptw.tap.Options}; C{["trusted"]} has the networks, a tuple, for
    L{rtmptw.server.RTMPServerFactory}.
    """

    def __init__(self) -> None:
        super().__init__()
        self.update(trusted=TRUSTED)

    # One line, because the help shows line breaks as they are here.
    def opt_trust(self, network: str) -> None:
        """NETWORK: no limits of an address, as 10.0.0.0/8; or none; repeatable. [default: 127.0.0.1 and ::1]"""
        if network == _NOBODY:
            self["trusted"] = ()
            return
        try:
            self["trusted"] = (*self["trusted"], readNetwork(network))
        except ValueError as error:
            raise UsageError(f"--trust {error}") from None
