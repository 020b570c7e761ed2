"""The torchrun launcher: several ranks per run, on this machine or on several nodes that run the same command.

The ranks of a run exit with code 0 however they end, unless a rank is lost: then torchrun ends the others and restarts
all of them from the newest checkpoint, up to `max_restarts` times.
"""

import json
import re
import socket
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from signal import SIGINT, SIGTERM

from harness.config.execution import Execution
from harness.environment import join_seconds
from harness.errors import HarnessError, SpecError
from harness.exit_codes import ExitCode
from harness.launch.launchers import Launcher, WorkerOutcome
from harness.launch.machine import usable_cores
from harness.launch.plan import PlannedRun
from harness.store.logs import tail_of
from harness.store.results import Results
from harness.store.run_directory import RunState

SETTLE_SECONDS = 60.0
"""How long another node's last record may take to become visible, since network file systems cache missing files."""
FRESH_STORE = {"TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1"}
"""A shared TCPStore of torchrun's agents would keep the addresses of dead ranks after a restart (torch 2.13)."""
EXIT_CODE = re.compile(r"exitcode\s*:\s*(-?\d+)")


@dataclass(frozen=True)
class Nodes:
    """A multi-node setup: number of nodes, rank of this node (from 0), and rendezvous endpoint."""

    count: int
    rank: int
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class Torchrun(Launcher):
    """`nproc` ranks per run on this node, each with its own GPU, or one thread if there are none.

    Raises `SpecError` if the machine has fewer GPUs than a run needs, or node 0 cannot host the rendezvous.
    """

    grace_seconds = 45.0  # torchrun gives its ranks 30

    def __init__(
        self,
        results: Results,
        data_root: Path,
        execution: Execution,
        nproc: int | None = None,
        max_restarts: int = 0,
        nodes: Nodes | None = None,
    ) -> None:
        super().__init__(results, data_root, execution)
        self._nproc = nproc or len(self.gpus) or 1
        self._max_restarts = max_restarts
        self._nodes = nodes
        self.in_order = nodes is not None
        if 0 < len(self.gpus) < self._nproc:
            raise SpecError(f"--nproc-per-node {nproc} needs as many GPUs: this machine shows {len(self.gpus)}")
        if nodes is not None:
            self._address = nodes.host if nodes.rank == 0 else _address_towards(nodes)
            if nodes.rank == 0:
                _check_free(nodes)
        self._join_seconds = join_seconds()
        self._errors = tempfile.TemporaryDirectory(prefix="torchrun-")
        self._first_tries: dict[str, float] = {}

    @property
    def default_workers(self) -> int:
        """One run per `nproc` GPUs or cores; several nodes execute one run at a time."""
        if self._nodes is not None:
            return 1
        return max(1, (len(self.gpus) or usable_cores()) // self._nproc)

    def command(self, planned: PlannedRun, slot: int) -> list[str]:
        """Return the torchrun command; a single node uses a standalone rendezvous on a free port."""
        self._first_tries.setdefault(planned.run.id, time.monotonic())
        self._error_file(slot).unlink(missing_ok=True)
        rendezvous = ["--standalone", "--nnodes=1", "--local-addr=127.0.0.1"]
        if self._nodes is not None:
            wait = round(self._join_seconds)
            conf = f"is_host={self._nodes.rank == 0},join_timeout={wait},read_timeout={wait}"
            rendezvous = [f"--nnodes={self._nodes.count}", f"--rdzv-id={planned.run.id}", "--rdzv-backend=c10d"]
            rendezvous += [f"--rdzv-endpoint={self._nodes}", f"--rdzv-conf={conf}", f"--local-addr={self._address}"]
        command = [sys.executable, "-m", "torch.distributed.run", *rendezvous, f"--nproc-per-node={self._nproc}"]
        return [*command, f"--max-restarts={self._max_restarts}", "-m", *self.worker(planned), "--restartable"]

    def variables(self, slot: int) -> Mapping[str, str]:
        """Return the GPUs of the slot and torchrun's error file."""
        variables = {"TORCHELASTIC_ERROR_FILE": str(self._error_file(slot))} | FRESH_STORE
        if self.gpus:
            first = slot % (len(self.gpus) // self._nproc) * self._nproc
            variables["CUDA_VISIBLE_DEVICES"] = ",".join(self.gpus[first : first + self._nproc])
        return variables

    def outcome(self, planned: PlannedRun, slot: int, exit_code: int) -> WorkerOutcome:
        """Return the outcome of a run from its directory and torchrun's error.

        Raises `HarnessError` if the rendezvous failed or the nodes lost each other, since they may no longer be
        executing the same run.
        """
        error = self._error(slot) if exit_code else ""
        if error.startswith(("Rendezvous", "Dist")):
            return self._retry_rendezvous(planned, error)
        match self._state(planned, exit_code):
            case RunState.DONE:
                return WorkerOutcome.DONE
            case RunState.CANCELLED:
                return WorkerOutcome.CANCELLED
            case RunState.RUNNING:
                return WorkerOutcome.ELSEWHERE
            case RunState.FAILED:
                return WorkerOutcome.FAILED
        if exit_code in (0, -SIGTERM, -SIGINT) or error.startswith("SignalException"):
            return WorkerOutcome.INTERRUPTED
        if self._nodes is not None:
            raise HarnessError(f"{planned.run.name} ({planned.run.id}): {self.exit_reason(planned, exit_code)}")
        return WorkerOutcome.FAILED

    def exit_reason(self, planned: PlannedRun, exit_code: int) -> str:
        """Describe the lost rank."""
        if exit_code < 0:
            return f"torchrun was killed by signal {-exit_code}; run the same command again to resume"
        codes = EXIT_CODE.findall(tail_of(planned.directory.log))
        code = int(codes[-1]) if codes else exit_code
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code} and left no record"
        how = "lost a rank of another node" if code == ExitCode.LOST else how
        return f"a rank {how} (--max-restarts {self._max_restarts}); run the same command again to resume"

    def _state(self, planned: PlannedRun, exit_code: int) -> RunState:
        """Return the state of the run, after waiting for records that another node may have written."""
        deadline = time.monotonic() + (SETTLE_SECONDS if self._nodes is not None and exit_code == 0 else 0)
        while (state := planned.state) in (RunState.INTERRUPTED, RunState.PENDING) and time.monotonic() < deadline:
            time.sleep(1)
        return state

    def _retry_rendezvous(self, planned: PlannedRun, error: str) -> WorkerOutcome:
        """Retry until the rendezvous timeout: the other node may still be in the previous run or not have started."""
        if self._nodes is None:
            raise HarnessError(f"torchrun cannot start on this machine: {error}")
        timed_out = error.startswith("RendezvousTimeout")
        if not timed_out and time.monotonic() - self._first_tries[planned.run.id] < self._join_seconds:
            return WorkerOutcome.AGAIN
        raise HarnessError(
            f"rendezvous of {self._nodes.count} nodes at {self._nodes} timed out after {self._join_seconds:g} s; "
            f"nothing was lost: start the same command on every node, with --node-rank 0 on {self._nodes.host}"
        )

    def _error_file(self, slot: int) -> Path:
        return Path(self._errors.name) / f"{slot}.json"

    def _error(self, slot: int) -> str:
        """Return torchrun's own error, such as `RendezvousTimeoutError()`, or "" if a rank failed."""
        try:
            message = json.loads(self._error_file(slot).read_text())["message"]
        except (OSError, ValueError, KeyError):
            return ""
        return str(message["message"] if isinstance(message, dict) else message)


def _address_towards(nodes: Nodes) -> str:
    """Return the address at which node 0 can reach this node, since host names often resolve only locally."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(nodes.host, nodes.port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind, protocol) as datagrams:
            datagrams.connect(address)  # UDP: sends nothing
            return str(datagrams.getsockname()[0])
    except OSError as error:
        raise SpecError(f"--rdzv-endpoint {nodes}: {error.strerror or error}") from None


def _check_free(nodes: Nodes) -> None:
    """Raise `SpecError` if another program listens on the rendezvous port."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("", nodes.port))
        except OSError as error:
            reason = error.strerror or error
            raise SpecError(f"--rdzv-endpoint {nodes}: this node cannot listen there: {reason}") from None
