"""Who holds a run, and what the heartbeat of its lease does."""

import json
import os
import signal
import socket
import time

from harness.store import lease as leases
from harness.store.lease import Holder, Lease, holder
from harness.store.processes import ProcessIdentity


def test_a_lease_tells_its_holder(tmp_path):
    assert holder(tmp_path) is None
    with Lease.acquire(tmp_path / "new") as lease:
        assert holder(tmp_path / "new") == Holder(ProcessIdentity.current())
        written = json.loads(lease._path.read_text())
        assert (written["host"], written["pid"]) == (socket.gethostname(), os.getpid())
        assert [path.name for path in (tmp_path / "new").iterdir()] == ["lease.1"] and lease.is_held()
    assert (tmp_path / "new/lease.1").read_text() == "null"
    with Lease.acquire(tmp_path / "new"):
        assert [path.name for path in (tmp_path / "new").iterdir()] == ["lease.2"]


def test_the_newest_lease_is_that_of_the_highest_number(tmp_path):
    for name in ("lease.2", "lease.10", "lease.x", "lease.", "lease.12~", "lease.\u00b2"):
        (tmp_path / name).write_text("")
    (tmp_path / "lease.11").write_text(ProcessIdentity.current().model_dump_json())
    assert holder(tmp_path) is not None and Lease.acquire(tmp_path) is None
    (tmp_path / "lease.11").write_text("")
    lease = Lease.acquire(tmp_path)
    left = {path.name for path in tmp_path.iterdir()}
    assert lease.is_held() and left == {"lease.12", "lease.x", "lease.", "lease.12~", "lease.\u00b2"}
    (tmp_path / "lease.13").write_text("")
    assert not lease.is_held()


def test_only_a_worker_whose_pid_has_a_meaning_here_is_asked_to_stop(monkeypatch):
    sent = []
    monkeypatch.setattr(leases.os, "kill", lambda *arguments: sent.append(arguments))
    here = ProcessIdentity.current()
    for other in ({"host": "far"}, {"boot": "b"}, {"namespace": 1}, {"ticks": 1}, {"ticks": None}):
        assert not Holder(here.model_copy(update=other)).request_stop()
    assert sent == [] and Holder(here).request_stop()
    assert sent == [(os.getpid(), signal.SIGTERM)]

    def refuse(*arguments):
        raise ProcessLookupError

    monkeypatch.setattr(leases.os, "kill", refuse)
    assert not Holder(here).request_stop()


def test_the_heartbeat_touches_the_lease_and_tells_once_of_a_cancellation(tmp_path, monkeypatch):
    monkeypatch.setattr(leases, "HEARTBEAT_SECONDS", 0.01)
    told = []
    with Lease.acquire(tmp_path, lambda: told.append(True), lambda: True) as lease:
        os.utime(lease._path, (1, 1))
        for _ in range(500):
            if lease._path.stat().st_mtime > 1 and told:
                break
            time.sleep(0.01)
        time.sleep(0.1)
        assert lease._path.stat().st_mtime > 1 and told == [True] and lease._thread.is_alive()
    assert told == [True] and not lease._thread.is_alive()
