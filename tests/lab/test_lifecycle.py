"""Labs that start, stop and break: messages, and no process left running."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from slurm_processes import processes_of

from harness.lab.cli import main

ROOT = Path(__file__).parents[2]
JOB = 'sbatch -o /dev/null --wrap "sleep 500 & setsid sleep 600"'
FULL = ["munged", "mariadbd", "slurmdbd", "slurmctld", "node1", "node2"]


LAB = ROOT / "slurm" / "lab" / "lab"
ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith("SLURM_")} | {
    "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # the wrapper takes python3 from there
}


@pytest.fixture
def lab(capfd):
    """Run a command in this process."""

    def run(command, folder, *options):
        code = main([command, "--folder", str(folder), *options])
        out, err = capfd.readouterr()
        return subprocess.CompletedProcess((command, folder), code, out, err)

    return run


@pytest.fixture
def folders(slurm_lab, lab):
    """Create folders next to that of the session's lab; its existence shows that labs can start here."""
    made = []

    def make(name):
        made.append(slurm_lab.folder.path.with_name(f"{slurm_lab.folder.path.name}-{name}"))
        return made[-1]

    yield make
    for folder in made:
        lab("stop", folder)
        assert not processes_of(folder)
        shutil.rmtree(folder)


@pytest.fixture
def status(lab):
    """Return the exit code and the document of `status`."""

    def read(folder):
        done = lab("status", folder, "--json")
        return done.returncode, json.loads(done.stdout)

    return read


@pytest.mark.parametrize(
    ("options", "daemons", "seconds"),
    [
        ([], FULL, 60),
        (["--no-accounting", "--auth", "munge"], ["munged", "slurmctld", "node1", "node2"], 20),
        (["--no-accounting"], ["slurmctld", "node1", "node2"], 20),
    ],
)
def test_a_lab_starts_in_seconds_and_leaves_nothing(folders, lab, status, options, daemons, seconds):
    folder = folders("a")
    begun = time.monotonic()
    started = lab("start", folder, "--nodes", "2", *options)
    assert time.monotonic() - begun < seconds
    assert (started.returncode, started.stderr) == (0, "")
    assert started.stdout.splitlines()[-1] == f"export SLURM_CONF={folder}/slurm.conf"
    code, document = status(folder)
    assert (code, list(document["daemons"])) == (0, daemons)
    assert document["nodes"] == {"node1": "idle", "node2": "idle"}
    assert {*document["daemons"].values()} <= processes_of(folder).keys()

    script = f'eval "$({LAB} env --folder {folder})"; srun -N2 hostname; {JOB}'
    done = subprocess.run(["sh", "-c", script], env=ENVIRONMENT, capture_output=True, text=True)
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 3), done.stderr
    wait_for_sleeps(folder)

    again = lab("start", folder, "--nodes", "3")
    assert again.returncode == 0
    assert f"a lab is already running in {folder}" in again.stdout
    assert again.stdout.splitlines()[-1] == started.stdout.splitlines()[-1]
    assert status(folder) == (code, document | {"nodes": {"node1": "mixed", "node2": "idle"}})
    begun = time.monotonic()
    assert lab("stop", folder).returncode == 0
    assert time.monotonic() - begun < seconds
    assert not processes_of(folder)
    assert {entry.name for entry in folder.iterdir()} == {"lab.lock", "log"}
    assert status(folder) == (1, {"slurm_conf": None, "daemons": {}, "nodes": {}})


def wait_for_sleeps(folder):
    """Wait until both processes of the job exist."""
    deadline = time.monotonic() + 30
    while list(processes_of(folder).values()).count("sleep") != 2:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_labs_that_run_side_by_side_do_not_interfere(folders, lab, status, slurm_lab):
    one, two = folders("one"), folders("two")
    starts = [
        subprocess.Popen(
            [LAB, "start", "--no-accounting", "--folder", folder], env=ENVIRONMENT, stdout=subprocess.DEVNULL
        )
        for folder in (one, two)
    ]
    assert [start.wait(timeout=60) for start in starts] == [0, 0]
    pids = {folder: {*status(folder)[1]["daemons"].values()} for folder in (one, two)}
    assert not pids[one] & pids[two]
    assert lab("stop", one).returncode == 0
    assert not processes_of(one)
    assert status(two)[0] == 0
    assert all(slurm_lab.daemons_alive().values())


@pytest.mark.parametrize("victims", [["munged", "slurmctld"], ["mariadbd", "slurmdbd", "node1"], FULL])
def test_a_lab_with_killed_daemons_can_be_fixed_stopped_and_started(folders, lab, status, victims):
    folder = folders("killed")
    assert lab("start", folder, "--nodes", "2").returncode == 0
    pids = status(folder)[1]["daemons"]
    for name in victims:
        os.kill(pids[name], signal.SIGKILL)
    while processes_of(folder).keys() & {pids[name] for name in victims}:
        time.sleep(0.05)
    code, document = status(folder)
    assert (code, [name for name, pid in document["daemons"].items() if pid is None]) == (1, victims)
    if victims == FULL:  # as after a reboot: nothing is in the way
        assert lab("start", folder, "--nodes", "2").returncode == 0
    else:
        refused = lab("start", folder)
        assert refused.returncode == 1
        assert refused.stderr.rstrip().endswith(f"restart {' '.join(victims)}, or stop it first")
        assert lab("restart", folder, *victims).returncode == 0
    assert status(folder)[0] == 0
    os.kill(status(folder)[1]["daemons"][victims[0]], signal.SIGKILL)
    assert lab("stop", folder).returncode == 0
    assert not processes_of(folder)


def test_what_nobody_has_recorded_is_stopped_all_the_same(folders, lab):
    folder = folders("lost")
    assert lab("start", folder, "--no-accounting").returncode == 0
    for record in (folder / "run").glob("*.json"):
        record.unlink()
    (folder / "lab.json").write_text("torn")
    assert len(lab("status", folder).stderr.splitlines()) == 1
    assert len(processes_of(folder)) >= 5
    assert lab("stop", folder).returncode == 0
    assert not processes_of(folder)
    assert lab("start", folder, "--no-accounting").returncode == 0


def test_a_recycled_pid_is_left_alone(folders, lab):
    folder = folders("pid")
    assert lab("start", folder, "--no-accounting").returncode == 0
    record = folder / "run" / "node3.json"
    bystander = subprocess.Popen(["sleep", "300"])
    record.write_text(json.dumps(json.loads(record.read_text()) | {"pid": bystander.pid}))
    assert lab("kill", folder, "node3").returncode == 0
    assert lab("stop", folder).returncode == 0
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()


def test_stop_ends_all_that_an_interrupted_or_killed_start_left(folders, lab):
    for number in (signal.SIGINT, signal.SIGKILL):
        folder = folders(number.name)
        start = subprocess.Popen(
            [sys.executable, "-m", "harness.lab", "start", "--folder", folder],
            env=ENVIRONMENT | {"PYTHONPATH": str(ROOT)},
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
        while "mariadbd" not in processes_of(folder).values() and start.poll() is None:
            time.sleep(0.01)
        start.send_signal(number)
        error = start.communicate(timeout=60)[1]
        if number == signal.SIGINT:
            assert (start.returncode, error) == (130, "\nlab: interrupted\n")
        else:
            assert lab("stop", folder).returncode == 0
        assert not processes_of(folder)
