"""The formulas of contrasts, with the short names and the values of their operands.

`head=6 - 0.75 x HybViT` is a contrast of two cells. An operand that several metrics share with equal weights, such as
the accuracy over all epsilons, is a mean: `mean('HybViT - Weak Aug') - mean(ViT)`.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from harness.registry.claims import Contrast
from harness.registry.exhibit import Exhibit
from harness.registry.metrics import Metric
from harness.report.results.claims import ClaimResult

IN_PARENTHESES = re.compile(r"(?P<model>.*\S)\s*\((?P<setting>[^()]+)\)")
PLAIN_NAME = re.compile(r"[^\W\d][^\s]*")
"""A name that cannot be taken for a number or a part of the formula."""
SAME = 1e-9
"""Weights whose relative difference is smaller are equal."""


@dataclass(frozen=True)
class Operand:
    """A row's cell in a contrast, or the mean of its cells over several metrics, with its weight."""

    weight: float
    row: str
    metrics: tuple[Metric, ...]


class Formulas:
    """Writes the contrasts of a claim as formulas, in which rows have short names.

    `label` returns the printed name of a metric.
    """

    def __init__(self, result: ClaimResult, exhibit: Exhibit, label: Callable[[Metric], str]) -> None:
        self._claim, self.label = result.claim, label
        self._means = {(value.row, value.metric): value.mean for value in result.values}
        self._cited = {(value.row, value.metric) for value in result.values if not value.seeds}
        self._names = short_names(exhibit, dict.fromkeys(term.row for term in result.claim.terms()))

    def formula(self, contrast: Contrast) -> str:
        """Return a contrast as a sum, additions first; it begins with the metric if the claim has several."""
        parts = sorted(operands(contrast), key=lambda operand: operand.weight < 0)
        repeated = len({operand.row for operand in parts}) < len(parts)
        text = " ".join(f"{'-' if part.weight < 0 else '+'} {self._written(part, repeated)}" for part in parts)
        text = text.removeprefix("+ ")
        one_of_several = len({part.metrics for part in parts}) == 1 < len({part.metrics for part in self._operands})
        return f"{self._of(parts[0].metrics)}: {text}" if one_of_several else text

    def values(self, text: Callable[[float, Metric], str]) -> dict[str, list[str]]:
        """Return the rows of the operands with their values as text, by the printed name of their metrics."""
        found: dict[str, list[str]] = {}
        for part in self._operands:
            known = [self._means[part.row, metric] for metric in part.metrics if (part.row, metric) in self._means]
            if len(known) == len(part.metrics):
                mean, metric = sum(known) / len(known), part.metrics[0]
                is_cited = len(known) == 1 and (part.row, metric) in self._cited
                shown = metric.reported(mean) if is_cited else text(mean, metric)
                found.setdefault(self._of(part.metrics), []).append(f"{part.row} {shown}")
        return found

    @cached_property
    def _operands(self) -> list[Operand]:
        """The operands of all contrasts, each once."""
        found = (operand for contrast in self._claim.contrasts for operand in operands(contrast))
        return list({(operand.row, operand.metrics): operand for operand in found}.values())

    def _of(self, metrics: Sequence[Metric]) -> str:
        """Return the printed name of a metric, or of the mean over several."""
        first, last = self.label(metrics[0]), self.label(metrics[-1])
        return first if len(metrics) == 1 else f"Mean of {len(metrics)} values, {first} to {last}"

    def _written(self, operand: Operand, with_metric: bool) -> str:
        """Return an operand with its weight but without its sign."""
        name = self._names[operand.row]
        name = f"mean({name})" if len(operand.metrics) > 1 else name
        name = f"{name} [{self._of(operand.metrics)}]" if with_metric else name
        size = f"{abs(operand.weight):g}"
        return name if size == "1" else f"{size} x {name}"


def operands(contrast: Contrast) -> list[Operand]:
    """Return the operands of a contrast, in its order; a row with equal weights for several metrics is one operand."""
    weights: dict[str, dict[Metric, float]] = {}
    for term in contrast.terms:
        of_row = weights.setdefault(term.row, {})
        of_row[term.metric] = of_row.get(term.metric, 0.0) + term.weight
    return [operand for row, of_row in weights.items() for operand in _of_row(row, of_row)]


def _of_row(row: str, weights: Mapping[Metric, float]) -> list[Operand]:
    sizes = list(weights.values())
    if max(sizes) - min(sizes) <= SAME * max(map(abs, sizes)):
        return [Operand(sum(sizes), row, tuple(weights))]
    return [Operand(weight, row, (metric,)) for metric, weight in weights.items()]


def short_names(exhibit: Exhibit, rows: Iterable[str]) -> dict[str, str]:
    """Return the distinguishing parts of rows: `head=6` and `HybViT` for `HybViT(head=6)` and `HybViT`.

    Names that might be read as a part of a formula are in quotes.
    """
    keys = list(rows)
    without_sections = {key: exhibit.row(key).name for key in keys}
    names = without_sections if _differ(without_sections) else {key: key for key in keys}
    parts = {key: IN_PARENTHESES.fullmatch(name) for key, name in names.items()}
    models = {part["model"] if (part := parts[key]) else name for key, name in names.items()}
    settings = {key: part["setting"] if (part := parts[key]) else name for key, name in names.items()}
    if len(keys) > 1 and len(models) == 1 and _differ(settings) and all(map(PLAIN_NAME.match, settings.values())):
        names = settings
    return {key: name if PLAIN_NAME.fullmatch(name) else f"'{name}'" for key, name in names.items()}


def _differ(names: Mapping[str, str]) -> bool:
    return len(set(names.values())) == len(names)
