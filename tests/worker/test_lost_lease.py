"""A worker whose lease is taken over: it ends like one that found the run taken, and changes nothing any more."""

import pytest
import torch
from foreign import MLP_RUN

from harness.config.evaluations import Accuracy, Size
from harness.config.execution import Execution
from harness.config.run import Run
from harness.exit_codes import ExitCode
from harness.store.lease import Lease, is_leased
from harness.store.rehearsals import Rehearsals
from harness.store.results import Results
from harness.store.run_directory import RunState
from harness.store.tidying import tidy
from harness.training.loop import Trainer
from harness.worker import run_worker
from harness.worker.context import Context
from harness.worker.rehearsal.run_rehearsal import rehearse
from harness.worker.run_worker import RunWorker, work

RUN = Run("foreign", MLP_RUN.but(epochs=1))


@pytest.fixture
def context(data_root, tmp_path):
    return Context(Results(tmp_path), data_root, torch.device("cpu"), Execution(tensorboard=True))


def everything(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def take_over(folder, seen):
    """Take the lease of this very process, as if its heartbeat were late, and note what the folder holds."""
    if not seen:
        (lease,) = folder.glob("lease.*")
        lease.write_text("null")
        assert Lease.acquire(folder) is not None
        seen.update(everything(folder))


def trains(monkeypatch, act):
    step = Trainer.train_step
    monkeypatch.setattr(Trainer, "train_step", lambda self: (step(self), self.step == 5 and act())[0])


def fails(monkeypatch, act):
    def boom(self):
        act()
        raise ValueError("boom")

    monkeypatch.setattr(Trainer, "train_step", boom)


def finishes_training(monkeypatch, act):
    save = run_worker.save_tensors
    monkeypatch.setattr(run_worker, "save_tensors", lambda *arguments: (act(), save(*arguments)))


def measures(monkeypatch, act):
    measure = run_worker.measure
    monkeypatch.setattr(run_worker, "measure", lambda *arguments: (act(), measure(*arguments))[1])


def is_asked_to_stop(monkeypatch, act):
    run = RunWorker.run

    def stopped(self):
        act()
        self.stop.set()
        run(self)

    monkeypatch.setattr(RunWorker, "run", stopped)


def ends(monkeypatch, act):
    run = RunWorker.run
    monkeypatch.setattr(RunWorker, "run", lambda self: (run(self), act()))


@pytest.mark.parametrize("when", [trains, fails, finishes_training, measures, is_asked_to_stop, ends])
def test_a_worker_that_lost_its_lease_changes_nothing(context, monkeypatch, caplog, when):
    directory, seen = context.results.directory(RUN), {}
    directory.request(RUN, [Accuracy(), Size()])
    when(monkeypatch, lambda: take_over(directory.path, seen))
    assert work(context, directory) is ExitCode.BUSY
    assert seen and everything(directory.path) == seen
    assert "this one stops and writes nothing more" in caplog.messages[-1]
    monkeypatch.undo()
    assert is_leased(directory.path)


def test_a_rehearsal_that_lost_its_lease_changes_nothing(context, monkeypatch):
    directory, seen = Rehearsals(context.results.root).directory(RUN), {}
    directory.request(RUN, [Size()])
    trains(monkeypatch, lambda: take_over(directory.path, seen))
    assert rehearse(context, directory) is ExitCode.BUSY
    assert seen and everything(directory.path) == seen


def test_a_finished_run_is_tidied_unless_a_worker_holds_it(context):
    directory = context.results.directory(RUN)
    directory.request(RUN, [Size()])
    assert work(context, directory) is ExitCode.DONE
    before = everything(directory.path)
    tidy(directory)
    assert everything(directory.path) == before
    directory.checkpoints.mkdir()
    left = directory.path / ".progress.json.tmp-1-ffffffff-1-1-01234567"
    left.touch()
    with Lease.acquire(directory.path):
        tidy(directory)
        assert directory.checkpoints.exists()
    tidy(directory)
    assert not directory.checkpoints.exists() and not left.exists()
    assert directory.state() is RunState.DONE
