"""A worker's stay on a run: train what is left to train, measure what is left to measure."""

import logging
import shutil
import time
from functools import cache, partial
from pathlib import Path

import torch

from harness.config.evaluations import Evaluation
from harness.config.execution import Execution
from harness.config.run import Run
from harness.data.loaders.open_loader import LoaderPool
from harness.data.prepared.dataset import PreparedDataset, open_dataset
from harness.errors import HarnessError, MissingRequirement
from harness.evaluation.base import Subject
from harness.evaluation.run import measure
from harness.methods.base import Method, build_method
from harness.store.code import code_of
from harness.store.curves import cut_after
from harness.store.files import sha256_of
from harness.store.records import EvaluationRecord, Progress, TrainingRecord
from harness.store.results import Results
from harness.store.run_directory import RunDirectory
from harness.training.checkpoints import load_tensors, newest_checkpoint, save_tensors
from harness.training.distributed import Communicator
from harness.training.loop import Diverged, Hooks, Trainer
from harness.worker.checkpointing import Checkpointer, NullCheckpointer
from harness.worker.device import wants_compilation
from harness.worker.event_files import EventFiles
from harness.worker.segment_recorder import SegmentRecorder
from harness.worker.stop import Stopped, StopRequest
from harness.worker.validation import Validator

log = logging.getLogger("harness.worker")

PROGRESS_SECONDS = 1.0


class Incomplete(HarnessError):
    """Some evaluations, by their ids, need what is not at hand; all others are done."""

    def __init__(self, needs: dict[str, MissingRequirement]) -> None:
        super().__init__("; ".join(dict.fromkeys(str(need) for need in needs.values())))
        self.needs = needs


class Session:
    """A worker's stay on a run, alone or as one of several ranks, of which the first reads and writes its directory."""

    def __init__(
        self,
        results: Results,
        directory: RunDirectory,
        data_root: Path,
        device: torch.device,
        execution: Execution,
        stop: StopRequest,
        recorder: SegmentRecorder,
        comm: Communicator,
    ) -> None:
        self.results = results
        self.directory = directory
        self.data_root = data_root
        self.device = device
        self.execution = execution
        self.compiled = wants_compilation(execution.compile, device)
        self.stop = stop
        self.recorder = recorder
        self.comm = comm
        self.run: Run = comm.on_first_rank(directory.run)
        comm.on_first_rank(self._note_code)
        # Opening hashes every file, and several evaluations may ask for the same outliers.
        self._open_data = cache(lambda data: open_dataset(data, data_root))
        self.data: PreparedDataset = self._open_data(self.run.config.data)
        self._loaders = LoaderPool(execution.loader, device, self._show_phase)
        self._last_shown = 0.0
        self._events = EventFiles(directory, self.run) if execution.tensorboard and comm.is_main else None

    def finish(self) -> None:
        """Train what is left to train and measure what is left to measure.

        Raises `Stopped` when asked to stop before the end, and `Incomplete` when evaluations need what is not at hand;
        what was done is then on disk.
        """
        record = self.comm.on_first_rank(self.directory.training_record) or self._train()
        if record.data_sha256 != self.data.manifest.sha256:
            raise HarnessError(f"dataset '{self.data.manifest.name}' is not the one that this run was trained on")
        missing = self.comm.on_first_rank(self.directory.missing)
        self.comm.on_first_rank(self._note_code)  # further evaluations may have been asked for while it was trained
        self._follow()
        needs: dict[str, MissingRequirement] = {}
        if missing:
            model = build_method(self.run.config, self.device).eval()
            for evaluation in missing:
                self._stop_together()
                log.info("evaluating %s", evaluation.id)
                weights_sha256 = self._load_weights(model, record, round(10 * evaluation.after))
                subject = self._subject(model, weights_sha256, self.directory.artefacts(evaluation), evaluation.kind)
                try:
                    measured = measure(evaluation, subject)
                except MissingRequirement as need:
                    log.warning("%s %s", evaluation.id, need)
                    needs[evaluation.id] = need
                    continue
                self.recorder.gather_energy(self.comm.all_gather)
                self.comm.on_first_rank(partial(self._record, evaluation, measured))
        if needs:
            raise Incomplete(needs)

    def _train(self) -> TrainingRecord:
        """Train to the last iteration and keep the EMA weights, or the best of them."""
        config = self.run.config
        method = build_method(config, self.device)
        loader = self._loaders.open(self.data, "train")
        trainer = Trainer(config, method, loader, self.device, self.compiled, self.comm)
        self._resume(trainer)
        validated = {split: self._loaders.open(self.data, split) for split in config.validated_splits}
        validator = Validator(config, validated, self.device, self.comm)
        loader_name = str(self._loaders.choice(self.data, "train"))
        self.recorder.begin_training(trainer.step, loader_name)
        first = self.comm.is_main
        checkpointer = (
            Checkpointer(self.directory, trainer, self.recorder, self._show_training) if first else NullCheckpointer()
        )

        def after_epoch(step: int, means: dict[str, float]) -> None:
            values = validator.validate(trainer.ema_weights())
            if config.deciding_value is not None:
                trainer.update_best(values[config.deciding_value])
            checkpointer.after_epoch(step, means | values)
            self._follow()

        def restarted(why: Diverged) -> None:
            log.warning("%s; going on with other draws from step %d, after which all was well", why, trainer.step)
            self.recorder.begin_training(trainer.step, loader_name)
            checkpointer.begin()

        hooks = Hooks(checkpointer.after_step, after_epoch, lambda: self.comm.any(self.stop.wanted), restarted)
        ended = trainer.run(hooks)
        self.recorder.gather_energy(self.comm.all_gather)
        self.comm.on_first_rank(checkpointer.save)
        if not ended:
            raise Stopped(self.comm.any(self.stop.evicted))
        return self.comm.on_first_rank(partial(self._keep, trainer))

    def _keep(self, trainer: Trainer) -> TrainingRecord:
        """Keep the final weights and the record of a training that has ended, and drop its checkpoints."""
        save_tensors(self.directory.weights, trainer.kept_weights())
        self._tell_of_selection(trainer)
        record = TrainingRecord(
            iterations=trainer.iterations,
            parameters=sum(p.numel() for player in trainer.method.players().values() for p in player.parameters()),
            weights_sha256=sha256_of(self.directory.weights),
            data_sha256=self.data.manifest.sha256,
            snapshots={int(p.stem): sha256_of(p) for p in sorted(self.directory.snapshots.glob("*.safetensors"))},
            selected=trainer.best.step if trainer.best is not None else None,
        )
        record.save(self.directory.training)
        shutil.rmtree(self.directory.checkpoints, ignore_errors=True)
        return record

    def _tell_of_selection(self, trainer: Trainer) -> None:
        """Say in the log which epoch was chosen, where the best one is."""
        best, name = trainer.best, self.run.config.deciding_value
        if best is None:
            return
        if best.step is None:
            log.warning("no epoch has a %s that is a number: keeping the last state", name)
            return
        epoch, epochs = best.step // trainer.iterations_per_epoch, self.run.config.training.epochs
        log.info("keeping the state after epoch %d of %d: the best %s, %.4g", epoch, epochs, name, best.value)

    def _resume(self, trainer: Trainer) -> None:
        found = self.comm.on_first_rank(lambda: newest_checkpoint(self.directory.checkpoints))
        if found is not None:
            step, state, complaints = found
            for complaint in complaints:
                log.warning("%s; going on from the one before", complaint)
            trainer.load_state(step, state)
        log.info("training %s from step %d of %d", self.run.name, trainer.step, trainer.iterations)
        self.comm.on_first_rank(lambda: cut_after(self.directory.metrics, trainer.step))
        self._follow()

    def _load_weights(self, model: Method, record: TrainingRecord, tenths: int) -> str:
        """Put the EMA weights after so many tenths of the training into the model and return their hash."""
        expected = record.weights_sha256 if tenths == 10 else record.snapshots.get(tenths, "")
        model.load_state_dict(self.comm.on_first_rank(lambda: load_tensors(self.directory.snapshot(tenths), expected)))
        return expected

    def _subject(self, model: Method, weights_sha256: str, artefacts: Path, phase: str) -> Subject:
        self.comm.on_first_rank(lambda: artefacts.mkdir(parents=True, exist_ok=True))
        return Subject(
            config=self.run.config,
            model=model,
            weights_sha256=weights_sha256,
            data=self.data,
            data_root=self.data_root,
            device=self.device,
            compiled=self.compiled,
            artefacts=artefacts,
            cache=self.results.cache,
            report=lambda done, total: self._show_phase(phase, done, total),
            open_data=self._open_data,
            open_loader=self._loaders.open,
            comm=self.comm,
        )

    def _record(self, evaluation: Evaluation, measured: EvaluationRecord) -> None:
        measured.save(self.directory.record_path(evaluation))
        self.recorder.evaluated(evaluation.id, measured.seconds)
        self._follow()

    def _follow(self) -> None:
        """Bring the event files of TensorBoard up to date with the run directory, where they are wanted."""
        if self._events is not None:
            self._events.follow()

    def _note_code(self) -> None:
        self.recorder.made_with(code_of([self.run.config, *self.directory.missing()]))

    def _stop_together(self) -> None:
        """Raise `Stopped` on all ranks when somebody asked one of them to stop."""
        if self.comm.any(self.stop.wanted):
            raise Stopped(self.comm.any(self.stop.evicted))

    def _show_training(self, step: int, total: int, rate: float) -> None:
        epochs = self.run.config.training.epochs
        self._show(Progress(phase="training", step=step, total=total, epochs=epochs, rate=rate))

    def _show_phase(self, phase: str, done: int, total: int) -> None:
        self._show(Progress(phase=phase, step=done, total=total, epochs=0))
        self.stop.check()

    def _show(self, progress: Progress) -> None:
        """Tell the displays where the run stands, at most once a second."""
        if not self.comm.is_main:
            return
        self.recorder.keep_sometimes()
        now = time.monotonic()
        if now - self._last_shown >= PROGRESS_SECONDS or progress.step == progress.total:
            progress.save(self.directory.progress)
            self._last_shown = now
