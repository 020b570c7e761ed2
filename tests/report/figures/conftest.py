"""Test bench for figures: toy figures, results written by the store, and access to the drawn content."""

from importlib import import_module

import pytest
from toy_paper import PROTOCOLS
from vouching import vouch

from harness.config.evaluations import Calibration, Robustness
from harness.data.catalogue import DIGITS
from harness.registry.cells import cells
from harness.registry.exhibit import Figure, Table
from harness.registry.metrics import CONFIDENCE_GAP, ECE, robustness
from harness.registry.paper import Paper
from harness.registry.row import Row
from harness.registry.scale import Scale
from harness.registry.scale_rules import Rules
from harness.report.figures.base import freeze_layout, style
from harness.report.figures.render import write_figures
from harness.report.results.report import build
from harness.store.arrays import save_array
from harness.store.records import EvaluationRecord, Measurement
from harness.store.results import Results
from harness.store.run_directory import RunDirectory

ATTACKS = {
    robustness(norm, size): Robustness(norm=norm, epsilons=sizes, step_size=20)
    for norm, sizes in (("linf", (1, 2, 4)), ("l2", (50, 100)))
    for size in sizes
}
KNOWN = {**PROTOCOLS, ECE: Calibration(bins=4), CONFIDENCE_GAP: Calibration(bins=4), **ATTACKS}


ELSEWHERE = DIGITS.model_copy(update={"name": "else_where"})
"""Data for which the scale `stand-in` has the digits."""


class Bench:
    """Fills an exhibit with fake measurements and draws it."""

    attacks = tuple(ATTACKS)
    elsewhere = ELSEWHERE

    def __init__(self, root):
        self.results = Results(root)

    def figure(self, plot, metrics, *rows, **more):
        """Return a figure from rows, or from labels with their runs."""
        rows = [row if isinstance(row, Row) else Row(row[0], row[1], (None,) * len(metrics)) for row in rows]
        return Figure(number=1, title="A toy", metrics=tuple(metrics), rows=tuple(rows), plot=plot, **more)

    def table(self, metrics, *rows, **more):
        return Table(number=2, title="A toy", metrics=tuple(metrics), rows=tuple(rows), **more)

    def measure(
        self, exhibit, value=lambda cell: 10.0, arrays=lambda cell: {}, seeds=1, keep=lambda cell: True, scale="laptop"
    ):
        """Write the records and arrays that real runs would write."""
        records = {}
        paper = self._paper(exhibit)
        for cell in cells(paper, exhibit, exhibit.rows, paper.scale(scale), range(seeds)):
            directory = self.results.directory(cell.run)
            directory.request(cell.run, [cell.evaluation])
            if not keep(cell):
                continue
            quantities = records.setdefault(directory.record_path(cell.evaluation), (cell.evaluation, {}))[1]
            quantities[cell.metric.quantity] = Measurement(value=value(cell), n=100)
            for name, array in arrays(cell).items():
                save_array(directory.artefacts(cell.evaluation) / f"{name}.npy", array)
        for path, (evaluation, quantities) in records.items():
            EvaluationRecord(
                evaluation=evaluation.model_dump(mode="json"), quantities=quantities, weights_sha256="0" * 64, seconds=1
            ).save(path)
            vouch(RunDirectory(path.parents[1]))

    def report(self, exhibit, scale="laptop"):
        paper = self._paper(exhibit)
        return build(paper, exhibit, paper.scale(scale), Results(self.results.root))

    def draw(self, exhibit, scale="laptop", plot=None):
        """Return the drawn figure with its final layout, or None if nothing was drawn."""
        plot = plot or exhibit.plot
        module, _, function = plot.implementation.partition(":")
        with style():
            figure = getattr(import_module(module), function)(plot, self.report(exhibit, scale), self.results)
            if figure is not None:
                freeze_layout(figure)
        return figure

    def write(self, exhibit):
        return {path.name: path.read_bytes() for path in write_figures(self.report(exhibit), self.results)}

    def _paper(self, exhibit):
        """The runs are tiny already: both scales run the same, and values are comparable at one of them only."""
        return Paper(
            name="toy",
            title="A toy",
            url="",
            tables=(),
            protocol=lambda metric, run: KNOWN[metric],
            scales=(
                Scale("laptop", "A toy scale.", comparable=False),
                Scale("stand-in", "A toy scale.", comparable=False, rules=Rules((), {ELSEWHERE.name: DIGITS})),
            ),
        )


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


@pytest.fixture
def texts():
    """Find all texts of a figure, its caption with single spaces."""

    def find(figure):
        found = [text for part in (figure, *figure.subfigs) for text in part.texts]
        found += [text for axes in figure.axes for text in axes.texts]
        return [" ".join(text.get_text().split()) for text in found]

    return find
