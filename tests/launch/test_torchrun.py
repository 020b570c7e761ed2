"""Runs under torchrun: real ranks, killed, interrupted, and on two "nodes" of this machine."""

import os
import shutil
import signal
import socket
import time

import gpus
import psutil
import pytest
from processes import finish, held, start, workers
from progress import gets_on_in
from snapshots import snapshot

from harness.config.execution import Execution
from harness.errors import SpecError
from harness.launch.torchrun import Nodes, Torchrun
from harness.store.results import Results

TABLE = "toy/table102"
TWO_RANKS = (TABLE, "--executor", "torchrun", "--nproc-per-node", "2")
SOON = 20
"""Seconds; a killed rank ends the others in two or three on a quiet machine."""


def free_endpoint():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{listener.getsockname()[1]}"


def node(environment, results, rank, endpoint):
    """Start one of two nodes with a rank each."""
    meeting = ("--nnodes", "2", "--node-rank", str(rank), "--rdzv-endpoint", endpoint)
    return start(environment, results, TABLE, "--executor", "torchrun", "--nproc-per-node", "1", *meeting)


@pytest.fixture(scope="module")
def two_nodes(toy_environment, finished, tmp_path_factory):
    """The results of an uninterrupted run on two nodes, one of which started late."""
    results = tmp_path_factory.mktemp("two-nodes")
    shutil.copytree(finished[0] / "cache", results / "cache")
    endpoint = free_endpoint()
    first = node(toy_environment, results, 1, endpoint)
    time.sleep(6)
    second = node(toy_environment, results, 0, endpoint)
    assert "1 of 1 runs are done" in finish(first)
    assert "1 of 1 runs are done" in finish(second)
    return results


def test_two_nodes_meet_whichever_comes_first(two_nodes):
    (run,) = (two_nodes / "runs").iterdir()
    assert len(list((run / "segments").iterdir())) == 1
    assert (run / "log.txt").read_text().count("INFO done") == 1


def test_a_killed_rank_ends_the_others_and_the_run_goes_on_to_the_same_end(toy_environment, two_nodes, fresh_results):
    """Kill a rank twice: the first time torchrun restarts all ranks, the second time the same command resumes."""
    results = fresh_results()
    process = start(toy_environment, results, *TWO_RANKS, "--max-restarts", "1")
    for stay in (1, 2):
        with held(process, results, gets_on_in(stay)):
            ranks = workers(process)
            ranks[0].kill()
        assert not psutil.wait_procs(ranks, timeout=SOON)[1]
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1, output
    assert "a rank was killed by signal 9 (--max-restarts 1); run the same command again to resume" in output
    finish(start(toy_environment, results, *TWO_RANKS))
    assert len(list(results.glob("runs/*/segments/*.json"))) == 3
    assert snapshot(results) == snapshot(two_nodes)


@pytest.mark.parametrize("whom", ["all", pytest.param("rank", marks=pytest.mark.soak)])
def test_interrupting_saves_and_leaves_nobody_behind(toy_environment, fresh_results, whom):
    results = fresh_results()
    process = start(toy_environment, results, *TWO_RANKS, "--max-restarts", "3")
    with held(process, results):
        ranks = workers(process)
        os.killpg(process.pid, signal.SIGINT) if whom == "all" else ranks[0].terminate()
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output
    assert "interrupted; the same command continues from here" in output
    assert not psutil.wait_procs(ranks, timeout=1)[1]


def test_a_node_whose_peer_never_comes_says_so_in_one_line(toy_environment, tmp_path):
    environment = toy_environment | {"HARNESS_JOIN_SECONDS": "3"}
    lonely = [(endpoint := free_endpoint(), node(environment, tmp_path / f"{i}", i, endpoint)) for i in (0, 1)]
    for endpoint, process in lonely:
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 1
        assert output.splitlines()[-1].startswith(f"harness: rendezvous of 2 nodes at {endpoint} timed out")
        assert "Traceback" not in output


@pytest.fixture
def torchrun(tmp_path, monkeypatch):
    gpus.pretend(monkeypatch, gpus.listing(10))

    def make(visible, **options):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
        return Torchrun(Results(tmp_path), tmp_path, Execution(), **options)

    return make


def test_every_slot_gets_its_share_of_the_gpus(torchrun):
    launcher = torchrun("0,3,5,7,9", nproc=2)
    assert launcher.default_workers == 2
    shares = [launcher.variables(slot)["CUDA_VISIBLE_DEVICES"] for slot in range(3)]
    assert shares == ["0,3", "5,7", "0,3"]
    assert torchrun("2,4").variables(0)["CUDA_VISIBLE_DEVICES"] == "2,4"
    with pytest.raises(SpecError, match="--nproc-per-node 4 needs as many GPUs: this machine shows 2"):
        torchrun("0,1", nproc=4)


def test_ranks_on_a_cpu_get_a_core_each(torchrun, monkeypatch):
    monkeypatch.setattr("harness.launch.torchrun.usable_cores", lambda: 8)
    assert [torchrun("", nproc=n).default_workers for n in (1, 3, 8, 16)] == [8, 2, 1, 1]
    assert "CUDA_VISIBLE_DEVICES" not in torchrun("").variables(0)


def test_a_meeting_place_that_is_taken_or_unknown_is_refused(torchrun):
    with socket.socket() as listener:
        listener.bind(("", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(SpecError, match=f"{port}: this node cannot listen there"):
            torchrun("", nodes=Nodes(2, 0, "127.0.0.1", port))
    with pytest.raises(SpecError, match="--rdzv-endpoint nowhere-invalid:1: "):
        torchrun("", nodes=Nodes(2, 1, "nowhere-invalid", 1))
