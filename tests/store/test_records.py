"""Records, the results directory and its reader, and rehearsals: what is read, in which order, and how often."""

import json
import os
import shutil
import signal
import socket
import sys
import time
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

import pytest
from toy_paper import DENOISING, HYBRID

from harness.config.evaluations import Accuracy, Likelihood
from harness.errors import SpecError
from harness.store import lease as leases
from harness.store import provenance
from harness.store.files import StoreError
from harness.store.imports import places_of, reachable
from harness.store.lease import Holder, Lease, holder
from harness.store.processes import ProcessIdentity
from harness.store.records import (
    DistributionRecord,
    EvaluationRecord,
    Measurement,
    Need,
    Outcome,
    Progress,
    Segment,
    TrainingRecord,
)
from harness.store.rehearsals import Problem, RehearsalRecord, Rehearsals
from harness.store.results import Results
from harness.store.run_directory import RunDirectory, RunState
from harness.store.usage import Usage, usage_of

WHERE = {"host": "a", "device": "cpu", "threads": 1, "commit": None, "dirty": None, "versions": {}}
RECORD = EvaluationRecord(
    evaluation=Accuracy().model_dump(mode="json"), quantities={"accuracy": Measurement(value=1.5, n=7)},
    details={"a": 1}, weights_sha256="0" * 64, seconds=1.0,
)  # fmt: skip
HASHES = {"weights_sha256": "0" * 64, "data_sha256": "1" * 64}


def segment(seconds=1.0, **fields):
    return Segment(started=datetime.now(UTC), seconds=seconds, **WHERE | fields)


def test_progress_is_in_epochs_and_seconds():
    progress = Progress(phase="training", step=30, total=120, epochs=8, rate=3.0)
    assert (progress.epoch, progress.seconds_left) == (2.0, 30.0)
    assert (
        Progress(phase="a", step=0, total=0, epochs=8).epoch,
        progress.model_copy(update={"rate": 0.0}).seconds_left,
    ) == (
        0.0,
        None,
    )
    assert Progress(phase="a", step=0, total=1, epochs=8).seconds_left is None


def test_a_segment_counts_the_seconds_of_all_ranks():
    assert segment(3, world_size=4).device_seconds == 12 and segment(3).device_seconds == 3
    assert [segment(device=device).on_gpu for device in ("cuda", "cuda:1", "cpu")] == [True, True, False]
    assert (segment().devices, segment().steps, segment().evaluations) == (1, None, {})


def test_a_distribution_has_a_name():
    assert DistributionRecord(name="a", version="", sha256="").name == "a"
    with pytest.raises(ValueError, match="at least 1 character"):
        DistributionRecord(name="", version="", sha256="")


def test_an_outcome_is_of_now():
    outcome = Outcome.now("failed", "why", {"a": Need(what="no weights", how="get them")})
    assert abs(datetime.now(UTC) - outcome.finished) < timedelta(minutes=1)
    assert (outcome.state, outcome.error, str(outcome.needs["a"])) == ("failed", "why", "no weights: get them")
    assert (Outcome.now("done").error, Outcome.now("done").needs) == (None, {})


def test_records_are_read_as_they_were_written(tmp_path):
    path = tmp_path / "new" / "a.json"
    RECORD.save(path)
    assert EvaluationRecord.load(path) == RECORD and path.read_text().startswith('{\n  "evaluation"')
    with pytest.raises(FileNotFoundError):
        EvaluationRecord.load(tmp_path / "b.json")
    for change, says in (
        ({"value": "x"}, "quantities.accuracy.value: Input"),
        ({"more": 1}, "quantities.accuracy.more: "),
    ):
        document = json.loads(path.read_text())
        document["quantities"]["accuracy"] |= change
        path.with_name("c.json").write_text(json.dumps(document))
        with pytest.raises(StoreError, match=f"corrupted record .*c.json: {says}"):
            EvaluationRecord.load(path.with_name("c.json"))
    with pytest.raises(ValueError, match="frozen"):
        RECORD.seconds = 2.0


@pytest.fixture
def results(tmp_path):
    results = Results(tmp_path)
    results.directory(HYBRID).request(HYBRID, [Accuracy(), Likelihood()])
    return results


def test_results_lie_at_fixed_places(tmp_path):
    own = Results(tmp_path)
    assert [own.runs, own.report, own.cache, own.superseded] == [
        tmp_path / name for name in ("runs", "report", "cache", "superseded")
    ]
    assert own.label == "" and Results(tmp_path, tmp_path / "x", "b").report == tmp_path / "x"
    assert Results(tmp_path, label="b").label == "b" and own.directory(HYBRID).path == tmp_path / "runs" / HYBRID.id


def test_every_file_of_a_run_has_its_name(results):
    directory = results.directory(HYBRID)
    names = {name: getattr(directory, name).relative_to(directory.path).as_posix() for name in (
        "config", "requests", "evaluations", "training", "outcome", "progress", "segments", "metrics", "checkpoints",
        "weights", "snapshots", "log", "previews",
    )}  # fmt: skip
    assert names == {
        "config": "config.json", "requests": "requests", "evaluations": "evaluations", "training": "training.json",
        "outcome": "outcome.json", "progress": "progress.json", "segments": "segments", "metrics": "metrics.jsonl",
        "checkpoints": "checkpoints", "weights": "weights.safetensors", "snapshots": "snapshots", "log": "log.txt",
        "previews": "previews",
    }  # fmt: skip
    assert directory.snapshot(10) == directory.weights
    assert directory.snapshot(9) == directory.snapshots / "9.safetensors"
    assert directory.record_path(Accuracy()) == directory.evaluations / f"{Accuracy().id}.json"
    assert directory.artefacts(Accuracy()) == directory.evaluations / Accuracy().id


def test_a_run_is_done_when_it_is_trained_and_all_that_is_wanted_is_measured(results):
    directory = results.directory(HYBRID)
    assert directory.is_requested(Accuracy()) and not directory.is_requested(Accuracy(split="train"))
    assert [directory.training_record(), directory.last_outcome(), directory.last_progress()] == [None] * 3
    assert directory.state([]) is RunState.PENDING
    TrainingRecord(iterations=1, parameters=2, **HASHES).save(directory.training)
    assert directory.state([]) is RunState.DONE and directory.state([Accuracy()]) is RunState.PENDING
    RECORD.save(directory.record_path(Accuracy()))
    segment(evaluations={Accuracy().id: 1.0}).save(directory.segments / "1.json")
    assert directory.missing() == [Likelihood()]
    assert directory.state([Accuracy()]) is directory.state([]) is RunState.DONE
    assert directory.state() is directory.state([Likelihood()]) is RunState.INTERRUPTED
    assert directory.record(Accuracy()) == RECORD and directory.record(Likelihood()) is None
    with Lease.acquire(directory.path):
        assert directory.state() is RunState.RUNNING
        assert directory.state([Accuracy()]) is RunState.DONE
    assert results.directory(DENOISING).state() is RunState.MISSING
    directory.outcome.write_text("{")
    assert not directory.is_cancelled()


def test_a_run_of_earlier_semantics_is_outdated(results):
    path = results.directory(HYBRID).config
    document = json.loads(path.read_text())
    assert (document["id"], document["name"]) == (HYBRID.id, "hybrid")
    earlier = HYBRID.with_config(semantics=1)
    results.directory(earlier).request(earlier, [])
    with pytest.raises(StoreError, match=r"is from another version of this code \(semantics 1, 2 now\); it is kept"):
        results.directory(earlier).run()


def test_the_reader_reads_each_record_once(results):
    directory, reader = results.directory(HYBRID), results.reader
    assert results.reader is reader
    RECORD.save(directory.record_path(Accuracy()))
    TrainingRecord(iterations=1, parameters=2, **HASHES).save(directory.training)
    segment(5, evaluations={Accuracy().id: 1.0}).save(directory.segments / "1.json")
    Outcome.now("done").save(directory.outcome)
    one, other = HYBRID.id, Accuracy().id
    assert reader.id_of(HYBRID, 2) == HYBRID.but(seed=2).id and reader.id_of(HYBRID, 0) == HYBRID.id
    assert reader.id_of(HYBRID, 2) == HYBRID.but(seed=2).id and reader.id_of(DENOISING, 1) == DENOISING.but(seed=1).id
    assert reader.exists(one) and not reader.exists("0" * 12)
    for _ in range(2):
        assert reader.quantities(one, other) == {"accuracy": (1.5, 7)}
        assert [segment.seconds for segment in reader.segments(one)] == [5]
        assert reader.outcome(one).state == "done" and reader.outcome("0" * 12) is None
        assert reader.quantities(one, Likelihood().id) == {}
        directory.record_path(Accuracy()).write_text("{")
        directory.outcome.write_text("{")
        (directory.segments / "1.json").write_text("{")
    assert reader.details(one, other) == {"a": 1} and reader.details(one, Likelihood().id) == {}
    later = Results(results.root).reader
    for _ in range(2):
        for ask in (lambda: later.quantities(one, other), lambda: later.segments(one), lambda: later.outcome(one)):
            with pytest.raises(StoreError, match="corrupted record"):
                ask()
        RECORD.save(directory.record_path(Accuracy()))


def test_the_cost_of_unreadable_segments_is_not_known(results):
    directory = results.directory(HYBRID)
    assert usage_of(directory) == Usage()
    segment(1800, world_size=4).save(directory.segments / "1.json")
    assert usage_of(directory) == Usage(core_hours=2.0)
    assert usage_of(directory).to_json() == {
        "gpu_hours": 0, "core_hours": 2.0, "energy_joules": None, "energy_gpu_hours": 0
    }  # fmt: skip
    (directory.segments / "2.json").write_text("{")
    assert usage_of(directory) == Usage()
    assert Usage(1 / 3, energy_joules=2 / 3).to_json()["gpu_hours"] == 0.333333


REHEARSAL = RehearsalRecord(
    run=HYBRID.id, started=datetime.now(UTC), seconds=1.0, device_name="b", world_size=1, iterations=10, epochs=2,
    **WHERE,
)  # fmt: skip


def test_a_rehearsal_is_asked_anew_unless_it_is_running(tmp_path):
    rehearsals = Rehearsals(tmp_path)
    assert (rehearsals.root, rehearsals.cache) == (tmp_path, tmp_path / "cache")
    directory = rehearsals.directory(HYBRID)
    assert directory.path == tmp_path / "rehearsals" / HYBRID.id and directory.scratch == directory.path / "scratch"
    assert directory.state() is RunState.MISSING and list(rehearsals.records()) == []
    directory.request(HYBRID, [Accuracy()])
    assert directory.state() is RunState.PENDING and directory.record_of_rehearsal() is None
    with Lease.acquire(directory.path):
        assert directory.state() is RunState.RUNNING
        directory.log.write_text("x")
        directory.request(HYBRID, [Likelihood()])
        assert directory.log.exists() and len(directory.requested()) == 2
    REHEARSAL.save(directory.rehearsal)
    assert directory.state() is RunState.DONE
    assert [(found.path, record) for found, record in rehearsals.records()] == [(directory.path, REHEARSAL)]
    problem = Problem(part="training", what="no memory", mend="a smaller batch")
    REHEARSAL.model_copy(update={"problems": [problem]}).save(directory.rehearsal)
    assert directory.state() is RunState.FAILED
    Outcome.now("done").save(directory.outcome)
    directory.request(HYBRID, [Likelihood()])
    assert not any(path.exists() for path in (directory.rehearsal, directory.outcome, directory.log))
    assert directory.requested() == [Likelihood()] and directory.state() is RunState.PENDING
    directory.rehearsal.write_text("{")
    assert list(rehearsals.records()) == []
    for number in (4, 1, 5, 0, 3, 2):
        REHEARSAL.save(rehearsals.runs / (12 * f"{number}") / "rehearsal.json")
    assert [found.id[0] for found, _ in rehearsals.records()] == ["0", "1", "2", "3", "4", "5"]
    for number in range(6):
        shutil.rmtree(rehearsals.runs / (12 * f"{number}"))
    found = rehearsals.find(HYBRID.id[:4])
    assert type(found) is type(directory) and found.path == directory.path
    with pytest.raises(SpecError, match="unknown run 'x'"):
        rehearsals.find("x")


def test_a_problem_tells_its_mend_if_there_is_one():
    assert str(Problem(part="a", what="b", mend="c")) == "a: b; c" and str(Problem(part="a", what="b")) == "a: b"


def test_what_was_not_reached_costs_nothing():
    assert (REHEARSAL.training_step_seconds, REHEARSAL.expected_seconds, REHEARSAL.on_gpu) == (None, None, False)
    bare = REHEARSAL.model_copy(update={"step_seconds": 2.0})
    assert (bare.training_step_seconds, bare.expected_seconds) == (2.0, 20.0)
    assert REHEARSAL.model_copy(update={"device": "cuda:0"}).on_gpu


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


def test_a_segment_tells_where_and_with_what_it_runs(monkeypatch):
    monkeypatch.setattr(provenance, "git_state", lambda: ("c" * 40, True))
    segment = provenance.segment("cuda", "H200", 3, 4)
    assert abs(datetime.now(UTC) - segment.started) < timedelta(minutes=1)
    assert (segment.device, segment.device_name, segment.threads) == ("cuda", "H200", 3)
    assert (segment.world_size, segment.devices, segment.seconds) == (4, 4, 0)
    assert (segment.commit, segment.dirty, segment.host) == ("c" * 40, True, socket.gethostname())
    assert segment.versions["python"] == ".".join(map(str, sys.version_info[:3]))
    assert {name: segment.versions[name] for name in ("torch", "numpy")} == {
        name: version(name) for name in ("torch", "numpy")
    }
    monkeypatch.setattr(provenance, "PACKAGES", ("not-installed-here", "numpy"))
    assert list(provenance.versions()) == ["python", "numpy"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("processor: 0\nmodel name\t:  Fast   CPU @ 3 GHz: new \nmodel name: other\n", "Fast CPU @ 3 GHz: new"),
        ("model name:\nmodel: 7\n", "some arch"),
        (None, "some arch"),
    ],
)
def test_the_processor_is_named_by_its_model_else_by_its_architecture(monkeypatch, text, name):
    def read(path, **how):
        assert path == Path("/proc/cpuinfo") and how == {"errors": "replace"}
        if text is None:
            raise FileNotFoundError(path)
        return text

    monkeypatch.setattr(Path, "read_text", read)
    monkeypatch.setattr(provenance.platform, "processor", lambda: "")
    monkeypatch.setattr(provenance.platform, "machine", lambda: "some arch")
    assert provenance.processor_name.__wrapped__() == name


def test_packages_are_reached_by_imports_and_by_names_of_implementations(tmp_path, monkeypatch):
    sources = {
        "first/__init__.py": "import second.part as x, os\nfrom . import inner\nfrom .inner import third\n",
        "first/inner/a.py": 'from fourth.b import c\nNAME = "fifth.nn:Net"\nTEXT = "sixth.nn: Net"\n',
        "first/broken.py": "import seventh\n(",
        "second/__init__.py": "", "third.py": "", "fourth.py": "import first\n", "fifth.py": "", "sixth.py": "",
        "seventh.py": "",
    }  # fmt: skip
    for name, text in sources.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    found = reachable(["first"], lambda place: place.startswith(str(tmp_path)))
    assert sorted(found) == ["fifth", "first", "fourth", "second"]
    assert reachable(["first"], lambda place: "second" in place) == []
    assert places_of("first") == (str(tmp_path / "first"),) and places_of("third") == (str(tmp_path / "third.py"),)
    assert places_of("not_there") == places_of("sys") == places_of(".bad") == ()


def test_directories_are_listed_by_id(results):
    for run in (DENOISING, HYBRID.but(seed=1)):
        results.directory(run).request(run, [])
    (results.runs / "0" / "requests").mkdir(parents=True)
    ids = [directory.id for directory in results.all()]
    assert ids == sorted([HYBRID.id, DENOISING.id, HYBRID.but(seed=1).id])
    assert all(type(directory) is RunDirectory for directory in results.all())


@pytest.mark.parametrize(
    "field", [{"seconds": 1e308}, {"seconds": -1.0}, {"world_size": 0}, {"world_size": 10**15}, {"devices": -1},
              {"training_seconds": 1e308}, {"first_step_seconds": -5.0}, {"energy_joules": 1e300},
              {"evaluations": {"accuracy-0123abcd": 1e308}}, {"started": "2026-01-01T00:00:00"}],
)  # fmt: skip
def test_a_cost_that_no_worker_has_is_refused(tmp_path, field):
    document = json.loads(segment().content()) | field
    (tmp_path / "1.json").write_text(json.dumps(document))
    with pytest.raises(StoreError, match=rf"1\.json: {next(iter(field))}"):
        Segment.load(tmp_path / "1.json")
