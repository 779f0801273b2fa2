# -*- test-case-name: tests.cli.test_key -*-
"""
C{rtmptw key}: stream keys for C{twistd rtmp --publish-keys} and C{--play-keys}.
"""

from __future__ import annotations

import os
import sys
from typing import Any, ClassVar

from twisted.python.usage import UsageError

from rtmptw.auth.keyfile import MAX_KEYS, KeyFileError, checkKey, checkKeyPath, keyLine, newKey, readKeys, saltOf
from rtmptw.cli.options import STANDARD, CommandOptions, fail

__all__ = ["KeyOptions", "run"]

_EXAMPLES = """
The key is shown this once: the file has a hash of it.

  rtmptw key live/camera --add KEYS
      make a key, put its hash into the file KEYS, and print the key
  twistd rtmp --publish-keys KEYS
      then rtmp://HOST/live/KEY publishes live/camera, and so does
      rtmp://HOST/live/camera?key=KEY; in OBS it is the stream key
  rtmptw key live/camera --key - < FILE
      take the first line of FILE for the key, and print the line for KEYS
"""

#: Nobody else need read the hashes; and without them nobody gets in.
_MODE = 0o600


class KeyOptions(CommandOptions):
    """rtmptw key"""

    command = "key"
    synopsis = "[options] APPLICATION/NAME"
    longdesc = "Make a stream key, and the line for it in a file of keys."
    examples = _EXAMPLES

    optParameters: ClassVar[list[list[Any]]] = [
        ["add", None, None, "Append the line to this file, which is made if there is none."],
        ["key", None, None, "Take the key from standard input: - is all that can stand here. [default: a new one]"],
    ]

    def parseArgs(self, *arguments: str) -> None:
        """The stream."""
        if len(arguments) != 1:
            raise UsageError("key needs a stream, as live/camera")
        self["path"] = arguments[0]
        try:
            checkKeyPath(arguments[0])
        except ValueError as error:
            raise UsageError(str(error)) from None

    def postOptions(self) -> None:
        """
        @raise UsageError: if something can't be. It does not show what may be a key.
        """
        if self["key"] not in (None, STANDARD):
            raise UsageError(
                "--key takes only -, since others can see the command line: the key comes on standard input"
            )


async def run(reactor: Any, options: KeyOptions) -> None:
    """
    Make it, and tell.

    @raise SystemExit: with status 1, if that can't be.
    """
    key = newKey() if options["key"] is None else sys.stdin.readline().strip()
    try:
        checkKey(key)
    except ValueError as error:
        fail(f"{options.title}: {error}")
    if options["add"] is None:
        line = keyLine(options["path"], key)
        print(f"key:  {key}\nline: {line}" if options["key"] is None else line)
        return
    try:
        _append(options["add"], options["path"], key)
    except OSError as error:
        fail(f"{options.title}: {options['add']}: {error.strerror}")
    except KeyFileError as error:
        fail(f"{options.title}: {error}; nothing was added")
    if options["key"] is None:
        print(key)


def _append(path: str, stream: str, key: str) -> None:
    """
    Add a line in one write, so that a server which reads the file meanwhile sees all of it or nothing.

    @param stream: what the key is for.
    @raise OSError: if that can't be.
    @raise KeyFileError: if no server would take the file then: it is another one, or full.
    """
    keys = readKeys(path) if os.path.exists(path) else []
    if len(keys) >= MAX_KEYS:
        raise KeyFileError(f"{path}: it has {MAX_KEYS} keys already, and can't have more")
    line = keyLine(stream, key, saltOf(keys))
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, _MODE)
    try:
        size = os.fstat(file).st_size
        needsEnd = size > 0 and os.pread(file, 1, size - 1) != b"\n"
        os.write(file, f"{chr(10) * needsEnd}{line}\n".encode())
    finally:
        os.close(file)
