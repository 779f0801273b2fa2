"""
nginx with its RTMP module, as a relay: it takes the part of a publisher (C{push}) or of a player (C{pull}).
"""

from __future__ import annotations

import socket
from pathlib import Path

from tests.interop.processes import Process, freePort, waitFor
from tests.interop.programs import nginx, nginxRTMPModule

__all__ = ["Relay"]

_CONFIGURATION = """
daemon off;
master_process off;
load_module {module};
pid {directory}/nginx.pid;
error_log stderr info;
events {{ worker_connections 64; }}
rtmp {{
  access_log off;
  server {{
    listen 127.0.0.1:{port};
    chunk_size 4096;
    application live {{
      live on;
      wait_video off;
      {directives}
    }}
  }}
}}
"""


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


class Relay(Process):
    """
    nginx, to be used in a C{with}.

    @ivar port: where it listens on 127.0.0.1.
    """

    def __init__(self, directory: Path, directives: str) -> None:
        """
        @param directory: for its files.
        @param directives: for its only application, C{live}.
        """
        program, module = nginx(), nginxRTMPModule()
        self.port = freePort()
        configuration = directory / "nginx.conf"
        text = _CONFIGURATION.format(module=module, directory=directory, port=self.port, directives=directives)
        configuration.write_text(text)
        super().__init__(
            [program, "-p", str(directory), "-e", "stderr", "-c", str(configuration)], directory / "nginx.log"
        )
        try:
            waitFor("nginx to listen", lambda: self.status is not None or _accepts(self.port))
        except BaseException:
            self.kill()
            raise
        if self.status is not None:
            raise AssertionError(f"nginx does not start: {self}")
