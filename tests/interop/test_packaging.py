"""
Installed as users install it: C{twistd} knows C{rtmp} wherever it is called, and Twisted survives the uninstall.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import venv
from pathlib import Path
from unittest import SkipTest, TestCase

from tests.interop.processes import siege

ROOT = Path(__file__).parents[2]


class Installation:
    """A virtual environment of its own, and an empty directory to call things from."""

    def __init__(self, directory: str) -> None:
        self.path = Path(directory)
        self.elsewhere = self.path / "elsewhere"
        self.elsewhere.mkdir()
        self.home = self.path / "venv"
        venv.create(self.home, with_pip=True, symlinks=True)

    def run(self, program: str, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a program of this environment, somewhere else than in the project."""
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        return subprocess.run(
            [str(self.home / "bin" / program), *arguments],
            cwd=self.elsewhere,
            env=environment,
            capture_output=True,
            text=True,
            timeout=240,
            check=check,
        )

    def pip(self, *arguments: str) -> None:
        """Call pip, quietly; what it says is shown if it fails."""
        done = self.run("python", "-m", "pip", "--disable-pip-version-check", *arguments, check=False)
        if done.returncode:
            if "Temporary failure in name resolution" in done.stderr and "RTMPTW_INTEROP" not in os.environ:
                raise SkipTest("pip has no network to install Twisted from")
            raise AssertionError(f"pip {' '.join(arguments)}:\n{done.stdout}{done.stderr}")


@siege
class PackagingTests(TestCase):
    """One environment for all ways to install: most of the time goes into installing Twisted."""

    def setUp(self) -> None:
        directory = tempfile.mkdtemp(prefix="rtmptw-")
        self.addCleanup(shutil.rmtree, directory)
        self.installation = Installation(directory)

    def checkInstalled(self) -> None:
        """C{twistd} lists it, and shows its help."""
        self.assertRegex(self.installation.run("twistd", "--help").stdout, r"(?m)^ +rtmp +\S")
        self.assertIn("--record", self.installation.run("twistd", "rtmp", "--help").stdout)
        shown = self.installation.run("python", "-c", "import rtmptw, sys; print(rtmptw.__version__)")
        self.assertRegex(shown.stdout, r"^\d+\.\d+\.\d+$")

    def checkUninstalled(self) -> None:
        """It is gone, and C{twistd} is as it was before."""
        self.installation.pip("uninstall", "--yes", "rtmptw")
        listed = self.installation.run("twistd", "--help").stdout
        self.assertNotRegex(listed, r"(?m)^ +rtmp +\S")
        self.assertRegex(listed, r"(?m)^ +web +\S")
        self.assertEqual(self.installation.run("python", "-c", "import rtmptw", check=False).returncode, 1)
        self.installation.run("python", "-c", "import twisted.internet.reactor, twisted.internet.endpoints")

    def copyOfTheProject(self) -> str:
        """A copy, so that no build leaves anything in the project, and nothing in the project leaks into a build."""
        copy = Path(tempfile.mkdtemp(dir=self.installation.path))
        for name in ("setup.py", "pyproject.toml", "README.rst", "LICENSE"):
            shutil.copy(ROOT / name, copy)
        for name in ("rtmptw", "twisted"):
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "dropin.cache"))
        return str(copy)

    def test_installs(self) -> None:
        """
        C{pip install .}; then C{pip install -e .} with the pip that Python brings and with the newest: they do it
        differently.
        """
        self.installation.pip("install", self.copyOfTheProject())
        self.checkInstalled()
        self.checkUninstalled()
        for _ in range(2):
            self.installation.pip("install", "--editable", self.copyOfTheProject())
            self.checkInstalled()
            self.checkUninstalled()
            self.installation.pip("install", "--upgrade", "pip")
