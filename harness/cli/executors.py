"""Options that select an executor and its launcher."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from harness.cli.options import option_group
from harness.cli.settings import Settings
from harness.natural import natural

if TYPE_CHECKING:
    from harness.config.execution import Execution
    from harness.launch.launchers import Launcher, SingleProcess
    from harness.launch.torchrun import Nodes

HIGHEST_PORT = 65535
OF_TORCHRUN = ("nproc_per_node", "nnodes", "node_rank", "rdzv_endpoint", "max_restarts")
OF_SLURM = ("profile", "array_parallelism", "wait")


@dataclass
class ExecutorOptions:
    """Where runs are executed; None stands for an option that was not given."""

    executor: str | None = None
    workers: int | None = None
    fail_fast: bool = False
    nproc_per_node: int | None = None
    nnodes: int | None = None
    node_rank: int | None = None
    rdzv_endpoint: str | None = None
    max_restarts: int | None = None
    profile: str | None = None
    array_parallelism: int | None = None
    wait: bool = False

    @property
    def _name(self) -> str:
        return self.executor or "local"

    def launcher(self, settings: Settings, execution: "Execution", one_process: "type[SingleProcess]") -> "Launcher":
        """Return the launcher of workers on this machine, of the class `one_process` unless torchrun starts them.

        Raises `SpecError` for options that are incompatible or ask for more than the machine has.
        """
        from harness.launch.torchrun import Torchrun

        self.check()
        where = settings.results, settings.data_root, execution
        if self.executor == "torchrun":
            return Torchrun(*where, self.nproc_per_node, self.max_restarts or 0, self._nodes())
        return one_process(*where)

    def check(self) -> None:
        """Raise `SpecError` for incompatible options."""
        from harness.errors import SpecError

        if self.executor == "slurm":
            self.profile_name()
            return
        self.refuse_options_of_slurm()
        given = [name for name in OF_TORCHRUN if getattr(self, name) is not None]
        if self.executor != "torchrun" and given:
            raise SpecError(f"{_option(given[0])} is for --executor torchrun: it was given with {self._name}")
        self._nodes()

    def refuse_options_of_slurm(self) -> None:
        """Raise `SpecError` for options of submissions to SLURM."""
        from harness.errors import SpecError

        given = [name for name in OF_SLURM if getattr(self, name)]
        if given:
            raise SpecError(f"{_option(given[0])} is for --executor slurm: it was given with {self._name}")

    def profile_name(self) -> str:
        """Return the profile of a submission.

        Raises `SpecError` for incompatible options.
        """
        from harness.errors import SpecError

        given = [name for name in (*OF_TORCHRUN, "workers") if getattr(self, name) is not None]
        given += ["fail_fast"] if self.fail_fast else []
        if given:
            says = f"{_option(given[0])} is not for --executor slurm: the profile sets the resources of a run"
            raise SpecError(f"{says}; leave it out, or give --executor local")
        if self.profile is None:
            raise SpecError("--executor slurm needs --profile: a name in slurm/profiles/, such as lab, or a file")
        return self.profile

    def _nodes(self) -> "Nodes | None":
        """Return the nodes of a launch on several nodes, None for a single node.

        Raises `SpecError` for incompatible options.
        """
        from harness.errors import SpecError
        from harness.launch.torchrun import Nodes

        count = self.nnodes or 1
        of_nodes = {"node_rank": self.node_rank, "rdzv_endpoint": self.rdzv_endpoint}
        for name, value in of_nodes.items():
            if count == 1 and value is not None:
                raise SpecError(f"{_option(name)} is for several nodes: it needs --nnodes of at least 2")
            if count > 1 and value is None:
                raise SpecError(f"--nnodes {count} needs {_option(name)} too, on every node")
        if count == 1:
            return None
        assert self.node_rank is not None and self.rdzv_endpoint is not None
        if self.node_rank >= count:
            raise SpecError(f"--node-rank {self.node_rank} of --nnodes {count}: allowed: 0 to {count - 1}")
        if self.workers not in (None, 1):
            raise SpecError(f"--workers {self.workers} with --nnodes {count}: several nodes take one run at a time")
        host, colon, port = self.rdzv_endpoint.rpartition(":")
        if not (host and colon and 0 < (number := natural(port) or 0) <= HIGHEST_PORT):
            raise SpecError(f"--rdzv-endpoint '{self.rdzv_endpoint}': allowed: HOST:PORT, such as node1:29400")
        return Nodes(count, self.node_rank, host, number)


executor_options = option_group(
    "executor",
    ExecutorOptions,
    click.option("--executor", type=click.Choice(("local", "torchrun", "slurm")),
                 show_default="local", help="One process per run, several ranks per run by torchrun, or cluster jobs."),
    click.option("--workers", type=click.IntRange(1), help="Concurrent runs.  [default: one per GPU, else per core]"),
    click.option("--nproc-per-node", type=click.IntRange(1), metavar="N",
                 help="torchrun: ranks per run on this node.  [default: one per GPU, else 1]"),
    click.option("--nnodes", type=click.IntRange(1), metavar="M",
                 help="torchrun: nodes per run; start the same command on each.  [default: 1]"),
    click.option("--node-rank", type=click.IntRange(0), metavar="R", help="torchrun: rank of this node, 0 to M-1."),
    click.option("--rdzv-endpoint", metavar="HOST:PORT", help="torchrun: rendezvous address, on node 0."),
    click.option("--max-restarts", type=click.IntRange(0), metavar="K",
                 help="torchrun: restarts from the newest checkpoint after a rank was lost.  [default: 0]"),
    click.option("--profile", metavar="NAME",
                 help="slurm: resources to request; a file or a name in slurm/profiles/."),
    click.option("--array-parallelism", type=click.IntRange(1), metavar="N",
                 help="slurm: concurrent tasks of an array.  [default: the profile's, else all]"),
    click.option("--wait", is_flag=True, help="slurm: return when the jobs have ended instead of at once."),
    click.option("--fail-fast", is_flag=True, help="Stop everything at the first failed run."),
)  # fmt: skip


def share_of(context: click.Context, parameter: click.Parameter, text: str | None) -> tuple[int, int] | None:
    """Parse `--share` into the index of a task and the number of tasks."""
    if text is None:
        return None
    index, count = map(natural, text.partition("/")[::2])
    if index is None or count is None or index >= count:
        raise click.BadParameter(f"'{text}': write the index of the task, from 0, and the number of tasks, as in 3/8")
    return index, count


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"
