# -*- test-case-name: tests.benchmarks.test_servers -*-
"""
The servers: how each is found, told what to do, and started, as its user would.

All listen on 127.0.0.1 and have one process that works. C{nginx} is nginx-rtmp as most have it, but that viewers begin
at a keyframe, as with all the others; C{tuned} gathers what it sends and has chunks that hold a whole message.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

from benchmarks.certificate import writeCertificate
from benchmarks.errors import MissingError

__all__ = ["NMS_VARIABLE", "SERVERS", "Places", "ServerKind", "Start"]

#: The environment variable that names the directory in which node-media-server was installed.
NMS_VARIABLE = "RTMPTW_BENCH_NMS"

#: Where distributions put nginx's modules.
_NGINX_MODULES = ("/usr/lib/nginx/modules", "/usr/lib64/nginx/modules", "/usr/share/nginx/modules")

#: How many connections nginx allows itself.
_NGINX_CONNECTIONS = 16384

_NGINX = """
daemon off;
worker_processes 1;
pid {directory}/nginx.pid;
error_log {directory}/error.log error;
load_module {module};
events {{ worker_connections {connections}; }}
rtmp {{
    access_log off;
    server {{
        listen 127.0.0.1:{port};
        {settings}
        application live {{ live on; wait_key on; wait_video on; }}
    }}
}}
"""

#: How long a program may take to say something about itself, s.
_PATIENCE = 30


@dataclass(frozen=True)
class Places:
    """
    What the command line says about servers.

    @ivar flush: C{--flush} for our own server; L{None} for its default.
    @ivar nms: the directory of node-media-server; L{None} if none was named.
    """

    flush: str | None = None
    nms: str | None = None


@dataclass(frozen=True)
class Start:
    """
    What a server is started with.

    @ivar directory: a temporary one of its own.
    @ivar port: where it listens.
    @ivar securePort: where it listens for TLS, if it can.
    """

    directory: Path
    port: int
    securePort: int
    places: Places


@dataclass(frozen=True)
class ServerKind:
    """
    One way to run one server.

    @ivar name: in tables and C{--servers}.
    @ivar about: what it is, for people.
    @ivar command: its command line.
    @ivar find: its version.
    @ivar isSecure: whether its viewers come over TLS.
    """

    name: str
    about: str
    command: Callable[[Start], list[str]]
    find: Callable[[Places], str]
    isSecure: bool = False


def _output(*command: str) -> str:
    """What a program writes to stdout and stderr."""
    return subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=_PATIENCE, check=False
    ).stdout


# Our own


_TWISTD = (sys.executable, "-c", "from twisted.scripts.twistd import run; run()", "-n", "--pidfile=")


@cache
def _knowsFlush() -> bool:
    return "--flush" in _output(*_TWISTD, "rtmp", "--help")


def _ours(flush: str | None = None, isSecure: bool = False, chosen: bool = False) -> ServerKind:
    """
    @param flush: the setting of C{--flush}.
    @param chosen: whether the command line has a say in that.
    """

    def find(places: Places) -> str:
        if (flush or (chosen and places.flush)) and not _knowsFlush():
            raise MissingError("this rtmptw knows no --flush")
        return f"rtmptw {version('rtmptw')}"

    def command(start: Start) -> list[str]:
        log = f"--logfile={start.directory / 'twistd.log'}"
        ports = ["--port", f"tcp:{start.port}:interface=127.0.0.1:backlog=4096"]
        if isSecure:
            key, certificate = writeCertificate(start.directory)
            secure = f"ssl:{start.securePort}:interface=127.0.0.1:backlog=4096"
            ports += ["--port", f"{secure}:privateKey={key}:certKey={certificate}"]
        setting = (chosen and start.places.flush) or flush
        return [*_TWISTD, log, "rtmp", *ports, *(["--flush", setting] if setting else [])]

    about = f"twistd rtmp --flush {flush}" if flush else "twistd rtmp"
    if isSecure:
        return ServerKind("ours-tls", f"{about}, viewers over TLS", command, find, True)
    name = "ours" if flush is None else "ours-low" if flush == "0:0" else f"ours-{flush.partition(':')[0]}ms"
    return ServerKind(name, about, command, find)


# nginx


@cache
def _nginx() -> tuple[str, str]:
    """
    @return: the program, and the file of its RTMP module.
    @raise MissingError: if either is not there.
    """
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    for directory in _NGINX_MODULES:
        module = Path(directory, "ngx_rtmp_module.so")
        if program and module.exists():
            return program, str(module)
    raise MissingError("Debian's packages nginx and libnginx-mod-rtmp are not installed")


@cache
def _nginxVersion() -> str:
    program = _nginx()[0]
    found = re.search(r"nginx/(\S+)", _output(program, "-v"))
    words = f"nginx {found[1] if found else 'of an unknown version'}"
    if shutil.which("dpkg-query"):
        module = _output("dpkg-query", "-W", "-f", "${Version}", "libnginx-mod-rtmp")
        words += f", libnginx-mod-rtmp {module}"
    return words


def _nginxKind(name: str, settings: str) -> ServerKind:
    def command(start: Start) -> list[str]:
        program, module = _nginx()
        text = _NGINX.format(
            directory=start.directory, module=module, connections=_NGINX_CONNECTIONS, port=start.port, settings=settings
        )
        file = start.directory / "nginx.conf"
        file.write_text(text)
        return [program, "-p", str(start.directory), "-c", str(file), "-e", str(start.directory / "error.log")]

    return ServerKind(name, f"nginx-rtmp: {settings}", command, lambda places: _nginxVersion())


# node-media-server


def _nmsPackage(places: Places) -> Path:
    """
    @raise MissingError: if it is not there.
    """
    directory = places.nms or os.environ.get(NMS_VARIABLE)
    if directory is None:
        raise MissingError(f"--nms, or {NMS_VARIABLE}, does not name a directory with npm's node-media-server")
    package = Path(directory, "node_modules", "node-media-server")
    if not (package / "package.json").exists():
        raise MissingError(f"{directory} has no node_modules/node-media-server: npm install node-media-server there")
    if shutil.which("node") is None:
        raise MissingError("node is not installed")
    return package.absolute()


def _nmsVersion(places: Places) -> str:
    package = _nmsPackage(places)
    node = _output("node", "--version").strip().removeprefix("v")
    return f"node-media-server {json.loads((package / 'package.json').read_text())['version']}, node {node}"


def _nmsCommand(start: Start) -> list[str]:
    package = _nmsPackage(start.places)
    config = {
        "bind": "127.0.0.1",
        "notify": {"url": ""},
        "auth": {"play": False, "publish": False, "secret": "none"},
        "rtmp": {"port": start.port},
    }
    file = start.directory / "config.json"
    file.write_text(json.dumps(config))
    return ["node", str(package / "bin" / "app.js"), "--config", str(file), "--no-admin"]


#: By name, in the order in which they are measured and shown.
SERVERS: dict[str, ServerKind] = {
    kind.name: kind
    for kind in (
        _nginxKind("nginx", "chunk_size 4096;"),
        _nginxKind("tuned", "out_queue 4096; out_cork 16; chunk_size 65536; buffer 1s;"),
        ServerKind("nms", "node-media-server --no-admin", _nmsCommand, _nmsVersion),
        _ours(chosen=True),
        _ours("0:0"),
        _ours("100:100"),
        _ours("350:350"),
        _ours(isSecure=True),
    )
}
