"""Event files for TensorBoard, derived from the run directory and never read back as data."""

import io
import logging
import os
import re
import socket
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from harness.config.dataset import Images
from harness.config.run import Run
from harness.data.pictures import as_pictures
from harness.store.arrays import load_array
from harness.store.artefacts import is_recorded
from harness.store.curves import read_curve
from harness.store.guard import LostLease, check_owner
from harness.store.names import EVALUATION_RECORD, named
from harness.store.records import EvaluationRecord
from harness.store.run_directory import RunDirectory

log = logging.getLogger("harness.worker")

INSTALL = "python -m pip install -c constraints.txt -e '.[tensorboard]'"
PREFIX = "events.out.tfevents."
EVENTS = re.compile(rf"{re.escape(PREFIX)}[0-9]{{10,12}}\..+\.[0-9]+")
SHOWN = 64
"""Samples per picture."""


class EventFiles:
    """The event file of a run under `tensorboard/`.

    Each segment rewrites all points into a new file and empties the older ones, so that no point appears twice, and
    points of lost steps disappear. Points keep their first wall time. The first error is logged and ends the writing,
    never the run.
    """

    def __init__(self, directory: RunDirectory, run: Run) -> None:
        self._directory = directory
        self._run = run
        self._file: Path | None = None
        self._times: dict[tuple[str, int], float] = {}
        self._step = 0
        self._shown: set[str] = set()
        self._failed = False

    def update(self) -> None:
        """Write the new points of curves and records.

        Raises `LostLease` if another worker has taken over the run, and nothing else.
        """
        if self._failed:
            return
        check_owner(self._directory.path)
        try:
            if self._file is None:
                self._file = self._begin(self._directory.path / "tensorboard")
            self._catch_up(self._file)
        except LostLease:
            raise
        except ModuleNotFoundError as error:
            self._give_up(f"the package '{error.name}' is not installed: {INSTALL}")
        except Exception as error:
            self._give_up(" ".join(str(error).split()) or type(error).__name__)

    def _give_up(self, why: str) -> None:
        self._failed = True
        log.warning("no event files for TensorBoard: %s; the run continues without them", why)

    def _begin(self, folder: Path) -> Path:
        """Begin a new file with all points of the directory."""
        from tensorboard.plugins.hparams.summary_v2 import hparams_pb

        folder.mkdir(exist_ok=True)
        old = named(folder, EVENTS)
        self._times = dict(_times(old))
        latest = max((int(path.name.split(".")[3]) for path in old), default=0)
        stamp = max(int(time.time()), latest + 1)  # TensorBoard reads files in the order of their names
        path = folder / f"{PREFIX}{stamp:010d}.{socket.gethostname()}.{os.getpid()}"
        begun = io.BytesIO()
        _write(begun, 0, time.time(), file_version="brain.Event:2")
        _write(begun, 0, time.time(), session_log={"status": "START"})  # TensorBoard drops the points of older files
        parameters = hparams_pb(dict(_flat(self._run.config.model_dump(mode="json"))), trial_id=self._run.id)
        self._add(begun, "_hparams_/session_start_info", 0, parameters)
        _append(path, begun.getvalue())
        self._catch_up(path)
        for each in old:  # TensorBoard fails if the file it reads is deleted
            check_owner(each)
            os.truncate(each, 0) if each.stat().st_size else each.unlink()
        return path

    def _catch_up(self, path: Path) -> None:
        """Append the new points at once, so that the lease is checked immediately before they are written."""
        added = io.BytesIO()
        self._add_new(added)
        if added.tell():
            _append(path, added.getvalue())

    def _add_new(self, file: IO[bytes]) -> None:
        from torch.utils.tensorboard.summary import scalar

        for point in read_curve(self._directory.metrics):
            step = int(point["step"])
            if step > self._step:
                for name in (name for name in point if name not in ("step", "epoch")):
                    self._add(file, f"training/{name}", step, scalar(f"training/{name}", point[name]))
                self._step = step
        for path in named(self._directory.evaluations, EVALUATION_RECORD):
            if path.stem not in self._shown:
                self._add_record(file, path)
                self._shown.add(path.stem)

    def _add_record(self, file: IO[bytes], path: Path) -> None:
        from torch.utils.tensorboard.summary import image, scalar

        record = EvaluationRecord.load(path)
        step = round(self._run.iterations * record.evaluation["after"])
        for name, measured in record.quantities.items():
            self._add(file, f"{path.stem}/{name}", step, scalar(f"{path.stem}/{name}", measured.value))
        data, samples, tag = self._run.config.data, path.with_suffix("") / "samples.npy", f"{path.stem}/samples"
        if isinstance(data, Images) and is_recorded(samples):
            pictures = as_pictures(load_array(samples, mapped=True)[:SHOWN], data.levels)
            if pictures is not None:
                self._add(file, tag, step, image(tag, pictures, dataformats="NCHW"))

    def _add(self, file: IO[bytes], tag: str, step: int, summary: Any) -> None:
        _write(file, step, self._times.get((tag, step)) or time.time(), summary=summary)


def _append(path: Path, data: bytes) -> None:
    with open(path, "ab", buffering=0) as file:
        check_owner(path)
        file.write(data)


def _write(file: IO[bytes], step: int, wall_time: float, **what: Any) -> None:
    """Write an event synchronously. SummaryWriter uses a thread, and its `flush` hangs if the disk is full."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.summary.writer.record_writer import RecordWriter

    RecordWriter(file).write(Event(step=step, wall_time=wall_time, **what).SerializeToString())


def _times(paths: list[Path]) -> Iterator[tuple[tuple[str, int], float]]:
    """Yield the wall time of each point in these files, by tag and step."""
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

    for path in paths:
        for event in EventFileLoader(str(path)).Load():
            for value in event.summary.value:
                yield (value.tag, event.step), event.wall_time


def _flat(fields: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, bool | float | str]]:
    """Yield the fields of a configuration under dotted names."""
    for name, value in fields.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value if isinstance(value, bool | int | float | str) else str(value)
