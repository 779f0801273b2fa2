"""
A directory of PEM files, for tests.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from unittest import TestCase

__all__ = ["Directory"]


class Directory:
    """
    A directory that is gone after the test.

    @ivar path: where it is.
    """

    def __init__(self, test: TestCase) -> None:
        self.path = tempfile.mkdtemp()
        test.addCleanup(shutil.rmtree, self.path)

    def __call__(self, name: str) -> str:
        """The path of a file."""
        return os.path.join(self.path, name)

    def write(self, **files: bytes) -> None:
        """Write files, whose names end in C{.pem}. Every one is a new file, as certbot would make it."""
        for name, content in files.items():
            temporary = self(f"{name}.new")
            with open(temporary, "wb") as file:
                file.write(content)
            os.replace(temporary, self(f"{name}.pem"))
