"""The process that workers are forked from, `python -m harness.cli.fork_server CHANNEL`; the launcher starts it."""

import socket
import sys
from importlib import import_module

from harness.cli.main import main
from harness.launch.forks.server import serve

NEEDED = ("harness.cli.worker", "harness.worker.run_worker")

if __name__ == "__main__":
    for module in NEEDED:
        import_module(module)
    with socket.socket(fileno=int(sys.argv[1])) as channel:
        serve(channel, main)
