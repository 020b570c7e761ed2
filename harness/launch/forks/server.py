"""The fork server: a process that has imported what workers need, and forks one for each request.

A worker is a grandchild whose parent exits at once, so the process that started the server adopts it: the end and exit
code of a worker depend on nobody else. The server forks only while it has a single thread and the files of its modules
are unchanged, and ends otherwise, or when the other end of its channel is closed.
"""

import atexit
import importlib
import json
import os
import select
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import NoReturn

from setproctitle import setproctitle

from harness.launch.forks.imported_code import ImportedCode

READY = b"ready"
REQUEST_BYTES = 2**17
"""The longest request: the arguments of a worker as JSON."""
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR2)
"""Signals to a group of processes that end its workers; the server ends with the process that started it."""

Call = Callable[[Sequence[str]], int]


def serve(channel: socket.socket, call: Call, code: ImportedCode, spare: Iterable[str] = ()) -> None:
    """Fork a process for every request on the channel: it calls `call(arguments)` and exits with the result.

    A request is a list of arguments in JSON, with the file descriptor of a log; the answer is the pid. The `spare`
    modules are imported while there is no request, so that the first worker does not wait for them.
    """
    unblocked = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    spare = iter(spare)
    code.note_modules()
    if _threads() > 1:
        return
    channel.send(READY)
    while True:
        while not select.select([channel], [], [], 0)[0] and (name := next(spare, None)) is not None:
            with suppress(ImportError):  # an extra that is not installed
                importlib.import_module(name)
            code.note_modules()
        request = _received(channel)
        if request is None or _threads() > 1 or code.has_changed():
            return
        arguments, log = request
        pid = _fork_orphan()
        if not pid:
            channel.close()
            _be_worker(call, arguments, log, unblocked)
        os.close(log)
        channel.send(str(pid).encode())


def _received(channel: socket.socket) -> tuple[list[str], int] | None:
    """Return the arguments and the log of the next request, None after the last one."""
    with suppress(ConnectionError):
        message, descriptors, *_ = socket.recv_fds(channel, REQUEST_BYTES, 1)
        if message and descriptors:
            return json.loads(message), descriptors[0]
    return None


def _threads() -> int:
    return len(os.listdir("/proc/self/task"))


def _fork_orphan() -> int:
    """Fork a process whose parent has exited; return its pid, and 0 in that process.

    Raises `OSError` if the system allows no further process.
    """
    reader, writer = os.pipe()
    between = os.fork()
    if not between:
        with suppress(OSError):
            pid = os.fork()
            if not pid:
                os.close(reader)
                os.close(writer)
                return 0
            os.write(writer, str(pid).encode())
        os._exit(0)
    os.close(writer)
    os.waitpid(between, 0)
    with open(reader, "rb") as answer:
        text = answer.read()
    if not text:
        raise BlockingIOError("no further process")
    return int(text)


def _be_worker(call: Call, arguments: list[str], log: int, unblocked: set[int]) -> NoReturn:
    """Run as a worker with these arguments, and exit with its code."""
    null = os.open(os.devnull, os.O_RDONLY)
    for number, file in enumerate((null, log, log)):
        os.dup2(file, number)
    os.close(null)
    os.close(log)
    sys.argv = [sys.argv[0], *arguments]
    setproctitle(" ".join([sys.executable, "-m", "harness", *arguments]))
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed()  # Python reseeds its own generator
    importlib.invalidate_caches()
    code = 1
    try:
        signal.pthread_sigmask(signal.SIG_SETMASK, unblocked)
        code = call(arguments)
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else int(left.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        _leave(code)


def _leave(code: int) -> NoReturn:
    """Exit like the interpreter, but without clearing modules, which would copy their memory pages."""
    with suppress(BaseException):
        for thread in threading.enumerate():
            if thread is not threading.current_thread() and not thread.daemon:
                thread.join()
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)
