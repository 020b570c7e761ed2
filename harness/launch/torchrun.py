"""Runs by torchrun: several ranks a run, on this machine or on several nodes that run the same command.

The ranks of a run leave with exit code 0 whatever the end of their stay is, except when one is lost: then torchrun
ends the others and, under `max_restarts`, starts all of them again from the newest checkpoint.
"""

import json
import os
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
from harness.errors import HarnessError, SpecError
from harness.exit_codes import ExitCode
from harness.launch.launchers import Launcher, WorkerOutcome
from harness.launch.machine import usable_cores
from harness.launch.plan import PlannedRun
from harness.store.results import Results
from harness.store.run_directory import RunState

JOIN_SECONDS = int(os.environ.get("HARNESS_JOIN_SECONDS", "600"))
"""How long the nodes of a run wait for each other; torchrun's own default."""
SETTLE_SECONDS = 60.0
"""How long another node's last record may take to be seen: network file systems remember what was not there."""
FRESH_STORE = {"TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1"}
"""The store of torchrun's agents outlives a restart, and with it the addresses of dead ranks (torch 2.13)."""
EXIT_CODE = re.compile(r"exitcode\s*:\s*(-?\d+)")
TAIL_BYTES = 16_384


@dataclass(frozen=True)
class Nodes:
    """Several machines that work on the same runs: how many, which one this is (from 0), and where they meet."""

    count: int
    rank: int
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class Torchrun(Launcher):
    """`nproc` ranks a run on this node, each on a GPU of its own, or on one thread where there are none.

    Raises `SpecError` when the machine has fewer GPUs than a run needs, or cannot host the meeting of the nodes.
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
        self._errors = tempfile.TemporaryDirectory(prefix="torchrun-")
        self._first_tries: dict[str, float] = {}

    @property
    def default_workers(self) -> int:
        """One run per `nproc` GPUs, or per `nproc` cores; several nodes take one run at a time."""
        if self._nodes is not None:
            return 1
        return max(1, (len(self.gpus) or usable_cores()) // self._nproc)

    def command(self, planned: PlannedRun, slot: int) -> list[str]:
        """Return torchrun around the worker; on one node it meets itself on a free port of its own."""
        self._first_tries.setdefault(planned.run.id, time.monotonic())
        self._error_file(slot).unlink(missing_ok=True)
        meeting = ["--standalone", "--nnodes=1", "--local-addr=127.0.0.1"]
        if self._nodes is not None:
            conf = f"is_host={self._nodes.rank == 0},join_timeout={JOIN_SECONDS},read_timeout={JOIN_SECONDS}"
            meeting = [f"--nnodes={self._nodes.count}", f"--rdzv-id={planned.run.id}", "--rdzv-backend=c10d"]
            meeting += [f"--rdzv-endpoint={self._nodes}", f"--rdzv-conf={conf}", f"--local-addr={self._address}"]
        command = [sys.executable, "-m", "torch.distributed.run", *meeting, f"--nproc-per-node={self._nproc}"]
        return [*command, f"--max-restarts={self._max_restarts}", "-m", *self.worker(planned), "--restartable"]

    def variables(self, slot: int) -> Mapping[str, str]:
        """Return the GPUs of the slot, and where torchrun says what ended it."""
        variables = {"TORCHELASTIC_ERROR_FILE": str(self._error_file(slot))} | FRESH_STORE
        if self.gpus:
            first = slot % (len(self.gpus) // self._nproc) * self._nproc
            variables["CUDA_VISIBLE_DEVICES"] = ",".join(self.gpus[first : first + self._nproc])
        return variables

    def outcome(self, planned: PlannedRun, slot: int, exit_code: int) -> WorkerOutcome:
        """Tell what became of a run by its directory, and by what torchrun says of its own end.

        Raises `HarnessError` when the nodes of a run have not met, or have lost each other: they may not be at the
        same run any more.
        """
        error = self._error(slot) if exit_code else ""
        if error.startswith(("Rendezvous", "Dist")):
            return self._not_met(planned, error)
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
        """Say which rank was lost."""
        if exit_code < 0:
            return f"torchrun was killed by signal {-exit_code}; the same command goes on"
        with open(planned.directory.log, "rb") as log:
            log.seek(max(log.seek(0, 2) - TAIL_BYTES, 0))
            codes = EXIT_CODE.findall(log.read().decode(errors="replace"))
        code = int(codes[-1]) if codes else exit_code
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code} and left no record"
        how = "has lost one of another node" if code == ExitCode.LOST else how
        return f"a rank {how}; --max-restarts {self._max_restarts} left no new start, the same command goes on"

    def _state(self, planned: PlannedRun, exit_code: int) -> RunState:
        """Return the state of the run, and wait for what another node may have written of a run that went well."""
        deadline = time.monotonic() + (SETTLE_SECONDS if self._nodes is not None and exit_code == 0 else 0)
        while (state := planned.state) in (RunState.INTERRUPTED, RunState.PENDING) and time.monotonic() < deadline:
            time.sleep(1)
        return state

    def _not_met(self, planned: PlannedRun, error: str) -> WorkerOutcome:
        """Try again while the time to meet lasts: the other node may be leaving the run before, or not be here yet."""
        if self._nodes is None:
            raise HarnessError(f"torchrun cannot start on this machine: {error}")
        timed_out = error.startswith("RendezvousTimeout")
        if not timed_out and time.monotonic() - self._first_tries[planned.run.id] < JOIN_SECONDS:
            return WorkerOutcome.AGAIN
        raise HarnessError(
            f"{self._nodes.count} nodes have not met at {self._nodes} within {JOIN_SECONDS} s; "
            f"nothing is lost: start the same command on every node, with --node-rank 0 on {self._nodes.host}"
        )

    def _error_file(self, slot: int) -> Path:
        return Path(self._errors.name) / f"{slot}.json"

    def _error(self, slot: int) -> str:
        """Return what torchrun raised, such as `RendezvousTimeoutError()`; nothing when a rank was to blame."""
        try:
            message = json.loads(self._error_file(slot).read_text())["message"]
        except (OSError, ValueError, KeyError):
            return ""
        return str(message["message"] if isinstance(message, dict) else message)


def _address_towards(nodes: Nodes) -> str:
    """Return the address by which node 0 can reach this one: names of hosts often resolve on the host itself only."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(nodes.host, nodes.port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind, protocol) as datagrams:
            datagrams.connect(address)  # which sends nothing
            return str(datagrams.getsockname()[0])
    except OSError as error:
        raise SpecError(f"--rdzv-endpoint {nodes}: {error.strerror or error}") from None


def _check_free(nodes: Nodes) -> None:
    """Raise `SpecError` when another program listens where the nodes are to meet."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("", nodes.port))
        except OSError as error:
            reason = error.strerror or error
            raise SpecError(f"--rdzv-endpoint {nodes}: this node cannot listen there: {reason}") from None
