"""Leases: one owner, dead owners replaced, no live owner replaced by a slow contender."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time

import pytest

from harness.store import lease as module
from harness.store.lease import Lease, is_leased

HOLD = """
import sys, time
from pathlib import Path
from harness.store.lease import Lease
lease = Lease.acquire(Path(sys.argv[1]))
with lease:
    print("held", flush=True)
    time.sleep(60)
"""


def holder(folder):
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline().strip() == "held"
    return process


def test_a_lease_excludes_others_until_it_is_released(tmp_path):
    with Lease.acquire(tmp_path):
        assert is_leased(tmp_path)
        assert Lease.acquire(tmp_path) is None
    assert not is_leased(tmp_path)
    assert Lease.acquire(tmp_path) is not None


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_lease_of_a_dead_process_is_taken_over_at_once(tmp_path, number):
    process = holder(tmp_path)
    assert is_leased(tmp_path)
    process.send_signal(number)
    process.wait()
    begun = time.monotonic()
    assert not is_leased(tmp_path)
    assert Lease.acquire(tmp_path) is not None
    assert time.monotonic() - begun < 1


def test_a_zombie_is_dead(tmp_path):
    process = holder(tmp_path)
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert not is_leased(tmp_path)
    process.wait()


def test_a_lease_of_another_machine_lives_by_its_heartbeat(tmp_path, monkeypatch):
    with Lease.acquire(tmp_path) as lease:
        monkeypatch.setattr(module.socket, "gethostname", lambda: "elsewhere")
        assert is_leased(tmp_path)
        old = time.time() - module.STALE_AFTER_SECONDS - 1
        os.utime(lease._path, (old, old))
        assert not is_leased(tmp_path)


def test_a_reused_pid_is_not_taken_for_the_owner(tmp_path, monkeypatch):
    with Lease.acquire(tmp_path):
        monkeypatch.setattr(module, "_started", lambda pid: 1.0)
        assert not is_leased(tmp_path)


def test_an_owner_that_lost_its_lease_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "HEARTBEAT_SECONDS", 0.05)
    told = []
    with Lease.acquire(tmp_path, on_stop=lambda: told.append(True)) as lease:
        (tmp_path / "lease.2").write_text("{}")
        time.sleep(0.5)
        assert not lease.is_held()
    assert told == [True]


def test_a_torn_lease_file_does_not_block(tmp_path):
    (tmp_path / "lease.1").write_text("{")
    assert Lease.acquire(tmp_path) is not None


def contend(folder, barrier, winners):
    barrier.wait()
    lease = Lease.acquire(folder)
    if lease is not None:
        with lease:
            winners.put(os.getpid())
            time.sleep(0.5)


@pytest.mark.parametrize("stale", [False, True])
def test_one_of_many_contenders_wins(tmp_path, stale):
    if stale:
        (tmp_path / "lease.7").write_text(
            json.dumps({"host": module.socket.gethostname(), "pid": 999999, "started": 1.0})
        )
    context = multiprocessing.get_context("fork")
    barrier, winners = context.Barrier(8), context.Queue()
    processes = [context.Process(target=contend, args=(tmp_path, barrier, winners)) for _ in range(8)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert winners.get(timeout=5)
    assert winners.empty()
    assert len(list(tmp_path.glob("lease.*"))) == 1
