"""The process that workers are forked from, `python -m harness.cli.fork_server CHANNEL`; the launcher starts it."""

import socket
import sys
from contextlib import suppress
from importlib import import_module

from harness.cli.main import main
from harness.config.family import Family
from harness.config.plugins import load_built_in
from harness.launch.forks.server import serve

NEEDED = (
    *("harness.cli.worker", "harness.worker.run_worker", "harness.launch.rank_env", "harness.bundle.manifest"),
    *("torch._dynamo", "torch.profiler"),  # optimisers and data loading import these when they are first used
)


def import_worker() -> None:
    """Import what workers need: the harness's own code, and the implementations of its kinds.

    Code of other distributions is left to the workers, since it may start threads.
    """
    for module in NEEDED:
        import_module(module)
    load_built_in()
    for family in Family.__subclasses__():
        for kind in family.kinds.values():
            with suppress(ImportError):  # an extra that is not installed
                import_module(getattr(kind, "implementation", "harness").partition(":")[0])


if __name__ == "__main__":
    import_worker()
    with socket.socket(fileno=int(sys.argv[1])) as requests:
        serve(requests, main)
