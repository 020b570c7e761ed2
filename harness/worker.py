"""One run, from wherever it stopped to its end: train, evaluate, record.

The same worker runs in a terminal, as a child of the local executor, under torchrun or in an array task. It trusts
nothing but the run directory: it takes the lease, continues from the newest checkpoint that verifies, and leaves
every state on disk by rename, so that it may be killed at any moment.
"""

import logging
import os
import shutil
import signal
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path

import torch

from harness.data.loaders import ResidentLoader
from harness.data.prepared import PreparedDataset, open_dataset
from harness.evaluation.base import Subject
from harness.evaluation.run import measure
from harness.methods.base import Method, build_method
from harness.spec.errors import HarnessError
from harness.spec.run import Run
from harness.store.curves import append_point, cut_after
from harness.store.files import sha256_of, writing
from harness.store.lease import Lease
from harness.store.provenance import segment
from harness.store.records import Outcome, Progress, Segment, TrainingRecord
from harness.store.run_directory import Results, RunDirectory
from harness.training.checkpoints import load_tensors, newest_checkpoint, save_checkpoint, save_tensors
from harness.training.loop import Hooks, Trainer

log = logging.getLogger("harness.worker")

CHECKPOINT_SECONDS = float(os.environ.get("HARNESS_CHECKPOINT_SECONDS", "5"))
CHECKPOINT_SHARE = 0.02
"""Checkpoints are at least so many seconds apart, and further where writing one would take a larger share of time."""

PROGRESS_SECONDS = 1.0


class Ending(Enum):
    """How a worker left a run, with the exit code of its process."""

    DONE = 0
    FAILED = 1
    BUSY = 3
    INTERRUPTED = 130


def work(results: Results, directory: RunDirectory, data_root: Path, device: torch.device) -> Ending:
    """Bring a run to its end, unless another worker is at it.

    Failures of the run are recorded, not raised. Raises `StoreError` when the directory cannot be written.
    """
    stop = StopRequest()
    lease = Lease.acquire(directory.path, lost=stop.set)
    if lease is None:
        return Ending.BUSY
    with lease, stop, _logging_to(directory.log):
        try:
            session = Session(results, directory, data_root, device, stop)
            ending = session.finish()
        except Exception as error:
            log.error("failed: %s", _one_line(error))
            log.debug("%s", traceback.format_exc())
            Outcome.now("failed", _one_line(error)).save(directory.outcome)
            return Ending.FAILED
        if ending is Ending.DONE:
            Outcome.now("done").save(directory.outcome)
        log.info("%s", ending.name.lower())
        return ending


class StopRequest:
    """Turns SIGINT, SIGTERM and SIGUSR2 into a wish to stop at the next safe point, while it is entered."""

    SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR2)

    def __init__(self) -> None:
        self.wanted = False

    def set(self, *_: object) -> None:
        """Ask the worker to stop."""
        self.wanted = True

    def __enter__(self) -> "StopRequest":
        self._previous = {number: signal.signal(number, self.set) for number in self.SIGNALS}
        return self

    def __exit__(self, *exc: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)


class Session:
    """A worker's stay on a run."""

    def __init__(
        self,
        results: Results,
        directory: RunDirectory,
        data_root: Path,
        device: torch.device,
        stop: StopRequest,
    ) -> None:
        self.results = results
        self.directory = directory
        self.device = device
        self.stop = stop
        self.run: Run = directory.run()
        self.data: PreparedDataset = open_dataset(self.run.config.data, data_root)
        self._last_progress = 0.0

    def finish(self) -> Ending:
        """Train what is left to train and measure what is left to measure."""
        record = self.directory.training_record()
        if record is None:
            record = self._train()
            if record is None:
                return Ending.INTERRUPTED
        if record.data_sha256 != self.data.manifest.sha256:
            raise HarnessError(f"dataset '{self.data.manifest.name}' is not the one that this run was trained on")
        missing = self.directory.missing()
        if missing:
            model = self._trained_model(record)
            for evaluation in missing:
                if self.stop.wanted:
                    return Ending.INTERRUPTED
                log.info("evaluating %s", evaluation.id)
                subject = self._subject(model, self.directory.artefacts(evaluation), evaluation.kind)
                measure(evaluation, subject, record.weights_sha256).save(self.directory.record_path(evaluation))
        return Ending.DONE

    def _train(self) -> TrainingRecord | None:
        """Train to the last iteration and keep the EMA weights; None when asked to stop before."""
        config = self.run.config
        method = build_method(config, self.device)
        loader = ResidentLoader(*self.data.split("train"), self.device)
        trainer = Trainer(config, method, loader, self.device)
        self._resume(trainer)
        keeper = _Keeper(self, trainer)
        ended = trainer.run(Hooks(after_step=keeper.after_step, after_epoch=keeper.after_epoch))
        keeper.save()
        if not ended:
            return None
        save_tensors(self.directory.weights, trainer.ema_weights())
        record = TrainingRecord(
            iterations=trainer.iterations,
            parameters=sum(p.numel() for player in method.players().values() for p in player.parameters()),
            weights_sha256=sha256_of(self.directory.weights),
            data_sha256=self.data.manifest.sha256,
        )
        record.save(self.directory.training)
        shutil.rmtree(self.directory.checkpoints, ignore_errors=True)
        return record

    def _resume(self, trainer: Trainer) -> None:
        found = newest_checkpoint(self.directory.checkpoints)
        if found is not None:
            step, state, complaints = found
            for complaint in complaints:
                log.warning("%s; going on from the one before", complaint)
            trainer.load_state(step, state)
        log.info("training %s from step %d of %d", self.run.name, trainer.step, trainer.iterations)
        cut_after(self.directory.metrics, trainer.step)

    def _trained_model(self, record: TrainingRecord) -> Method:
        model = build_method(self.run.config, self.device)
        model.load_state_dict(load_tensors(self.directory.weights, record.weights_sha256))
        return model.eval()

    def _subject(self, model: Method, artefacts: Path, phase: str) -> Subject:
        artefacts.mkdir(parents=True, exist_ok=True)
        return Subject(
            config=self.run.config,
            model=model,
            data=self.data,
            device=self.device,
            artefacts=artefacts,
            cache=self.results.cache,
            report=lambda done, total: self.show(phase, done, total, epochs=0, rate=None),
        )

    def show(self, phase: str, step: int, total: int, epochs: int, rate: float | None) -> None:
        """Tell the displays where the run stands, at most once a second."""
        now = time.monotonic()
        if now - self._last_progress >= PROGRESS_SECONDS or step == total:
            Progress(phase=phase, step=step, total=total, epochs=epochs, rate=rate).save(self.directory.progress)
            self._last_progress = now


class _Keeper:
    """Keeps a training's checkpoints, curves and costs while the loop runs."""

    def __init__(self, session: Session, trainer: Trainer) -> None:
        self.session = session
        self.trainer = trainer
        self._first_step = trainer.step
        self._begun = self._last_save = time.monotonic()
        self._interval = CHECKPOINT_SECONDS
        folder = session.directory.segments
        self._segment_path = folder / f"{1 + max((int(p.stem) for p in folder.glob('*.json')), default=0)}.json"
        self._segment: Segment = segment(str(session.device), torch.get_num_threads(), trainer.step)
        self._segment.save(self._segment_path)

    def after_step(self, step: int) -> bool:
        """Show progress, save a checkpoint when it is time, and pass on a wish to stop."""
        now = time.monotonic()
        rate = (step - self._first_step) / (now - self._begun)
        training = self.session.run.config.training
        self.session.show("training", step, self.trainer.iterations, training.epochs, round(rate, 2))
        if now - self._last_save >= self._interval:
            self.save()
        return self.session.stop.wanted

    def after_epoch(self, step: int, means: dict[str, float]) -> None:
        """Append the epoch's means to the curves and to the log."""
        line = {"epoch": step // self.trainer.iterations_per_epoch, "step": step, **means}
        append_point(self.session.directory.metrics, line)
        log.info("epoch %d: %s", line["epoch"], ", ".join(f"{key} {value:.4g}" for key, value in means.items()))

    def save(self) -> None:
        """Save a checkpoint and the time spent so far."""
        begun = time.monotonic()
        save_checkpoint(self.session.directory.checkpoints, self.trainer.step, self.trainer.state())
        self._segment.model_copy(update={"seconds": round(begun - self._begun, 3)}).save(self._segment_path)
        self._last_save = time.monotonic()
        self._interval = max(CHECKPOINT_SECONDS, (self._last_save - begun) / CHECKPOINT_SHARE)


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if isinstance(error, HarnessError) else f"{type(error).__name__}: {text}"


@contextmanager
def _logging_to(path: Path) -> Iterator[None]:
    """Send the harness's log to a file of the run directory."""
    with writing(path):
        handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger = logging.getLogger("harness")
    logger.setLevel(logging.DEBUG)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        handler.close()
