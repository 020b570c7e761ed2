"""Kinds of plots of an exhibit's rows. `implementation` is imported only by the report."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Plot:
    """A kind of plot. `implementation` names the drawing function as `module:name`."""

    implementation: ClassVar[str]

    @property
    def arrays(self) -> dict[str, int | None]:
        """The evaluation arrays that the plot reads, each with its number of leading rows, None for all."""
        return {}

    @property
    def class_shown(self) -> tuple[int, str] | None:
        """The index and the paper's name of the class that the plot shows; None for a plot of several or of none."""
        return None


@dataclass(frozen=True)
class Agreement(Plot):
    """Measured values of every metric, with rows in the order of the paper's values; drawn for every table."""

    implementation: ClassVar[str] = "harness.report.figures.agreement:draw"


@dataclass(frozen=True)
class SampleGrids(Plot):
    """A grid of the first `side * side` samples of every row, without selection."""

    implementation: ClassVar[str] = "harness.report.figures.samples:grids"

    side: int = 10

    @property
    def arrays(self) -> dict[str, int | None]:
        """The samples shown per row."""
        return {"samples": self.side**2}


@dataclass(frozen=True)
class SampleStrips(Plot):
    """A strip of the first samples of every row that has samples, without selection; drawn for every table."""

    implementation: ClassVar[str] = "harness.report.figures.samples:strips"

    count: int = 16

    @property
    def arrays(self) -> dict[str, int | None]:
        """The samples shown per row."""
        return {"samples": self.count}


@dataclass(frozen=True)
class SamplesAtDistances(Plot):
    """Samples of the last row, and of the row with the distance nearest to `ratio` times that of the last row.

    The rows are states of one run after increasing fractions of its training.
    """

    implementation: ClassVar[str] = "harness.report.figures.samples:at_distances"

    ratio: float
    side: int = 10

    @property
    def arrays(self) -> dict[str, int | None]:
        """The samples shown per row."""
        return {"samples": self.side**2}


@dataclass(frozen=True)
class ReliabilityDiagrams(Plot):
    """Accuracy against confidence in bins, with the expected calibration error, one panel per row."""

    implementation: ClassVar[str] = "harness.report.figures.reliability:draw"
    arrays: ClassVar[dict[str, int | None]] = {"bins": None}


@dataclass(frozen=True)
class AccuracyUnderAttack(Plot):
    """Accuracy against perturbation size, one panel per norm, one curve per row."""

    implementation: ClassVar[str] = "harness.report.figures.attacks:draw"


@dataclass(frozen=True)
class LearningCurves(Plot):
    """Accuracy and distance over the epochs, one panel per section; the rows of a section are states of one run.

    `reported` holds the authors' published curves by section: pairs of fraction of training and accuracy in percent.
    """

    implementation: ClassVar[str] = "harness.report.figures.learning_curves:draw"

    reported: Sequence[tuple[str, Sequence[tuple[float, float]]]] = ()


@dataclass(frozen=True)
class ClassExtremes(Plot):
    """The samples of every class with the highest and lowest density and confidence, one row per class.

    `classes` are the names of the classes at paper scale.
    """

    implementation: ClassVar[str] = "harness.report.figures.class_extremes:all_classes"
    arrays: ClassVar[dict[str, int | None]] = {"samples": None, "own_logits": None}

    classes: tuple[str, ...]
    count: int = 10


@dataclass(frozen=True)
class ClassGrids(Plot):
    """The samples of one class with the highest and lowest density and confidence, as grids.

    `name` is the name of the class at paper scale.
    """

    implementation: ClassVar[str] = "harness.report.figures.class_extremes:one_class"
    arrays: ClassVar[dict[str, int | None]] = {"samples": None, "own_logits": None}

    index: int
    side: int = 10
    name: str = ""

    @property
    def class_shown(self) -> tuple[int, str] | None:
        """The class, if it has a name."""
        return (self.index, self.name) if self.name else None


@dataclass(frozen=True)
class DensityHistograms(Plot):
    """Histograms of log p(x) of a model's samples, up to a constant, one per class."""

    implementation: ClassVar[str] = "harness.report.figures.histograms:draw"
    arrays: ClassVar[dict[str, int | None]] = {"samples": None, "own_logits": None}

    classes: tuple[str, ...]
    bins: int = 50
