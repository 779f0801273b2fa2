# -*- test-case-name: tests.gate.test_processmemory -*-
"""
Tests for L{rtmptw.gate.processmemory}.
"""

from __future__ import annotations

import builtins
import os
import sys
import tempfile
from mmap import PAGESIZE, mmap
from pathlib import Path
from typing import Any
from unittest import skipUnless

from twisted.trial.unittest import SynchronousTestCase

from rtmptw.gate import processmemory
from rtmptw.gate.processmemory import PEAK_SECONDS, PeakMemory, ResidentMemory, memoryBudget, residentMemory

MIB = 1024 * 1024


class ResidentTests(SynchronousTestCase):
    def newPath(self) -> Path:
        """A file that is not there yet."""
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        return Path(directory.name) / "statm"

    @skipUnless(os.path.exists("/proc/self/statm"), "this system has no /proc")
    def test_Linux(self) -> None:
        """It grows by the pages that are touched, and by these only: new ones, which no allocator had before."""
        read = residentMemory()
        self.assertIsInstance(read, ResidentMemory)
        with mmap(-1, 64 * MIB) as pages:
            before = read()
            self.assertGreater(before, 0)
            for position in range(0, len(pages), PAGESIZE):
                pages[position] = 1
            # Something else may have been given back meanwhile, but hardly as much.
            self.assertGreater(read() - before, 32 * MIB)

    def test_openedLate(self) -> None:
        """The file is opened when it is first needed, stays open, and is closed with the object."""
        path = self.newPath()
        path.write_text("1000 25 3 4 5 6 7\n")
        read = ResidentMemory(str(path))
        self.assertIsNone(read._file)
        page = os.sysconf("SC_PAGE_SIZE")
        self.assertEqual(read(), 25 * page)
        path.write_text("1000 26 3 4 5 6 7\n")
        file = read._file
        assert file is not None
        self.assertEqual((read(), read._file), (26 * page, file))
        # None of the system's is inherited by whom the process starts.
        self.assertFalse(os.get_inheritable(file))
        del read
        self.assertRaises(OSError, os.fstat, file)
        ResidentMemory("never read").__del__()

    def test_noDescriptor(self) -> None:
        """It can't be opened now, but later."""
        path = self.newPath()
        read = ResidentMemory(str(path))
        self.assertEqual(read(), 0)
        path.write_text("1000 25 3 4 5 6 7\n")
        self.assertEqual(read(), 25 * os.sysconf("SC_PAGE_SIZE"))

    def test_peak(self) -> None:
        """As long as it has grown of late it is what there is, then nobody knows."""
        peaks = [5, 5, 7]
        read = PeakMemory(lambda: peaks.pop(0) if len(peaks) > 1 else peaks[0])
        found = [read() for _ in range(PEAK_SECONDS + 4)]
        self.assertEqual(found, [5, 5, *[7] * PEAK_SECONDS, 0, 0])
        peaks[0] = 8
        self.assertEqual(read(), 8)

    def test_otherSystems(self) -> None:
        """The unit is the system's; one that has none of it knows nothing."""
        import resource

        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for platform, unit in (("freebsd14", 1024), ("darwin", 1)):
            self.patch(sys, "platform", platform)
            read = residentMemory("/nowhere/statm")
            self.assertIsInstance(read, PeakMemory)
            self.assertGreaterEqual(read(), most * unit)
            self.assertLess(read(), 2 * most * unit)
        imports = builtins.__import__

        def withoutResource(name: str, *rest: Any) -> Any:
            if name == "resource":
                raise ImportError(name)
            return imports(name, *rest)

        self.patch(builtins, "__import__", withoutResource)
        self.assertEqual(residentMemory("/nowhere/statm")(), 0)


class BudgetTests(SynchronousTestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = Path(directory.name)
        self.patch(processmemory, "_physical", lambda: iter([1000 * MIB]))

    def write(self, **files: str) -> None:
        """Files, where C{__} stands for a slash."""
        for name, text in files.items():
            path = self.root / name.replace("__", "/").replace("_dot_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def test_physical(self) -> None:
        """Without control groups it is what the machine has."""
        self.assertEqual(memoryBudget(self.root), 1000 * MIB)

    def test_version2(self) -> None:
        """The least of our group and all above it."""
        self.write(proc__self__cgroup="0::/system.slice/rtmptw.service\n")
        self.write(**{"sys__fs__cgroup__system.slice__rtmptw.service__memory_dot_max": "max\n"})
        self.assertEqual(memoryBudget(self.root), 1000 * MIB)
        self.write(**{"sys__fs__cgroup__system.slice__memory_dot_max": f"{300 * MIB}\n"})
        self.assertEqual(memoryBudget(self.root), 300 * MIB)
        self.write(**{"sys__fs__cgroup__system.slice__rtmptw.service__memory_dot_max": f"{200 * MIB}\n"})
        self.assertEqual(memoryBudget(self.root), 200 * MIB)

    def test_container(self) -> None:
        """The path is not there, but its root is; or the group is beside those of version 1."""
        self.write(proc__self__cgroup="0::/elsewhere/x\n", sys__fs__cgroup__memory_dot_max=f"{64 * MIB}\n")
        self.assertEqual(memoryBudget(self.root), 64 * MIB)
        self.write(sys__fs__cgroup__unified__elsewhere__memory_dot_max=f"{32 * MIB}\n")
        self.assertEqual(memoryBudget(self.root), 32 * MIB)

    def test_version1(self) -> None:
        """Its "no limit" is a number, larger than any memory; other controllers are not looked at."""
        self.write(
            proc__self__cgroup="9:name=systemd:/a\n5:cpu,cpuacct:/a\n4:memory:/a\n0::/\n",
            sys__fs__cgroup__memory__a__memory_dot_limit_in_bytes="9223372036854771712\n",
        )
        self.assertEqual(memoryBudget(self.root), 1000 * MIB)
        self.write(sys__fs__cgroup__memory__a__memory_dot_limit_in_bytes=f"{128 * MIB}\n")
        self.assertEqual(memoryBudget(self.root), 128 * MIB)

    def test_strange(self) -> None:
        """What can't be read is passed over."""
        self.write(proc__self__cgroup="nonsense\n\n::\n0::/\n", sys__fs__cgroup__memory_dot_max="a lot\n")
        self.assertEqual(memoryBudget(self.root), 1000 * MIB)


class MachineTests(SynchronousTestCase):
    def test_physical(self) -> None:
        self.assertEqual(list(processmemory._physical()), [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")])

    def test_budget(self) -> None:
        """This machine has some, and so has this process."""
        self.assertGreater(memoryBudget(), 16 * MIB)

    def test_unknown(self) -> None:
        """A system that does not say."""
        self.patch(os, "sysconf_names", {})
        self.assertEqual(memoryBudget(Path("/nowhere")), 0)
