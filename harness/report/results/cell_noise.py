"""The noise of single cells, pooled over the rows of an exhibit as that of claims is over theirs."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from math import isfinite

from harness.registry.cells import PAPER_PROTOCOL
from harness.registry.metrics import Metric
from harness.registry.scale import Scale, Spread
from harness.report.results.seed_noise import least, pooled, spread_of, with_declared
from harness.report.results.series import Series, SeriesKey
from harness.report.results.statistics import EXACT, Prediction, PrintedValue, predict


class CellNoise:
    """The standard deviations between the seeds of cells.

    They are pooled over the rows with the same kind of model, data, feature space and metric, and with the one that
    the scale declares. Rows that share their runs count once.
    """

    def __init__(self, series: Mapping[SeriesKey, Series], metrics: Iterable[Metric], scale: Scale) -> None:
        self._declared = scale.spread
        by_key = {metric.key: metric for metric in metrics}
        groups: dict[tuple[object, ...], dict[tuple[str, str], Sequence[float]]] = defaultdict(dict)
        for (_, key, reading), found in series.items():
            if reading == PAPER_PROTOCOL and key in by_key and _is_finite(found):
                groups[_pool(by_key[key], found)][found.runs[0], found.evaluation] = found.values
        noise = {key: metric.noise for key, metric in by_key.items()}
        self._measured = {pool: pooled(noise[str(pool[0])], of.values()) for pool, of in groups.items()}

    def prediction(self, metric: Metric, found: Series | None, reported: PrintedValue | None) -> Prediction | None:
        """Return the prediction of a reported value.

        None without a finite measured value and a reported number, or with one seed and no known spread.
        """
        if found is None or reported is None or not _is_finite(found):
            return None
        if metric.noise == "none":
            return EXACT
        return predict(len(found.values), reported, self._spread(metric, found))

    def _spread(self, metric: Metric, found: Series) -> Spread | None:
        spread = with_declared(
            self._measured[_pool(metric, found)], self._declared.get((found.data, metric.key, found.kind))
        )
        values = found.values
        mean = abs(found.mean)
        if spread is not None and (metric.noise == "absolute" or mean):
            sd, df = spread.sd * (mean if metric.noise == "relative" else 1.0), spread.df
        elif own := spread_of(values):  # a relative spread says nothing about a mean of zero
            sd, df = own.sd, own.df
        else:
            return None
        return Spread(max(sd, least(metric, found.items, sd)), df) if isfinite(sd) else None


def _is_finite(found: Series) -> bool:
    return all(map(isfinite, found.values))


def _pool(metric: Metric, found: Series) -> tuple[object, ...]:
    return metric.key, found.kind, found.measure
