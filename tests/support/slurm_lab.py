"""One real SLURM for all tests that need one; one per process with pytest-xdist."""

import shutil
import tempfile
from pathlib import Path

import pytest

from harness.lab import programs
from harness.lab.configuration import Shape
from harness.lab.errors import LabError
from harness.lab.lab import Lab


@pytest.fixture(scope="session")
def slurm_lab():
    """A lab with accounting and two pretended GPUs per node, for the whole session; see `cluster`."""
    shape = Shape(gpus_per_node=2)
    if absent := programs.missing(shape):
        pytest.skip(f"no SLURM lab without {', '.join(absent)}: {programs.how_to_install(absent)}")
    folder = Path(tempfile.mkdtemp(prefix="lab-"))  # pytest's own folders may be too long for unix sockets
    try:
        lab = Lab.start(folder, shape)
    except LabError as error:
        pytest.fail(f"{error}\n{error.log}")
    yield lab
    lab.stop()
    shutil.rmtree(folder)


@pytest.fixture
def cluster(slurm_lab, monkeypatch):
    """The session's lab, found by SLURM's commands; afterwards it is restored: all nodes up and idle."""
    monkeypatch.setenv("SLURM_CONF", str(slurm_lab.folder.slurm_conf))
    yield slurm_lab
    restore(slurm_lab)


def restore(lab):
    """Start dead daemons, cancel all jobs, and wait until all nodes are idle."""
    for name, pid in lab.daemons_alive().items():
        if pid is None:
            lab.restart(name)
    if jobs := lab.command("squeue", "--noheader", "--format=%A").split():
        lab.command("scancel", *dict.fromkeys(jobs))
    for name, state in lab.node_states().items():
        if state.startswith(("down", "drain")):
            lab.command("scontrol", "update", f"NodeName={name}", "State=RESUME")
    lab.wait_until_idle()
