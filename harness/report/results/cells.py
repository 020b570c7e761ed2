"""The cells of a report: the reported value, the measured or configured value, and the verdict."""

from dataclasses import dataclass, field

from harness.config.evaluations import Evaluation
from harness.registry.metrics import Metric
from harness.registry.row import Reported, Row, Source
from harness.report.results.statistics import Statistics
from harness.report.results.verdicts import Judgement, Verdict
from harness.store.records import Need


@dataclass(frozen=True)
class Measured:
    """The values of a cell over seeds: their mean, standard deviation (None for one seed) and runs.

    `values` and `runs` are in the order of `numbers`, the seeds. `spaces` are the feature spaces of the values.
    """

    mean: float
    sd: float | None
    runs: tuple[str, ...]
    values: tuple[float, ...]
    numbers: tuple[int, ...]
    spaces: tuple[str, ...] = ()

    @property
    def seeds(self) -> int:
        """The number of seeds."""
        return len(self.values)


@dataclass(frozen=True)
class Configured:
    """The value of a hyper-parameter in the resolved configurations, as text."""

    value: str


@dataclass(frozen=True)
class ReportCell:
    """A metric of a row: the reported value, the measured or configured value, and the judgement.

    `statistics` are for a measured value that varies between seeds. `wanted` is whether a run or a configuration
    gives its value. `readings` has the values of other protocols by name, `labels` the printed names of the values by
    protocol. `needs` says why the cell was not measured. `reported_sd` and `reported_n` are the paper's standard
    deviation and number of seeds, `source` is the source of its value. `evaluation` is the paper's protocol at this
    scale, None without one.
    """

    metric: Metric
    reported: Reported
    measured: Measured | Configured | None
    judgement: Judgement
    wanted: bool
    statistics: Statistics | None = None
    readings: dict[str, Measured] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    needs: Need | None = None
    reported_sd: float | None = None
    reported_n: int | None = None
    source: Source = "own"
    evaluation: Evaluation | None = None

    @property
    def printed(self) -> str:
        """The paper's value as text, with its standard deviation if the paper prints one."""
        return self.metric.reported(self.reported, self.reported_sd)

    @property
    def printed_sd(self) -> str:
        """The paper's standard deviation as text; empty if it prints none."""
        return "" if self.reported_sd is None else self.metric.reported(self.reported_sd)

    @property
    def verdict(self) -> Verdict:
        """The verdict on the cell."""
        return self.judgement.verdict


@dataclass(frozen=True)
class ReportRow:
    """A row of the exhibit with its cells, in the order of the exhibit's metrics.

    `secondary` are the cells of measured metrics without a column in the paper.
    """

    row: Row
    cells: tuple[ReportCell, ...]
    secondary: tuple[ReportCell, ...] = ()

    @property
    def source(self) -> Source | None:
        """The source of the row's reported values, None if its cells have different ones."""
        sources = {cell.source for cell in self.cells if cell.reported is not None} or {self.row.source}
        return sources.pop() if len(sources) == 1 else None

    @property
    def seeds(self) -> int:
        """The number of seeds of the row: the smallest over its measured cells."""
        return min((cell.measured.seeds for cell in self.cells if isinstance(cell.measured, Measured)), default=0)
