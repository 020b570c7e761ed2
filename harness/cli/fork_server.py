"""The process that workers are forked from: `python -m harness.cli.fork_server CHANNEL TIME`, for launchers."""

import socket
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from harness.cli.main import main
from harness.config.family import Family
from harness.config.plugins import OWN, load_built_in, offers
from harness.launch.forks.imported_code import ImportedCode
from harness.launch.forks.server import serve
from harness.store.distributions import offering

NEEDED = (
    *("harness.cli.worker", "harness.worker.run_worker", "harness.launch.rank_env", "harness.bundle.manifest"),
    *("torch._dynamo", "torch.profiler"),  # optimisers and data loading import these when they are first used
)


def import_worker() -> None:
    """Import what every worker needs."""
    for module in NEEDED:
        import_module(module)


def spare_modules() -> Iterator[str]:
    """Yield the modules that some workers need: the implementations of the harness's kinds, and its papers.

    Code of other distributions is left to the workers, since it may start threads.
    """
    load_built_in()
    for family in Family.__subclasses__():
        for kind in family.kinds.values():
            yield getattr(kind, "implementation", "harness").partition(":")[0]
    yield from (offer.module for offer in offers() if offer.dist is not None and offer.dist.name == OWN)


def known_code(begun: int) -> ImportedCode:
    """Return the files of the harness and of all plugins, and cache their hashes and commits for the forks.

    `begun` is the time before the first import, in nanoseconds.
    """
    code = ImportedCode(begun)
    for distribution in offering():
        code.note(str(file) for file in distribution.files.values() if isinstance(file, Path))
        distribution.sha256  # noqa: B018 - a cached property
    return code


if __name__ == "__main__":
    import_worker()
    with socket.socket(fileno=int(sys.argv[1])) as requests:
        serve(requests, main, known_code(int(sys.argv[2])), spare_modules())
