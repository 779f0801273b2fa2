"""
rtmptw: RTMP for Python on Twisted.
"""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION = re.search(r'__version__ = "(.+)"', (HERE / "rtmptw" / "__init__.py").read_text())[1]

setup(
    name="rtmptw",
    version=VERSION,
    description="RTMP for Python on Twisted: server, client, relays, and the protocol as a library",
    long_description=(HERE / "README.rst").read_text(),
    long_description_content_type="text/x-rst",
    license="MIT",
    python_requires=">=3.11",
    # Said aloud, this makes an editable install put this directory on sys.path, where twistd looks for plugins. An
    # import hook, which it would be otherwise, shows the package to import, but not the plugin to twistd.
    package_dir={"": "."},
    # No __init__.py below twisted/: these are modules for Twisted's own package.
    packages=[*find_packages(include=["rtmptw", "rtmptw.*"]), "twisted.plugins"],
    package_data={"rtmptw": ["py.typed"]},
    install_requires=["twisted[tls]>=26.4", "zope.interface", "pyopenssl>=26.1"],
    entry_points={"console_scripts": ["rtmptw = rtmptw.cli:main"]},
    extras_require={
        "bench": ["matplotlib"],
        "cli": ["tqdm"],
        "fuzz": ["atheris>=3; python_version < '3.14'"],
        "pcap": ["scapy>=2.6"],
        "test": [
            *("pytest", "pytest-cov", "pytest-xdist", "hypothesis", "coverage", "docutils"),
            *("imageio-ffmpeg", "scapy>=2.6", "tqdm", "uvloop"),
        ],
        "lint": ["ruff", "mypy", "mypy-zope"],
    },
    zip_safe=False,
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Framework :: Twisted",
        "License :: OSI Approved :: MIT License",
        "Programming Language :: Python :: 3",
        "Topic :: Multimedia :: Video",
        "Typing :: Typed",
    ],
)
