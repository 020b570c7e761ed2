"""Leases: one owner, dead owners replaced, no live owner replaced by a slow contender."""

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.store import lease as module
from harness.store import lease_files, processes
from harness.store.files import StoreError
from harness.store.lease import Lease, is_leased, lease_from_the_future
from harness.store.processes import Life, ProcessIdentity

HOLD = """
import sys, time
from pathlib import Path
from harness.store.lease import Lease
lease = Lease.acquire(Path(sys.argv[1]))
with lease:
    print("held", flush=True)
    time.sleep(60)
"""
HERE = ProcessIdentity.current()
DAY = 86400


SUPPORT = Path(__file__).parents[1] / "support"


def holder(folder, **environment):
    command = [sys.executable, "-c", HOLD, str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | environment)
    assert process.stdout.readline().strip() == "held"
    return process


def write(folder, number=1, age=0.0, **changes):
    """Write the lease of this process with some changes, dated `age` seconds ago."""
    path = folder / f"lease.{number}"
    path.write_text(HERE.model_copy(update=changes).model_dump_json())
    stamp = time.time() - age
    os.utime(path, (stamp, stamp))
    return path


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


def test_a_stopped_process_holds_its_lease_for_two_minutes(tmp_path):
    process = holder(tmp_path)
    try:
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        assert is_leased(tmp_path)
        old = time.time() - lease_files.STALE_AFTER_SECONDS - 1
        os.utime(tmp_path / "lease.1", (old, old))
        assert not is_leased(tmp_path)
        process.send_signal(signal.SIGCONT)
        os.waitid(os.P_PID, process.pid, os.WCONTINUED)
        os.utime(tmp_path / "lease.1", (old, old))
        assert is_leased(tmp_path), "a live process of this machine holds its lease whatever the clock says"
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    "changes", [{"host": "far"}, {"boot": "b"}, {"namespace": 1}, {"boot": None, "namespace": None, "ticks": None}]
)
@pytest.mark.parametrize(("age", "lives"), [(0, True), (115, True), (-115, True), (125, False), (-125, False)])
def test_a_lease_whose_pid_has_no_meaning_here_lives_by_its_heartbeat(tmp_path, changes, age, lives):
    write(tmp_path, age=age, pid=2**31 - 1, **changes)
    assert is_leased(tmp_path) is lives
    assert (Lease.acquire(tmp_path) is None) is lives


@pytest.mark.parametrize("age", [0, DAY, -DAY])
def test_a_clock_step_neither_ends_a_live_process_nor_revives_a_dead_one(tmp_path, age):
    write(tmp_path, age=age)
    assert is_leased(tmp_path)
    assert lease_from_the_future(tmp_path) is None
    write(tmp_path, age=age, ticks=HERE.ticks - 1)
    assert not is_leased(tmp_path)
    assert lease_from_the_future(tmp_path) is None


def test_a_lease_of_an_earlier_version_lives_by_its_heartbeat(tmp_path):
    path = tmp_path / "lease.1"
    path.write_text(json.dumps({"host": HERE.host, "pid": 1, "started": 1.5}))
    assert is_leased(tmp_path)
    os.utime(path, (1, 1))
    assert not is_leased(tmp_path)
    path.write_text("")
    assert not is_leased(tmp_path), "earlier versions released by truncation"


def test_a_lease_from_the_future_is_told_and_does_not_count(tmp_path):
    run = tmp_path / "0123"
    run.mkdir()
    write(run, age=-DAY, host="node77")
    assert not is_leased(run)
    told = lease_from_the_future(run)
    assert told.startswith(
        "the lease of 0123 by node77 is dated 24 hours ahead of this machine's clock, so it does not"
    )
    with Lease.acquire(run):
        assert lease_from_the_future(run) is None


def test_the_clock_of_the_file_system_judges_not_that_of_the_taker(tmp_path, monkeypatch):
    """The clock of this machine is a day ahead of the file server's."""
    write(tmp_path, host="far")
    monkeypatch.setattr(lease_files.time, "time", lambda now=time.time: now() + DAY)
    assert Lease.acquire(tmp_path) is None


@pytest.mark.parametrize("mounted", ["elsewhere", "not"])
def test_without_a_proc_of_its_own_namespace_a_process_has_no_place(monkeypatch, mounted):
    real = processes._stat

    def stat(pid):
        if mounted == "not":
            raise FileNotFoundError
        return real(pid)._replace(pid=7)

    monkeypatch.setattr(processes, "_stat", stat)
    identity = ProcessIdentity.current()
    assert (identity.pid, identity.place, identity.life()) == (os.getpid(), None, Life.UNKNOWN)


def test_a_process_that_proc_hides_is_not_dead(monkeypatch):
    monkeypatch.setattr(processes, "_stat", lambda pid, real=processes._stat: real("self" if pid == "self" else "none"))
    assert HERE.life() is Life.UNKNOWN
    assert HERE.model_copy(update={"pid": 2**31 - 1}).life() is Life.DEAD


def test_an_owner_that_lost_its_lease_is_told_and_releases_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "HEARTBEAT_SECONDS", 0.05)
    told = []
    with Lease.acquire(tmp_path, on_stop=lambda: told.append(True)) as lease:
        before = lease._path.read_text()
        (tmp_path / "lease.2").write_text("{}")
        time.sleep(0.5)
        assert not lease.is_held()
    assert told == [True]
    assert lease._path.read_text() == before


@pytest.mark.parametrize(
    "content",
    ["{", "[]", '"x"', "7", "\xff", "[" * 3000, '{"host": 1, "pid": 1}', '{"host": "a", "pid": -1}',
     '{"host": "a", "pid": 99999999999999999999}', '{"host": "a", "pid": true}'],
)  # fmt: skip
def test_a_damaged_lease_does_not_block(tmp_path, content):
    (tmp_path / "lease.1").write_bytes(content.encode("latin-1"))
    assert module.holder(tmp_path) is None
    assert Lease.acquire(tmp_path) is not None


def test_a_lease_after_which_no_number_is_left_is_named(tmp_path):
    (tmp_path / "lease.999999999999").write_text("null")
    with pytest.raises(StoreError, match=r"lease\.999999999999 is none of the harness's files, .*: delete it"):
        Lease.acquire(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["lease.999999999999"]


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: os.symlink("/dev/zero", path)])
def test_what_is_no_file_does_not_block_either(tmp_path, make):
    make(tmp_path / "lease.3")
    assert not is_leased(tmp_path)
    with Lease.acquire(tmp_path) as lease:
        assert lease._path.name == "lease.4"
        assert is_leased(tmp_path)


def test_a_slow_contender_gives_up_a_number_that_was_free_again(tmp_path, monkeypatch):
    """It looks, and stalls before it links; two others own the folder meanwhile."""
    write(tmp_path, pid=2**31 - 1)
    take, others = lease_files.ContenderFiles.take, []

    def slow(self, number):
        if not others:
            for _ in range(2):
                others.append(None)
                others[-1] = Lease.acquire(tmp_path)
                assert others[-1] is not None
                if len(others) == 1:
                    module._release(others[0]._path)
        return take(self, number)

    monkeypatch.setattr(lease_files.ContenderFiles, "take", slow)
    assert Lease.acquire(tmp_path) is None
    assert others[-1].is_held()
    assert [path.name for path in tmp_path.iterdir()] == ["lease.3"]


def test_a_contender_gives_up_if_the_late_owner_has_come_back(tmp_path, monkeypatch):
    late = write(tmp_path, age=125, host="far")
    take = lease_files.ContenderFiles.take

    def slow(self, number):
        os.utime(late)
        return take(self, number)

    monkeypatch.setattr(lease_files.ContenderFiles, "take", slow)
    assert Lease.acquire(tmp_path) is None
    assert [path.name for path in tmp_path.iterdir()] == ["lease.1"]


def test_without_links_an_empty_lease_is_being_created(tmp_path, monkeypatch):
    (tmp_path / "lease.1").touch()
    with monkeypatch.context() as patched:
        patched.setattr(lease_files.os, "link", refuse)
        assert Lease.acquire(tmp_path) is None
        old = time.time() - lease_files.STALE_AFTER_SECONDS - 1
        os.utime(tmp_path / "lease.1", (old, old))
        with Lease.acquire(tmp_path):
            assert is_leased(tmp_path)
    (tmp_path / "lease.2").write_text("")
    assert Lease.acquire(tmp_path) is not None, "with links, an earlier version has released it"
    assert [path.name for path in tmp_path.iterdir()] == ["lease.3"]


@pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")
def test_a_file_system_without_links_has_leases_too(tmp_path):
    library, folder = tmp_path / "nolink.so", tmp_path / "run"
    subprocess.run(["cc", "-shared", "-fPIC", "-w", "-o", library, SUPPORT / "nolink.c"], check=True)
    for number in (1, 2):
        process = holder(folder, LD_PRELOAD=str(library))
        assert [path.name for path in folder.iterdir()] == [f"lease.{number}"]
        assert is_leased(folder) and Lease.acquire(folder) is None
        process.kill()
        process.wait()
        assert not is_leased(folder)


def contend(folder, barrier, winners):
    barrier.wait()
    lease = Lease.acquire(folder)
    if lease is not None:
        with lease:
            winners.put(os.getpid())
            time.sleep(0.5)


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("stale", [False, True])
def test_one_of_many_contenders_wins(tmp_path, monkeypatch, stale, links):
    if stale:
        write(tmp_path, 7, pid=2**31 - 1)
    if not links:
        monkeypatch.setattr(lease_files.os, "link", refuse)
    context = multiprocessing.get_context("fork")
    barrier, winners = context.Barrier(8), context.Queue()
    workers = [context.Process(target=contend, args=(tmp_path, barrier, winners)) for _ in range(8)]
    for process in workers:
        process.start()
    for process in workers:
        process.join()
    assert winners.get(timeout=5)
    assert winners.empty()
    assert len(list(tmp_path.glob("lease.*"))) == 1


def refuse(*_):
    raise PermissionError(1, "Operation not permitted")
