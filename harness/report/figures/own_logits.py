"""Samples as classified by the model that drew them: class, density and confidence."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from harness.registry.row import Row
from harness.report.figures.row_data import artefact, pictures
from harness.report.results.report import ExhibitReport
from harness.store.results import Results

DENSITY = "E(x) is the logsumexp of the model's own class logits: log p(x) up to a constant."
UNCLASSIFIED = -1


@dataclass(frozen=True)
class ClassifiedSamples:
    """Samples `(n, c, h, w)` with values from their own model's logits, each `(n,)`.

    `classes` is the argmax of the logits, -1 where they are not finite; `density` is the logsumexp of the
    logits, `confidence` the probability of the class. `names` are the names of the classes.
    """

    images: NDArray[np.uint8]
    classes: NDArray[np.intp]
    density: NDArray[np.float64]
    confidence: NDArray[np.float64]
    names: tuple[str, ...]

    def of_class(self, index: int) -> NDArray[np.intp]:
        """Return the indices of the samples of a class."""
        return np.flatnonzero(self.classes == index)

    def extremes(self, index: int) -> Iterator[tuple[str, NDArray[np.float64], NDArray[np.intp]]]:
        """Yield four rankings of a class's samples, most extreme first: name, scores and sample indices.

        Ties keep the order of the samples.
        """
        members = self.of_class(index)
        for name, scores in (("E(x)", self.density), ("p(y|x)", self.confidence)):
            for direction, sign in (("highest", -1), ("lowest", 1)):
                order = members[np.argsort(sign * scores[members], kind="stable")]
                yield f"{direction} {name}", scores[order], order


def own_logits(report: ExhibitReport, results: Results, names: Sequence[str]) -> ClassifiedSamples | None:
    """Return the samples of the first row that has any; None if no row has.

    `names` are the class names of the paper's data; classes of stand-in data are numbered too.
    """
    for row in report.rows:
        images = pictures(report, results, row.row)
        logits = artefact(report, results, row.row, "own_logits")
        if images is not None and logits is not None:
            return _classify(images, logits.astype(np.float64), _names(report, row.row, names, logits.shape[1]))
    return None


def _names(report: ExhibitReport, row: Row, names: Sequence[str], number: int) -> tuple[str, ...]:
    """Return the names of the classes of a row's data; without a name a class has its number."""
    if any(data.is_stand_in for data in report.data([row])):
        own = [f"{index} for {name}" for index, name in enumerate(names)]
    else:
        own = list(names)
    return (*own[:number], *map(str, range(len(own), number)))


def _classify(images: NDArray[np.uint8], logits: NDArray[np.float64], names: tuple[str, ...]) -> ClassifiedSamples:
    finite = np.isfinite(logits).all(axis=1)
    logits[~finite] = 0
    classes = np.where(finite, logits.argmax(axis=1), UNCLASSIFIED)
    density = logsumexp(logits, axis=1)
    confidence = np.exp(logits.max(axis=1) - density)
    return ClassifiedSamples(images, classes, density, confidence, names)
