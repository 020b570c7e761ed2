"""A lab: start it, query it, inject failures, and stop it."""

import os
import pwd
import socket
import subprocess
import time
from pathlib import Path
from typing import Self

from harness.errors import unknown
from harness.lab import members, processes, programs
from harness.lab.configuration import Configuration, Shape
from harness.lab.daemons import Daemon, stages
from harness.lab.errors import LabError, LabRunningError, UsageError
from harness.lab.folder import LOG, Folder
from harness.lab.ports import reserved
from harness.lab.templates import files, links, scripts

IDLE_SECONDS = 60
CLIENT_SECONDS = 60
JOB_GRACE_SECONDS = 5


class Lab:
    """A SLURM cluster on this machine."""

    def __init__(self, folder: Folder, configuration: Configuration) -> None:
        self.folder = folder
        self.configuration = configuration

    @classmethod
    def start(cls, path: Path, shape: Shape, port: int | None = None) -> Self:
        """Start a lab in a folder and wait until all its nodes are idle.

        Raises `LabError`, leaving nothing running, if the start fails; `LabRunningError` if a lab is already running;
        `UsageError` if the shape, the folder or the port is invalid.
        """
        folder = Folder(path)
        if shape.accounting and shape.auth != "munge":
            raise UsageError("--accounting needs --auth munge: slurmdbd listens on every address of this machine")
        programs.require(shape)
        folder.check_ours()
        with folder.locked():
            if (old := folder.configuration()) and any(cls(folder, old).daemons_alive().values()):
                raise LabRunningError(f"a lab is already running in {folder}")
            with reserved(shape.ports, port) as first:
                lab = cls(folder, _configure(shape, first))
                try:
                    lab._bring_up()
                except BaseException:
                    take_down(folder)
                    raise
        return lab

    @classmethod
    def at(cls, path: Path) -> Self | None:
        """Return the lab that was started in a folder and not stopped, even if daemons are dead, else None."""
        folder = Folder(path)
        configuration = folder.configuration()
        return cls(folder, configuration) if configuration else None

    def stop(self) -> None:
        """Stop the lab, its jobs and their processes; see `stop`."""
        stop(self.folder)

    def environment(self) -> dict[str, str]:
        """Return this process's environment with the variables that point SLURM's commands to the lab."""
        return os.environ | {"SLURM_CONF": str(self.folder.slurm_conf)}

    def command(self, *arguments: str) -> str:
        """Run a SLURM command and return its output.

        Raises `LabError` with the command's message if it fails.
        """
        try:
            done = subprocess.run(
                arguments, env=self.environment(), capture_output=True, text=True, timeout=CLIENT_SECONDS
            )
        except FileNotFoundError:
            raise LabError(f"{arguments[0]} not found: {programs.APT} slurm-wlm") from None
        except subprocess.TimeoutExpired:
            raise LabError(f"{arguments[0]} gave no answer for {CLIENT_SECONDS} s") from None
        if done.returncode:
            raise LabError(f"{arguments[0]} failed: {' '.join(done.stderr.split())}")
        return done.stdout

    def daemons(self) -> dict[str, Daemon]:
        """Return the daemons by name in start order; a node's slurmd has the node's name."""
        return {daemon.name: daemon for stage in stages(self.folder, self.configuration) for daemon in stage}

    def daemons_alive(self) -> dict[str, int | None]:
        """Return the pid of each daemon, None if it is dead."""
        found = {name: daemon.process for name, daemon in self.daemons().items()}
        return {name: process.pid if process else None for name, process in found.items()}

    def node_states(self) -> dict[str, str]:
        """Return the state of each node from sinfo: idle, mixed, allocated, completing, down, ..."""
        lines = self.command("sinfo", "--noheader", "--Node", "--partition=main", "--format=%N %T").splitlines()
        return dict(line.split(maxsplit=1) for line in lines)

    def wait_until_idle(self, seconds: float = IDLE_SECONDS) -> None:
        """Wait until every node is idle.

        Raises `LabError` on timeout or if a daemon is dead.
        """
        daemons = self.daemons()
        deadline = time.monotonic() + seconds
        while set((states := self.node_states()).values()) != {"idle"}:
            for daemon in daemons.values():
                if daemon.process is None:
                    raise daemon.failure("is dead")
            if time.monotonic() > deadline:
                name = next(name for name, state in states.items() if state != "idle")
                raise daemons[name].failure(f"is not idle but {states[name]} after {seconds:.0f} s")
            time.sleep(0.05)

    def kill(self, name: str) -> None:
        """Kill a daemon with SIGKILL; for a node, also its stepds and its jobs' processes."""
        if name in self.configuration.node_names:
            self.kill_node(name)
        elif process := self._daemon(name).process:
            processes.kill([process])

    def restart(self, name: str) -> None:
        """Restart a dead daemon; for a node, wait until the controller reports it up.

        Raises `LabError` if it is not dead or does not start.
        """
        daemon = self._daemon(name)
        with self.folder.locked():
            if daemon.process is not None:
                raise LabError(f"{name} is not dead: it is process {daemon.process.pid}")
            daemon.spawn()
            daemon.wait()
        if name in self.configuration.node_names and not processes.wait_until(
            lambda: self._is_node_up(name), IDLE_SECONDS
        ):
            raise daemon.failure(f"is {self.node_states()[name]} after {IDLE_SECONDS} s")

    def kill_node(self, name: str) -> None:
        """Simulate a power failure of a node; the controller notices after 15 to 30 s, or through `expire_node`."""
        daemon = self._daemon(name)
        if process := daemon.process:
            processes.kill([process])
        while rest := [*members.stepds(self.folder, name), *members.jobs(self.folder, name)]:
            processes.kill(rest)

    def start_node(self, name: str) -> None:
        """Restart a node."""
        self.restart(name)

    def expire_node(self, name: str) -> None:
        """Mark a node as down in the controller, without waiting for its timeout."""
        self._daemon(name)
        self.command("scontrol", "update", f"NodeName={name}", "State=DOWN", "Reason=lab")

    def stop_accounting(self) -> None:
        """Kill the accounting daemon; the controller buffers records until it is back."""
        self.kill("slurmdbd")

    def start_accounting(self) -> None:
        """Restart the accounting daemon."""
        self.restart("slurmdbd")

    def _daemon(self, name: str) -> Daemon:
        daemons = self.daemons()
        if name not in daemons:
            raise unknown("daemon", name, daemons)
        return daemons[name]

    def _is_node_up(self, name: str) -> bool:
        state = self.node_states()[name]
        return not (state.endswith("*") or state.startswith(("down", "unknown")))

    def _bring_up(self) -> None:
        folder, lab = self.folder, self.configuration
        take_down(folder)
        folder.empty()
        folder.fill(lab, files(folder, lab), scripts(folder, lab), links(folder, lab))
        for stage in stages(self.folder, self.configuration):
            for daemon in stage:
                daemon.spawn()
            for daemon in stage:
                daemon.wait()
        self.wait_until_idle()


def stop(folder: Folder) -> None:
    """Stop the lab of a folder: its daemons, its jobs and their processes.

    Jobs get SIGTERM and a few seconds. Logs are kept, everything else in the folder is deleted.
    """
    folder.check_ours()
    with folder.locked():
        take_down(folder)


def take_down(folder: Folder) -> None:
    """Implement `stop` while holding the folder's lock; finds processes independently of the folder's content."""
    # Kill without saving state, since it is deleted below. The controller goes first, so that it starts no more jobs.
    processes.kill(process for process in members.daemons(folder) if process.name() == "slurmctld")
    processes.end(members.jobs(folder), JOB_GRACE_SECONDS)
    while rest := [*members.daemons(folder), *members.stepds(folder), *members.jobs(folder)]:
        processes.kill(rest)
    folder.empty(keep=frozenset({LOG}))


def _configure(shape: Shape, first_port: int) -> Configuration:
    try:
        user = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        raise LabError(f"user {os.geteuid()} has no name on this machine, which SLURM requires") from None
    return Configuration(
        **shape.model_dump(),
        first_port=first_port,
        first_job=int(time.time()) % 60_000_000 + 1,
        user=user,
        host=socket.gethostname().partition(".")[0],
    )
