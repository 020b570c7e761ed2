"""Completes one run: trains from the newest checkpoint, then runs the missing evaluations."""

import hashlib
import logging
import traceback
from collections.abc import Mapping
from functools import partial

from harness.config.evaluations import Evaluation
from harness.errors import HarnessError, MissingRequirement
from harness.evaluation.base import Subject
from harness.evaluation.run import measure
from harness.exit_codes import ExitCode
from harness.methods.base import Method, build_method
from harness.store.code import code_of
from harness.store.curves import curve_sha256, cut_after
from harness.store.files import DamagedError, StoreError, make_folder, remove, remove_folder
from harness.store.guard import LostLease, check_owner
from harness.store.records import EvaluationRecord, Need, Outcome, TrainingRecord
from harness.store.run_directory import RunDirectory
from harness.training.checkpoints import (
    Checkpoint,
    load_tensors,
    newest_checkpoint,
    save_tensors,
    tensors_match,
)
from harness.training.distributed import LostRank
from harness.training.loop import Diverged, Hooks, Trainer
from harness.worker.checkpointing import Checkpointer
from harness.worker.context import Context
from harness.worker.event_files import EventFiles
from harness.worker.ownership import ending_after_lost_rank, one_line, owned
from harness.worker.progress import ProgressFile
from harness.worker.resuming import Snapshots, complaint_of, snapshots_in
from harness.worker.segment_recorder import SegmentRecorder
from harness.worker.stop import Stopped, StopRequest
from harness.worker.validation import Validator

log = logging.getLogger("harness.worker")


class Incomplete(HarnessError):
    """Some evaluations lack a requirement; all others are done. `needs` is keyed by evaluation id."""

    def __init__(self, needs: dict[str, MissingRequirement]) -> None:
        super().__init__("; ".join(dict.fromkeys(str(need) for need in needs.values())))
        self.needs = {id: Need(what=need.what, how=need.how) for id, need in needs.items()}


def work(context: Context, directory: RunDirectory) -> ExitCode:
    """Complete a run, unless another worker holds it or takes it over. Every rank calls it.

    Failures of the run are recorded, not raised. Raises `StoreError` if the directory cannot be written.
    """
    try:
        return _work(context, directory)
    except LostLease as error:
        log.error("%s", error)  # to stderr: the log of the run is no longer ours
        return ExitCode.BUSY


def _work(context: Context, directory: RunDirectory) -> ExitCode:
    comm = context.comm
    with owned(directory, comm) as stop:
        if stop is None:
            return ExitCode.BUSY
        try:
            if comm.on_first_rank(directory.is_cancelled):
                log.info("cancelled")
                return ExitCode.INTERRUPTED
            with SegmentRecorder(directory, context.device, comm.rank, comm.size) as recorder:
                RunWorker(context, directory, stop, recorder).run()
        except LostLease:
            raise
        except Stopped as stopped:
            check_owner(directory.path)
            log.info("%s", stopped)
            return stopped.exit_code
        except LostRank as error:
            check_owner(directory.path)
            outcome = directory.last_outcome()
            return ending_after_lost_rank(outcome is not None and outcome.state == "failed", stop, error)
        except Incomplete as error:
            if comm.is_main:
                _record_failure(directory, "incomplete", str(error), error.needs)
            return ExitCode.FAILED
        except Exception as error:
            log.debug("%s", traceback.format_exc())
            # Any rank records its failure, because the others never learn the reason.
            rank = "" if comm.is_main else f"rank {comm.rank}: "
            _record_failure(directory, "failed", f"{rank}{one_line(error)}")
            return ExitCode.FAILED
        if comm.is_main:
            Outcome.now("done").save(directory.outcome)
        log.info("done")
        return ExitCode.DONE


def _record_failure(directory: RunDirectory, what: str, why: str, needs: Mapping[str, Need] | None = None) -> None:
    log.error("%s: %s", what, why)
    if not directory.is_cancelled():
        Outcome.now("failed", why, needs).save(directory.outcome)


class RunWorker:
    """Trains and evaluates one run. Every rank has one; the first rank reads and writes the run directory."""

    def __init__(self, context: Context, directory: RunDirectory, stop: StopRequest, recorder: SegmentRecorder) -> None:
        self.context = context
        self.directory = directory
        self.stop = stop
        self.recorder = recorder
        self.comm = context.comm
        self._run = self.comm.on_first_rank(directory.run)
        self.comm.on_first_rank(self._record_code)
        self.data = context.open_data(self._run.config.data)
        self._loaders = context.loaders(self._show_phase)
        self._progress = ProgressFile(directory.progress, self.comm)
        wants_events = context.execution.tensorboard and self.comm.is_main
        self._events = EventFiles(directory, self._run) if wants_events else None

    def run(self) -> None:
        """Train if training has not ended, then run the missing evaluations.

        Raises `Stopped` if asked to stop before the end, and `Incomplete` if evaluations lack a requirement; finished
        work is then on disk.
        """
        record = self.comm.on_first_rank(self._usable_training) or self._train()
        self.comm.on_first_rank(lambda: remove_folder(self.directory.checkpoints))
        if record.data_sha256 != self.data.manifest.sha256:
            raise HarnessError(f"dataset '{self.data.manifest.name}' is not the one that this run was trained on")
        missing = self.comm.on_first_rank(self._missing)
        self.comm.on_first_rank(self._record_code)  # more evaluations may have been requested during training
        self._update_event_files()
        needs: dict[str, MissingRequirement] = {}
        model = build_method(self._run.config, self.context.device).eval() if missing else None
        for evaluation in missing:
            assert model is not None
            self._stop_together()
            log.info("evaluating %s", evaluation.id)
            try:
                measured = measure(evaluation, self._subject(model, record, evaluation))
            except MissingRequirement as need:
                log.warning("%s %s", evaluation.id, need)
                needs[evaluation.id] = need
                continue
            self.recorder.gather_energy(self.comm.all_gather)
            self.comm.on_first_rank(partial(self._record, evaluation, measured))
        if needs:
            raise Incomplete(needs)

    def _missing(self) -> list[Evaluation]:
        """Return the evaluations to run; warn about records that do not count."""
        for problem in dict.fromkeys(map(str, self.directory.problems())):
            log.warning("%s", problem)
        return self.directory.missing()

    def _usable_training(self) -> TrainingRecord | None:
        """Return the training record, None to train: it or weights that an evaluation needs may be lost or damaged.

        Training gives the same weights again, and the records of these weights stay valid.
        """
        try:
            record = self.directory.vouchers().training
        except DamagedError as error:
            log.warning("%s", error)
            remove(self.directory.training)
            return None
        if record is None:
            return None
        for evaluation in self.directory.missing():
            tenths = evaluation.tenths
            path = self.directory.snapshot(tenths)
            if not tensors_match(path, record.weights_of(tenths)):
                log.warning("%s is missing or does not match %s; training again", path, self.directory.training.name)
                remove(self.directory.training)
                return None
        return record

    def _train(self) -> TrainingRecord:
        """Train to the last iteration and keep the final EMA weights, or the selected ones."""
        config = self._run.config
        method = build_method(config, self.context.device)
        loader = self._loaders.open(self.data, "train")
        trainer = Trainer(config, method, loader, self.context.device, self.context.compiled, self.comm)
        snapshots = self._resume(trainer)
        validated = {split: self._loaders.open(self.data, split) for split in config.validated_splits}
        validator = Validator(config, validated, self.context.device, self.comm)
        loader_name = str(self._loaders.choice(self.data, "train"))
        self.recorder.begin_training(trainer.step, loader_name)
        checkpointer = Checkpointer(self.directory, trainer, self.recorder, self.comm, self._show_training, snapshots)

        def after_epoch(step: int, means: dict[str, float]) -> None:
            values = validator.validate(trainer.ema_weights())
            if config.deciding_value is not None:
                trainer.update_best(values[config.deciding_value])
            checkpointer.after_epoch(step, means | values)
            self._update_event_files()

        def restarted(why: Diverged) -> None:
            log.warning("%s; restarting from step %d with other random numbers", why, trainer.step)
            self.recorder.begin_training(trainer.step, loader_name)
            checkpointer.begin()

        hooks = Hooks(checkpointer.after_step, after_epoch, lambda: self.comm.any(self.stop.wanted), restarted)
        ended = trainer.run(hooks)
        self.recorder.gather_energy(self.comm.all_gather)
        self.comm.on_first_rank(checkpointer.save)
        if not ended:
            raise Stopped(self.comm.any(self.stop.evicted))
        return self.comm.on_first_rank(partial(self._keep, trainer, checkpointer.snapshots))

    def _keep(self, trainer: Trainer, snapshots: Mapping[int, str]) -> TrainingRecord:
        """Save the final weights and the training record."""
        weights_sha256 = save_tensors(self.directory.weights, trainer.kept_weights())
        self._log_selection(trainer)
        record = TrainingRecord(
            iterations=trainer.iterations,
            parameters=sum(p.numel() for player in trainer.method.players().values() for p in player.parameters()),
            weights_sha256=weights_sha256,
            data_sha256=self.data.manifest.sha256,
            snapshots=dict(sorted(snapshots.items())),
            curve_sha256=curve_sha256(self.directory.metrics, trainer.iterations),
            selected=trainer.best.step if trainer.best is not None else None,
        )
        self.recorder.trained(hashlib.sha256(record.content()).hexdigest())
        record.save(self.directory.training)
        return record

    def _log_selection(self, trainer: Trainer) -> None:
        """Log the selected epoch, if the run selects one."""
        best, name = trainer.best, self._run.config.deciding_value
        if best is None:
            return
        if best.step is None:
            log.warning("%s is NaN after every epoch: keeping the last state", name)
            return
        epoch, epochs = best.step // trainer.iterations_per_epoch, self._run.config.training.epochs
        log.info("keeping the state after epoch %d of %d: the best %s, %.4g", epoch, epochs, name, best.value)

    def _resume(self, trainer: Trainer) -> Snapshots:
        """Load the newest checkpoint, if any, and return the hashes of the snapshots until then."""
        found = self.comm.on_first_rank(self._newest_checkpoint)
        if found is not None:
            for complaint in found.complaints:
                log.warning("%s; resuming from the previous one", complaint)
            trainer.load_state(found.step, found.state)
        log.info("training %s from step %d of %d", self._run.name, trainer.step, trainer.iterations)
        if lost := self.comm.on_first_rank(lambda: cut_after(self.directory.metrics, trainer.step)):
            log.warning("%s: %d damaged lines are dropped", self.directory.metrics, lost)
        self._update_event_files()
        return snapshots_in(found.notes) if found is not None else {}

    def _newest_checkpoint(self) -> Checkpoint | None:
        """Return the newest checkpoint that fits the files of the run, None to train from the start."""
        try:
            return newest_checkpoint(self.directory.checkpoints, partial(complaint_of, self.directory))
        except StoreError as error:
            log.warning("%s; training from the start", error)
            return None

    def _subject(self, model: Method, record: TrainingRecord, evaluation: Evaluation) -> Subject:
        """Load the EMA weights that the evaluation asks for, and make the folder for its arrays."""
        tenths, artefacts = evaluation.tenths, self.directory.artefacts(evaluation)
        expected = record.weights_of(tenths)
        model.load_state_dict(self.comm.on_first_rank(lambda: load_tensors(self.directory.snapshot(tenths), expected)))
        self.comm.on_first_rank(lambda: make_folder(artefacts))
        report = partial(self._show_phase, evaluation.kind)
        config, loaders = self._run.config, self._loaders
        return self.context.subject(config, self.data, model, expected, artefacts, loaders, report)

    def _record(self, evaluation: Evaluation, measured: EvaluationRecord) -> None:
        # The segment comes first: a record that no segment vouches for does not count.
        self.recorder.evaluated(evaluation.id, measured.seconds, hashlib.sha256(measured.content()).hexdigest())
        measured.save(self.directory.record_path(evaluation))
        self._update_event_files()

    def _update_event_files(self) -> None:
        """Write new points to the event files, if requested."""
        if self._events is not None:
            self._events.update()

    def _record_code(self) -> None:
        self.recorder.made_with(code_of([self._run.config, *self.directory.missing()]))

    def _stop_together(self) -> None:
        """Raise `Stopped` on all ranks if one of them was asked to stop."""
        if self.comm.any(self.stop.wanted):
            raise Stopped(self.comm.any(self.stop.evicted))

    def _show_training(self, step: int, total: int, rate: float) -> None:
        self.recorder.keep_sometimes()
        self._progress.show("training", step, total, epochs=self._run.config.training.epochs, rate=rate)

    def _show_phase(self, phase: str, done: int, total: int) -> None:
        self.recorder.keep_sometimes()
        self._progress.show(phase, done, total)
        self.stop.check()
