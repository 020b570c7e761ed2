"""Hashes the files of results again, and says what is wrong and how to mend it. Nothing is changed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from harness.advice import command
from harness.store.curves import curve_sha256
from harness.store.decisions import FILE, FOLDER, MEND, DamagedDecisionError, load
from harness.store.files import DamagedError, StoreError, read_json, sha256_of
from harness.store.hashed import SUFFIX, hash_path, matches_hash
from harness.store.lease import is_leased
from harness.store.names import CACHED_HASH, EVALUATION_RECORD, named, numbered
from harness.store.rechecks import RecheckRecord, recheck_path
from harness.store.records import EvaluationRecord, TrainingRecord
from harness.store.results import Results
from harness.store.run_directory import RunDirectory
from harness.store.vouching import UnvouchedError, Vouchers, vouched_record


@dataclass(frozen=True)
class Checked:
    """A checked file, with its problem and the mend, both empty if it is intact.

    `run` is None for shared files. `absent` says that the problem is that there is no such file.
    """

    run: str | None
    path: Path
    problem: str = ""
    mend: str = ""
    absent: bool = False

    def at(self, path: Path) -> "Checked":
        """Return the same result for a file at another path."""
        return replace(self, path=path)

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}: {self.mend}" if self.problem else f"{self.path}: intact"


def checked_run(directory: RunDirectory) -> Iterator[Checked]:
    """Yield the files of a run, each hashed again.

    Only finished files of a run that a worker holds are checked, because the others change meanwhile.
    """
    vouchers = _vouchers(directory)
    if isinstance(vouchers, Checked):
        yield vouchers
        return
    if vouchers.training is not None:
        yield from _training(directory, vouchers.training)
    yield from checked_measurements(directory)
    yield from _checked_recheck(directory)
    if not is_leased(directory.path):
        yield from _unfinished(directory)


def checked_measurements(directory: RunDirectory) -> Iterator[Checked]:
    """Yield the files behind the numbers of a run: configuration, records and arrays, each hashed again.

    If one that decides which records count cannot be read, it is the only one.
    """
    vouchers = _vouchers(directory)
    if isinstance(vouchers, Checked):
        yield vouchers
        return
    yield Checked(directory.id, directory.config)
    yield from checked_records(directory, vouchers, f"{_retry(directory)} measures it again")
    yield from _checked_arrays(directory)


def _vouchers(directory: RunDirectory) -> Vouchers | Checked:
    """Return what vouches for the records of a run, or the file that cannot be read."""
    try:
        directory.check()
        return directory.vouchers()
    except (StoreError, OSError) as error:
        return _unreadable(directory, error)


def checked_records(directory: RunDirectory, vouchers: Vouchers, mend: str) -> Iterator[Checked]:
    """Yield the records of a run."""
    for path in named(directory.evaluations, EVALUATION_RECORD):
        try:
            vouched_record(path, vouchers)
        except StoreError as error:
            yield Checked(directory.id, path, _problem(error), mend)
        else:
            yield Checked(directory.id, path)


def _checked_arrays(directory: RunDirectory) -> Iterator[Checked]:
    """Yield the arrays that the records of a run state."""
    for path in directory.counting_records():
        for name, sha256 in EvaluationRecord.load(path).artefacts.items():
            mend = f"delete {path}, then {_retry(directory)} measures it again"
            yield _compared(directory.id, path.with_suffix("") / name, sha256, mend)


def _checked_recheck(directory: RunDirectory) -> Iterator[Checked]:
    """Yield the record of a run's recheck, if there is one."""
    path = recheck_path(directory)
    try:
        RecheckRecord.load(path)
    except FileNotFoundError:
        return
    except StoreError as error:
        yield Checked(directory.id, path, _problem(error), f"'{command(f'recheck {directory.id}')}' replaces it")
    else:
        yield Checked(directory.id, path)


def checked_cache(results: Results) -> Iterator[Checked]:
    """Yield the files that runs share and that have a hash beside them."""
    found = (path for path in results.cache.rglob(f"*{SUFFIX}") if CACHED_HASH.fullmatch(path.name))
    for beside in sorted(found):
        path = beside.with_name(beside.name.removesuffix(SUFFIX))
        if matches_hash(path):
            yield Checked(None, path)
        else:
            mend = "it is recomputed when a run needs it; delete it to free its space"
            yield Checked(None, path, "is not the file that was written", mend)


def checked_decisions(results: Results) -> Iterator[Checked]:
    """Yield the records of decisions, which set the level of reports; a damaged one stops them."""
    for path in named(results.root / FOLDER, FILE):
        try:
            load(results.root, path.stem)
        except DamagedDecisionError as error:
            yield Checked(None, path, error.why, MEND)
        except (StoreError, OSError) as error:
            yield Checked(None, path, str(error), MEND)
        else:
            yield Checked(None, path)


def _training(directory: RunDirectory, training: TrainingRecord) -> Iterator[Checked]:
    check = partial(_compared, directory.id, mend=f"delete {directory.training}, then {_retry(directory)} trains again")
    yield Checked(directory.id, directory.training)
    for tenths in (*training.snapshots, 10):
        yield check(directory.snapshot(tenths), training.weights_of(tenths))
    if training.curve_sha256 is not None:
        yield check(directory.metrics, training.curve_sha256, found=partial(curve_sha256, step=training.iterations))


def _unfinished(directory: RunDirectory) -> Iterator[Checked]:
    """Yield the checkpoints and the parts of interrupted evaluations, from which a worker would continue."""
    mend = f"{_retry(directory)} continues without it"
    for manifest in numbered(directory.checkpoints, after=".json", digits=9).values():
        try:
            described: Any = read_json(manifest)
            yield _compared(directory.id, manifest.with_suffix(".safetensors"), described["sha256"], mend)
        except (StoreError, KeyError, TypeError):
            yield Checked(directory.id, manifest, "is damaged", mend)
    for shard in sorted(directory.evaluations.glob("*/shard-*.npy")):
        intact = hash_path(shard).exists() and matches_hash(shard)
        yield Checked(directory.id, shard) if intact else Checked(directory.id, shard, "does not match its hash", mend)


def _compared(run: str, path: Path, sha256: str, mend: str, found: Callable[[Path], str] = sha256_of) -> Checked:
    try:
        same = found(path) == sha256
    except FileNotFoundError:
        return Checked(run, path, "is missing", mend, absent=True)
    except (StoreError, OSError) as error:
        return Checked(run, path, f"cannot be read ({error})", mend)
    return Checked(run, path) if same else Checked(run, path, "does not have its recorded SHA-256", mend)


def _unreadable(directory: RunDirectory, error: Exception) -> Checked:
    if isinstance(error, DamagedError):
        return Checked(directory.id, error.path, error.why, "delete this file and run again to recompute it")
    return Checked(directory.id, directory.path, " ".join(str(error).split()), f"see '{command('status')}'")


def _problem(error: StoreError) -> str:
    if isinstance(error, DamagedError | UnvouchedError):
        return error.why
    return " ".join(str(error).split())


def _retry(directory: RunDirectory) -> str:
    return f"'{command(f'retry {directory.id}')}'"
