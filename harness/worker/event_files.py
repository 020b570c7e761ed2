"""Shows a run in TensorBoard: event files that follow what its directory says, and are never read by anything here."""

import io
import logging
import os
import socket
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from PIL import Image

from harness.config.dataset import Images
from harness.config.run import Run
from harness.data.pictures import as_pictures
from harness.store.arrays import load_array
from harness.store.curves import read_curve
from harness.store.records import EvaluationRecord
from harness.store.run_directory import RunDirectory

log = logging.getLogger("harness.worker")

INSTALL = "python -m pip install -c constraints.txt -e '.[tensorboard]'"
PREFIX = "events.out.tfevents."
SHOWN = 8
"""So many samples stand in a line and in a column of a picture."""


class EventFiles:
    """The event file of a run under `tensorboard/`, brought up to date by `follow`.

    A stay begins a new file with all that the directory says, and takes the place of older ones: so nothing is in it
    twice, and nothing of steps that were lost. Points keep the time at which they were written first. What goes wrong
    is said once in the log, and the run goes on without.
    """

    def __init__(self, directory: RunDirectory, run: Run) -> None:
        self._directory = directory
        self._run = run
        self._folder = directory.path / "tensorboard"
        self._file: IO[bytes] | None = None
        self._times: dict[tuple[str, int], float] = {}
        self._step = 0
        self._shown: set[str] = set()
        self._failed = False

    def follow(self) -> None:
        """Write what the curves and records say and the file does not yet. Never raises."""
        if self._failed:
            return
        try:
            if self._file is None:
                self._begin()
            else:
                self._catch_up(self._file)
        except ModuleNotFoundError as error:
            self._give_up(f"the package '{error.name}' is not installed: {INSTALL}")
        except Exception as error:
            self._give_up(" ".join(str(error).split()) or type(error).__name__)

    def _give_up(self, why: str) -> None:
        self._failed = True
        log.warning("no event files for TensorBoard: %s; the run goes on without", why)

    def _begin(self) -> None:
        """Write everything into a new file, which then takes the place of the old ones."""
        from tensorboard.plugins.hparams.summary_v2 import hparams_pb

        self._folder.mkdir(exist_ok=True)
        old = sorted(self._folder.glob(f"{PREFIX}*"))
        self._times = dict(_times(old))
        draft = self._folder / "draft"
        file = open(draft, "wb")  # noqa: SIM115 (open as long as the stay)
        _write(file, 0, time.time(), file_version="brain.Event:2")
        _write(file, 0, time.time(), session_log={"status": "START"})  # displays drop what they have of older files
        parameters = hparams_pb(dict(_flat(self._run.config.model_dump(mode="json"))), trial_id=self._run.id)
        _write(file, 0, self._time_of("_hparams_/session_start_info", 0), summary=parameters)
        self._catch_up(file)
        latest = max((int(path.name.split(".")[3]) for path in old), default=0)
        stamp = max(int(time.time()), latest + 1)  # displays read files in the order of their names
        os.replace(draft, self._folder / f"{PREFIX}{stamp:010d}.{socket.gethostname()}.{os.getpid()}")
        for path in old:
            _clear(path)
        self._file = file

    def _catch_up(self, file: IO[bytes]) -> None:
        for point in read_curve(self._directory.metrics):
            step = int(point["step"])
            if step > self._step:
                curves = {f"training/{name}": value for name, value in point.items() if name not in ("step", "epoch")}
                self._write_scalars(file, step, curves)
                self._step = step
        for path in sorted(self._directory.evaluations.glob("*.json")):
            if path.stem not in self._shown:
                self._write_record(file, path)
                self._shown.add(path.stem)
        file.flush()

    def _write_record(self, file: IO[bytes], path: Path) -> None:
        record = EvaluationRecord.load(path)
        step = round(self._run.iterations * record.evaluation["after"])
        found = {f"{path.stem}/{name}": measured.value for name, measured in record.quantities.items()}
        self._write_scalars(file, step, found)
        samples = path.with_suffix("") / "samples.npy"
        shown = self._pictures(samples) if samples.exists() else None
        if shown is not None:
            tag = f"{path.stem}/samples"
            value = {"tag": tag, "image": _picture(shown)}
            _write(file, step, self._time_of(tag, step), summary={"value": [value]})

    def _pictures(self, path: Path) -> np.ndarray[Any, np.dtype[np.uint8]] | None:
        """Return the first samples as pictures, None where they are no images."""
        data = self._run.config.data
        if not isinstance(data, Images):
            return None
        return as_pictures(load_array(path, mapped=True)[: SHOWN**2], data.levels)

    def _write_scalars(self, file: IO[bytes], step: int, values: Mapping[str, float]) -> None:
        for tag, value in values.items():
            summary = {"value": [{"tag": tag, "simple_value": value}]}
            _write(file, step, self._time_of(tag, step), summary=summary)

    def _time_of(self, tag: str, step: int) -> float:
        return self._times.get((tag, step)) or time.time()


def _write(file: IO[bytes], step: int, wall_time: float, **what: Any) -> None:
    """Write an event."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.summary.writer.record_writer import RecordWriter

    event = Event(step=step, wall_time=wall_time, **what)
    RecordWriter(file).write(event.SerializeToString())


def _clear(path: Path) -> None:
    """Empty an old file, and remove one that is empty: a display that reads it would not get over its absence."""
    if path.stat().st_size:
        os.truncate(path, 0)
    else:
        path.unlink()


def _times(paths: list[Path]) -> Iterator[tuple[tuple[str, int], float]]:
    """Yield when each point of these files was written, by its tag and step."""
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

    for path in paths:
        for event in EventFileLoader(str(path)).Load():
            for value in event.summary.value:
                yield (value.tag, event.step), event.wall_time


def _flat(fields: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, bool | float | str]]:
    """Yield the settings of a configuration with the names of the parts that they are in."""
    for name, value in fields.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value if isinstance(value, bool | int | float | str) else str(value)


def _picture(samples: np.ndarray[Any, np.dtype[np.uint8]]) -> dict[str, Any]:
    """Return the first samples `(n, c, h, w)` as a square picture of lines."""
    number, channels, height, width = samples.shape
    side = min(SHOWN, number)
    lines = samples[: number // side * side].reshape(-1, side, channels, height, width).transpose(0, 3, 1, 4, 2)
    pixels = lines.reshape(lines.shape[0] * height, side * width, channels)
    image = Image.fromarray(np.ascontiguousarray(pixels[:, :, 0] if channels == 1 else pixels))
    content = io.BytesIO()
    image.save(content, format="PNG")
    return {
        "height": image.height,
        "width": image.width,
        "colorspace": channels,
        "encoded_image_string": content.getvalue(),
    }
