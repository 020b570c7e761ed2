"""Starts the fork server and asks it for workers."""

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from harness.launch.children import AdoptedChild, Child
from harness.launch.forks.server import READY, REQUEST_BYTES

MODULE = "harness.cli.fork_server"
START_SECONDS, FORK_SECONDS = 300.0, 30.0
"""How long imports and a fork may take, before workers are started without the server."""
PR_SET_CHILD_SUBREAPER = 36


class ForkServer:
    """Forks workers from a server process, which starts with the first request.

    A server that was killed, or whose environment or code is outdated, is replaced. Its workers are children of this
    process and continue.
    """

    def __init__(self) -> None:
        self._server: _Server | None = None
        self._usable = sys.platform == "linux"

    def fork(self, arguments: Sequence[str], log: int, environment: Mapping[str, str]) -> AdoptedChild | None:
        """Fork a worker with these arguments that writes to an open file; None if a process has to be started."""
        if self._server is not None and self._server.environment != environment:
            self.close()
        for _ in range(2):  # again if the server had to leave
            if self._server is None:
                self._server = self._started(environment)
            if self._server is None:
                return None
            with suppress(OSError):
                return AdoptedChild(self._server.fork(arguments, log))
            self.close()
        self._usable = False
        return None

    def close(self) -> None:
        """End the server."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def _started(self, environment: Mapping[str, str]) -> "_Server | None":
        if not self._usable:
            return None
        server = _Server(environment)
        if not server.is_ready() or not _adopt_orphans():
            server.close()
            self._usable = False
            return None
        return server


class _Server:
    """A server process; a request raises `OSError` if it has left."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = dict(environment)
        self._channel, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with other:
            self._process = spawn(other, environment)

    def is_ready(self) -> bool:
        """Wait for the end of the imports; return whether the server takes requests."""
        self._channel.settimeout(START_SECONDS)
        with suppress(OSError):
            return self._channel.recv(len(READY)) == READY
        return False

    def fork(self, arguments: Sequence[str], log: int) -> int:
        """Return the pid of a new worker."""
        self._channel.settimeout(FORK_SECONDS)
        socket.send_fds(self._channel, [json.dumps(arguments).encode()], [log])
        answer = self._channel.recv(REQUEST_BYTES)
        if not answer:
            raise ConnectionResetError("the fork server has left")
        return int(answer)

    def close(self) -> None:
        """End the server, not its workers."""
        self._channel.close()
        if self._process.poll() is None:
            os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait()


def spawn(channel: socket.socket, environment: Mapping[str, str]) -> Child:
    """Start the process of a server that takes requests on a channel."""
    number = channel.fileno()
    null = subprocess.DEVNULL
    command = [sys.executable, "-m", MODULE, str(number), str(time.time_ns())]
    return subprocess.Popen(command, stdin=null, stdout=null, stderr=null, env=dict(environment), pass_fds=[number])


def _adopt_orphans() -> bool:
    """Become the parent of processes whose parent below this one exits; return whether the system supports that."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    return prctl is not None and prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
