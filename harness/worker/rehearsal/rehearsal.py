"""A rehearsal: a shortened run on its target machine that measures cost and finds errors before the real one.

All shapes are real: batch, network, precision, compilation, loader, checkpoint, evaluation blocks, feature space. Only
counts are reduced: training steps, images, sampler steps. Errors are recorded, and the rehearsal continues if it can.
"""

import logging
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from harness.config.evaluations import Evaluation, Generation, Robustness
from harness.config.run import RunConfig
from harness.environment import checkpoint_seconds
from harness.errors import MissingRequirement
from harness.evaluation.base import Subject, large_block
from harness.evaluation.logits import block_logits, input_blocks
from harness.evaluation.ood import MIXED_BATCH
from harness.evaluation.run import measure
from harness.evaluation.runtime import wait_for
from harness.evaluation.samples import draw
from harness.methods.base import Classifier, Method, build_method
from harness.store.files import remove_folder
from harness.store.guard import LostLease
from harness.store.rehearsals import Problem, RehearsalDirectory
from harness.training.batches import PREFETCH_STEPS
from harness.training.checkpoints import newest_checkpoint, save_checkpoint
from harness.training.distributed import LostRank
from harness.training.loop import Trainer
from harness.worker.checkpointing import CHECKPOINT_SHARE
from harness.worker.context import Context
from harness.worker.diagnosis import diagnose
from harness.worker.progress import ProgressFile
from harness.worker.rehearsal.datasets import RehearsalData
from harness.worker.rehearsal.excerpts import relabelled
from harness.worker.rehearsal.extrapolation import Extrapolation, step_seconds
from harness.worker.stop import Stopped, StopRequest
from harness.worker.validation import Validator

T = TypeVar("T")
log = logging.getLogger("harness.worker")

STEPS, FEWEST_STEPS = 4 * PREFETCH_STEPS, 3
"""Training steps; the first ten, which are loaded and augmented together, are warm-up."""
TRAINING_SECONDS, EVALUATION_SECONDS = 60.0, 60.0
"""Time limits for the training steps and for each evaluation; slow steps are cut short."""
FEWEST_IMAGES = 2 * MIXED_BATCH
"""Evaluations that mix pairs of test images need at least this many."""


class Ended(Exception):
    """The rehearsal cannot continue: an error on one of several ranks leaves the others waiting."""


class Rehearsal:
    """Rehearses one run. Every rank has one.

    `findings` are fields of the record; `problems` are the errors that the real run would hit.
    """

    def __init__(self, context: Context, directory: RehearsalDirectory, stop: StopRequest) -> None:
        self._comm, self._device = context.comm, context.device
        self.config: RunConfig = self._comm.on_first_rank(directory.run).config
        self.findings: dict[str, Any] = {"evaluations": {}}
        self.problems: list[Problem] = []
        self._context = context
        self._directory = directory
        self._scratch = directory.scratch
        self._stop = stop
        self._progress = ProgressFile(directory.progress, self._comm)
        self._items = max(self._comm.size * large_block(self._device), FEWEST_IMAGES)
        self._loaders = context.loaders(self._show)
        self._wanted: list[Evaluation] = self._comm.on_first_rank(directory.requested)
        self._sources = RehearsalData(
            context,
            datasets=(self.config.data, *(data for each in self._wanted for data in each.datasets)),
            scratch=self._scratch,
            items=self._items,
            count=max(self._items, 2 * self.config.training.batch_size),
            on_error=self._on_error,
        )

    def perform(self) -> None:
        """Open the data, train, write and load a checkpoint, and try every requested evaluation.

        Raises `Stopped` when asked to stop, and `LostRank` or `Ended` when the ranks cannot continue.
        """
        self._comm.on_first_rank(lambda: remove_folder(self._scratch))
        try:
            weights = self._part("training", self._train)
            self._part("evaluations", partial(self._agree, weights))
            self._loaders = self._context.loaders(self._show)
            for evaluation in self._wanted:
                self._part(evaluation.kind, partial(self._evaluate, evaluation, weights))
            gathered = self._comm.all_gather(self.problems)
            self.problems = list({str(problem): problem for problem in gathered}.values())
        finally:
            self.findings["random_pixels"] = self._sources.random
            if self._comm.is_main:
                remove_folder(self._scratch)

    def _train(self) -> Mapping[str, Tensor]:
        """Train a few steps, write a checkpoint, validate, and return the EMA weights."""
        begun, config = time.monotonic(), self.config
        data = self._sources.whole(config.data)
        loader = self._loaders.open(data, "train")
        trainer = Trainer(
            config, build_method(config, self._device), loader, self._device, self._context.compiled, self._comm
        )
        self.findings["loader"] = str(self._loaders.choice(data, "train"))
        self.findings["opening_seconds"] = round(time.monotonic() - begun, 3)
        with closing(trainer):
            self._time_steps(trainer)
            self._part("checkpoint", partial(self._keep_and_resume, trainer))
        weights = trainer.ema_weights()
        self._part("validation", partial(self._validate, weights))
        return weights

    def _time_steps(self, trainer: Trainer) -> None:
        """Train a few steps and record the seconds per step."""
        wait_for(self._device)
        times = [time.monotonic()]
        while trainer.step < min(STEPS, trainer.iterations):
            trainer.train_step()
            if trainer.step == 1 or trainer.step % PREFETCH_STEPS == 0:
                wait_for(self._device)
            times.append(time.monotonic())
            self._show("training", trainer.step, STEPS)
            slow = time.monotonic() - times[1] > TRAINING_SECONDS and trainer.step >= FEWEST_STEPS
            if self._comm.any(slow):
                break
        wait_for(self._device)
        times[-1] = time.monotonic()
        self.findings["tried_steps"] = trainer.step
        self.findings["first_step_seconds"] = round(times[1] - times[0], 3)
        self.findings["step_seconds"] = round(step_seconds(times), 6)

    def _keep_and_resume(self, trainer: Trainer) -> None:
        """Write a checkpoint of full size, read it back, and resume from it."""
        folder, begun = self._scratch / "checkpoints", time.monotonic()
        self._comm.on_first_rank(lambda: save_checkpoint(folder, trainer.step, trainer.state()))
        written = time.monotonic()
        found = self._comm.on_first_rank(lambda: newest_checkpoint(folder))
        assert found is not None, "the checkpoint was just written"
        trainer.load_state(found[0], found[1])
        took = written - begun
        self.findings["checkpoint_write_seconds"] = round(took, 3)
        self.findings["checkpoint_read_seconds"] = round(time.monotonic() - written, 3)
        self.findings["checkpoint_bytes"] = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
        self.findings["checkpoint_share"] = round(took / max(checkpoint_seconds(), took / CHECKPOINT_SHARE), 6)

    def _validate(self, weights: Mapping[str, Tensor]) -> None:
        """Record the seconds of a full validation, extrapolated from a few images."""
        if not self.config.validated_splits:
            self.findings["validation_seconds"] = 0.0
            return
        excerpt = self._sources.excerpt(self.config.data)
        loaders = {split: self._loaders.open(excerpt, split) for split in self.config.validated_splits}
        validator = Validator(self.config, loaders, self._device, self._comm)
        validator.validate(weights)
        begun = time.monotonic()
        validator.validate(weights)
        tried, whole = sum(map(len, loaders.values())), sum(map(self.config.data.examples, loaders))
        self.findings["validation_seconds"] = round((time.monotonic() - begun) * whole / tried, 6)

    def _agree(self, weights: Mapping[str, Tensor] | None) -> None:
        """Replace labels by the model's own predictions, so that an attack runs on every image.

        An untrained model would otherwise misclassify nearly all, and attacks skip misclassified images.
        """
        model = self._model(self.config, weights)
        if not isinstance(model, Classifier) or not any(isinstance(each, Robustness) for each in self._wanted):
            return
        excerpt = self._sources.excerpt(self.config.data)
        logits = block_logits(model, input_blocks(self._loaders.open(excerpt, "test")), lambda done: None)
        self._comm.on_first_rank(lambda: relabelled(excerpt, "test", np.concatenate(logits).argmax(axis=1)))

    def _evaluate(self, evaluation: Evaluation, weights: Mapping[str, Tensor] | None) -> None:
        """Try a reduced evaluation and record the expected duration of the full one."""

        def attempt(reduced: Evaluation, config: RunConfig) -> float:
            begun, model = time.monotonic(), self._model(config, weights)
            self._try(reduced, self._subject(config, model, self._scratch / "tries" / reduced.id))
            wait_for(self._device)
            return self._comm.on_first_rank(lambda: time.monotonic() - begun)

        log.info("rehearsing %s", evaluation.id)
        trial = Extrapolation(evaluation, self.config, self._items)
        self.findings["evaluations"][evaluation.id] = trial.measure(attempt, EVALUATION_SECONDS)

    def _try(self, reduced: Evaluation, subject: Subject) -> None:
        """Run an evaluation; if the feature space is missing, at least draw the samples."""
        self._comm.on_first_rank(lambda: remove_folder(subject.artefacts.parent))
        self._comm.on_first_rank(lambda: subject.artefacts.mkdir(parents=True))
        try:
            measure(reduced, subject)
        except MissingRequirement as need:
            self._on_error(reduced.kind, need)
            if isinstance(reduced, Generation):
                draw(reduced, subject)

    def _subject(self, config: RunConfig, model: Method, artefacts: Path) -> Subject:
        excerpt, report = self._sources.excerpt, partial(self._show, f"rehearsing {artefacts.name}")
        data = excerpt(self.config.data)
        subject = self._context.subject(config, data, model, "rehearsal", artefacts, self._loaders, report)
        return replace(subject, cache=self._scratch / "cache", open_data=excerpt)

    def _model(self, config: RunConfig, weights: Mapping[str, Tensor] | None) -> Method:
        """Return the method in evaluation mode; untrained if training failed."""
        model = build_method(config, self._device).eval()
        if weights is not None:
            model.load_state_dict(weights)
        return model

    def _part(self, name: str, task: Callable[[], T]) -> T | None:
        """Run one part of the rehearsal. Errors are recorded; a single rank then continues with the next part."""
        try:
            return task()
        except (Stopped, LostLease, LostRank, Ended):
            raise
        except Exception as error:
            log.debug("%s", traceback.format_exc())
            self._on_error(name, error)
        if self._comm.size > 1:
            raise Ended(name)
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
        return None

    def _on_error(self, part: str, error: Exception) -> None:
        problem = diagnose(part, error, self._device, self._directory.log)
        if problem not in self.problems:
            log.error("%s", problem)
            self.problems.append(problem)

    def _show(self, phase: str, done: int, total: int) -> None:
        self._progress.show(phase, done, total)
        self._stop.check()
