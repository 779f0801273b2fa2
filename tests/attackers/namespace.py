# -*- test-case-name: tests.interop.test_cutlink -*-
"""
Network namespaces: machines of a test's own, with a cable between them that can be cut.

They have no names, so nothing of them is left when the process is gone, however that happens; and nothing that is done
in them concerns the network of this machine.
"""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self
from unittest import SkipTest

__all__ = ["Cable", "Namespace"]

_CLONE_NEWNET = 0x40000000
_OURS = "/proc/thread-self/ns/net"
_PATIENCE = 20


def _call(name: str, *arguments: int) -> None:
    """
    A system call.

    @raise OSError: if it fails.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments):
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


class Namespace:
    """
    A network namespace, with a loopback interface; to be used in a C{with}. It lives as long as anything is open in it.
    """

    def __init__(self) -> None:
        """
        @raise SkipTest: where there can be none.
        """
        if shutil.which("ip") is None:
            raise SkipTest("ip is not installed: Debian package iproute2")
        home = os.open(_OURS, os.O_RDONLY | os.O_CLOEXEC)
        try:
            _call("unshare", _CLONE_NEWNET)
            self._descriptor = os.open(_OURS, os.O_RDONLY | os.O_CLOEXEC)
            _call("setns", home, _CLONE_NEWNET)
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.EINVAL, errno.ENOSYS):
                raise
            raise SkipTest(f"no network namespaces here ({error}): they need root") from None
        finally:
            os.close(home)
        self.ip("link", "set", "lo", "up")

    @property
    def path(self) -> str:
        """How other processes find it."""
        return f"/proc/{os.getpid()}/fd/{self._descriptor}"

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Whatever this thread opens or starts meanwhile is in there."""
        home = os.open(_OURS, os.O_RDONLY | os.O_CLOEXEC)
        try:
            _call("setns", self._descriptor, _CLONE_NEWNET)
            yield
        finally:
            _call("setns", home, _CLONE_NEWNET)
            os.close(home)

    def ip(self, *arguments: str) -> None:
        """
        The program C{ip}, in there.

        @raise AssertionError: if it fails.
        """
        with self.inside():
            done = subprocess.run(["ip", *arguments], capture_output=True, text=True, timeout=_PATIENCE)
        if done.returncode:
            raise AssertionError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")

    def close(self) -> None:
        """It is gone, as soon as nothing is open in it. Harmless when repeated."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, type: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class Cable:
    """A cable between two namespaces, which have an address each."""

    def __init__(self, near: Namespace, nearAddress: str, far: Namespace, farAddress: str) -> None:
        """
        @param nearAddress: with the length of its network, such as 10.0.0.1/24.
        """
        self._near, self._far = near, far
        near.ip("link", "add", "near", "type", "veth", "peer", "name", "far", "netns", far.path)
        near.ip("address", "add", nearAddress, "dev", "near")
        far.ip("address", "add", farAddress, "dev", "far")
        near.ip("link", "set", "near", "up")
        self.mend()

    def cut(self) -> None:
        """Nothing comes through any more, and neither side is told."""
        self._far.ip("link", "set", "far", "down")

    def mend(self) -> None:
        """It does again."""
        self._far.ip("link", "set", "far", "up")

    def readdress(self, old: str, new: str) -> None:
        """The far side has another address: what was connected from the old one is not, and can't say so."""
        self._far.ip("address", "del", old, "dev", "far")
        self._far.ip("address", "add", new, "dev", "far")

    def remove(self) -> None:
        """It is gone, on both sides."""
        self._near.ip("link", "del", "near")
