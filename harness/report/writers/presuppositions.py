"""What claims presuppose in words, with the measurements that say whether it is met."""

from collections.abc import Callable, Iterator
from math import inf
from typing import Any

from harness.registry.metrics import Metric
from harness.registry.presuppositions import ComparableOperations, InRange, LevelledOff
from harness.report.results.claims import ClaimResult
from harness.report.results.presuppositions import Finding

Label = Callable[[Metric], str]


def presupposed(found: Finding, label: Label) -> str:
    """Return what is presupposed, such as `FID of HybViT levels off (changes by ...)`."""
    need = found.need
    if isinstance(need, InRange):
        return f"{label(need.metric)} of {', '.join(need.rows)} is {_range(need)}"
    if isinstance(need, ComparableOperations):
        within = f"up to a factor of {need.factor:g}"
        return f"training {need.row} takes as many times the operations of {need.other} as at paper scale, {within}"
    metric = label(need.metric)
    name = f"the loss '{need.loss}', for want of {metric}," if found.by_loss else metric
    most = _change(need.loss_within if found.by_loss else need.within, need, found.by_loss)
    return f"{name} of {need.row} levels off, changing by {most} at most {_part(need.since)} of the training"


def as_measured(found: Finding, label: Label) -> str:
    """Return the measurements behind a finding, such as `43.8 to 37.0, by 15 %`."""
    need = found.need
    if not found.measured:
        return "not measured yet"
    if isinstance(need, InRange):
        values = ["-" if mean is None else need.metric.measured(mean) for mean in found.measured]
        return ", ".join(map(" ".join, zip(need.rows, values, strict=True))) if len(values) > 1 else values[0]
    first, last = (value or 0.0 for value in found.measured)
    if isinstance(need, ComparableOperations):
        return f"{first:.3g} times, at paper scale {last:.3g} times"
    size = abs(last - first)
    if found.by_loss or need.metric.noise == "relative":
        size /= abs(first) or 1.0
    shown = (f"{first:.3g}", f"{last:.3g}") if found.by_loss else map(need.metric.measured, (first, last))
    return f"{' to '.join(shown)}, by {_change(size, need, found.by_loss)}"


def finding_to_json(found: Finding, label: Label) -> dict[str, Any]:
    """Return a finding in words for JSON."""
    return {"says": presupposed(found, label), "met": found.met, "measured": as_measured(found, label)}


def unmet(result: ClaimResult, label: Label) -> Iterator[str]:
    """Yield a clause for each presupposition that is not met: what it is, and the measurement that says so."""
    for found in result.findings:
        if found.met is False:
            yield f"it presupposes that {presupposed(found, label)}; measured: {as_measured(found, label)}"


def _part(since: float) -> str:
    """Return a part of the training that ends with it, by its beginning or, if it is shorter, by its length."""
    begins = since <= 0.5
    tenths = round(10 * (since if begins else 1 - since))
    if begins:
        return f"after {tenths} tenths" if tenths > 1 else "after a tenth"
    return f"over the last {tenths} tenths" if tenths > 1 else "over the last tenth"


def _range(need: InRange) -> str:
    unit = f" {need.metric.unit}" if need.metric.unit else ""
    if need.high == inf:
        return f"{need.low:g}{unit} or more"
    if need.low == -inf:
        return f"{need.high:g}{unit} or less"
    return f"{need.low:g} to {need.high:g}{unit}"


def _change(size: float, need: LevelledOff, by_loss: bool) -> str:
    if by_loss or need.metric.noise == "relative":
        return f"{100 * size:.3g} %"
    unit = {"%": "points"}.get(need.metric.unit, need.metric.unit)
    return f"{size:.3g} {unit}".rstrip()
