"""
The service of C{twistd rtmp} with the authentication of Limelight's servers, in a process of its own: it asks whoever
connects, and says what each connect has said, a line of JSON each::

    {"app": "live?authmod=llnw&user=camera", "tcUrl": "rtmp://127.0.0.1/live?authmod=llnw&user=camera"}

It is run as C{python -m tests.interop.limelight}, with the options of C{twistd rtmp}. What is right, it works out by
itself, and only from what was sent.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys

from twisted.internet import reactor
from twisted.logger import globalLogBeginner, textFileLogObserver
from zope.interface import implementer

from rtmptw import ConnectRequest, IApplication, OpenApplication, StatusError
from rtmptw.tap import Options, makeService

__all__ = ["ECHOED", "FORGETFUL", "LONG", "USERS"]

#: Longer than FFmpeg takes it.
LONG = "0123456789" * 6

#: The user who is called otherwise in what the server wants; and how.
FORGETFUL, ECHOED = "forgetful", "camera"

#: By user: the password.
USERS = {"camera": "sesame", "long": LONG[:49], "al%40b": "p%40ss", "al@b": "p@ss", FORGETFUL: "no"}

_REJECT = "[ AccessManager.Reject ] : "


def _md5(*parts: str) -> str:
    return hashlib.md5(":".join(parts).encode()).hexdigest()


@implementer(IApplication)
class Limelight(OpenApplication):
    """Who knows the password may do everything."""

    def __init__(self) -> None:
        self._nonces: set[str] = set()

    def connectRequested(self, request: ConnectRequest) -> None:
        """Ask, and look at the answer."""
        app = str(request.parameters["app"])
        print(json.dumps({"app": app, "tcUrl": request.tcUrl}), flush=True)
        plain, _, query = re.sub("[?&]authmod=", "\0authmod=", app, count=1).partition("\0")
        said = dict(field.split("=", 1) for field in query.split("&") if field)
        if not said:
            raise StatusError(f"{_REJECT}[ code=403 need auth; authmod=llnw ] : ")
        user = said["user"]
        if "response" not in said:
            nonce = os.urandom(12).hex()
            self._nonces.add(nonce)
            echoed = ECHOED if user == FORGETFUL else user
            raise StatusError(f"{_REJECT}[ authmod=llnw ] : ?reason=needauth&user={echoed}&nonce={nonce}")
        if "/" not in plain:
            plain += "/_definst_"
        right = _md5(
            _md5(user, "live", USERS.get(user, "")),
            *(said["nonce"], "00000001", said["cnonce"], "auth"),
            _md5("publish", f"/{plain}"),
        )
        if said["nonce"] not in self._nonces or said["response"] != right:
            raise StatusError(f"{_REJECT}[ authmod=llnw ] : ?reason=authfailed")
        self._nonces.remove(said["nonce"])


def main() -> None:
    """Serve until SIGTERM."""
    globalLogBeginner.beginLoggingTo([textFileLogObserver(sys.stdout)], redirectStandardIO=False)
    options = Options()
    options.parseOptions(sys.argv[1:])
    service = makeService(options)
    service.factory.application = Limelight()  # type: ignore[attr-defined]
    service.privilegedStartService()
    service.startService()
    reactor.addSystemEventTrigger("before", "shutdown", service.stopService)
    reactor.run()


if __name__ == "__main__":
    main()
