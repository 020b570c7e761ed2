"""Records of two sides for comparisons, without runs."""

from datetime import UTC, datetime

from toy_paper import PAPER, TABLES
from vouching import vouch

from harness.compare.cells import ComparedCell, SideValue
from harness.compare.sides import Side
from harness.compare.significance import SeedValues, Status
from harness.registry.cells import cells
from harness.registry.metrics import ACCURACY
from harness.store.records import EvaluationRecord, Measurement, Segment
from harness.store.results import Results

WHERE = {"started": datetime.now(UTC), "seconds": 1.0, "host": "h", "device": "cpu", "threads": 1}


def measured(results, run, evaluation, quantity="accuracy", value=1.0, **details):
    directory = results.directory(run)
    directory.request(run, [evaluation])
    record = EvaluationRecord(
        evaluation=evaluation.model_dump(mode="json"), quantities={quantity: Measurement(value=value, n=1000)},
        details=details, weights_sha256="0" * 64, seconds=1.0,
    )  # fmt: skip
    record.save(directory.record_path(evaluation))
    vouch(directory)
    return record


def stay(commit=None, dirty=False, versions=None, **fields):
    return Segment(**WHERE | {"commit": commit, "dirty": dirty, "versions": versions or {}} | fields)


def nothing(seed):
    return ()


def pair(results, numbers, cell, **how):
    runs = {seed: (cell.run if seed == 0 else cell.run.but(seed=seed)) for seed in numbers}
    records = {
        seed: measured(results, run, cell.evaluation, cell.metric.quantity, numbers[seed], **how)
        for seed, run in runs.items()
    }
    return SideValue(SeedValues(numbers), {seed: run.id for seed, run in runs.items()}, records)


CELL = next(iter(cells(PAPER, TABLES[0], TABLES[0].rows, PAPER.scale("laptop"), [0])))


def made(a, b, status=Status.NO_TEST, metric=ACCURACY, **fields):
    return ComparedCell("toy/table101", "Row", metric, "", "Acc", "digits", a, b, status, **fields)


def toy(tmp_path, **values):
    """Return results of the toy paper by side, from the values of accuracy by seed."""
    return [
        Side(name.upper(), name, results)
        for name, numbers in values.items()
        for results in [Results(tmp_path / name)]
        if [pair(results, numbers, CELL)]
    ]
