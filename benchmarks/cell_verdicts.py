"""Simulate the verdicts on cells and tables of honest reruns, and of some that are off.

The paper's value is one more seed of the same distribution, or a mean over several. `decisions.py` prints both tables.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import default_rng

from harness.registry.metrics import FID
from harness.registry.scale import Scale, Spread
from harness.registry.tolerances import Allowance, Tolerance
from harness.report.results.cell_noise import CellNoise
from harness.report.results.series import Series, SeriesKey
from harness.report.results.statistics import PrintedValue
from harness.report.results.table_verdict import TableVerdict
from harness.report.results.verdicts import Judgement, Verdict, VerdictRule, judge

SEEDS = (1, 2, 3, 5)
MEAN = 10.0
ABSOLUTE = replace(FID, key="u", noise="absolute", decimals=9)


@dataclass(frozen=True)
class Case:
    """Cells of one distribution, in units of their standard deviation between seeds.

    The printed value is off by `off`, and the mean of `printed` seeds. `declared` is the declared spread with its
    degrees of freedom, drawn anew for each table if `drawn`. `correlation` is that of the metrics of a row.
    """

    name: str
    tolerance: float
    rows: int = 1
    metrics: int = 1
    declared: tuple[float, int] | None = (1.0, 26)
    drawn: bool = False
    relative: float = 0.0
    off: float = 0.0
    printed: int = 1
    correlation: float = 0.0


def cell_cases() -> Iterator[Case]:
    """Yield the cases for single cells."""
    for tolerance in (0.0, 1.0, 2.5):
        yield Case(f"tolerance {tolerance:g} sd, honest", tolerance)
    yield Case("tolerance 0, declared with 4, drawn", 0.0, declared=(1.0, 4), drawn=True)
    yield Case("tolerance 0, nothing declared", 0.0, declared=None)
    yield Case("tolerance 0, pooled over 12 rows", 0.0, rows=12, declared=None)
    yield Case("tolerance 0, relative noise of 8.3 %, 12 rows", 0.0, rows=12, relative=0.083)
    yield Case("tolerance 0, printed mean of 3 seeds", 0.0, printed=3)
    yield Case("tolerance 0, declared spread half of the true one", 0.0, declared=(0.5, 26))
    yield Case("tolerance 1 sd, off by 4 sd", 1.0, off=4.0)
    yield Case("tolerance 2.5 sd, off by 5 sd", 2.5, off=5.0)


def table_cases() -> Iterator[Case]:
    """Yield the cases for tables of 36 cells: 12 rows of three metrics."""
    for tolerance in (0.0, 1.0, 2.0, 2.5, 3.3):
        yield Case(f"tolerance {tolerance:g} sd, honest", tolerance, 12, 3)
    yield Case("tolerance 1 sd, nothing declared", 1.0, 12, 3, declared=None)
    yield Case("tolerance 1 sd, metrics of a row correlated by 0.7", 1.0, 12, 3, correlation=0.7)
    yield Case("tolerance 1 sd, declared spread half of the true one", 1.0, 12, 3, declared=(0.5, 26))
    yield Case("tolerance 1 sd, one cell off by 6 sd", 1.0, 12, 3, off=6.0)


def simulate(case: Case, n: int, repetitions: int) -> Iterator[list[Judgement]]:
    """Yield the judgements on a table, measured with `n` seeds, for each repetition; its first cell is off."""
    rng = default_rng(0)
    noise: dict[str, object] = {"noise": "relative"} if case.relative else {}
    metrics = tuple(replace(ABSOLUTE, key=f"u{number}", **noise) for number in range(case.metrics))  # type: ignore[arg-type]
    unit = case.relative * MEAN or 1.0
    rule = VerdictRule(comparable=True, tolerance=Tolerance((Allowance("w", absolute=case.tolerance * unit),)))
    covariance = np.full((case.metrics, case.metrics), case.correlation) + np.eye(case.metrics) * (1 - case.correlation)
    factor = np.linalg.cholesky(covariance) * unit
    for _ in range(repetitions):
        drawn = MEAN + rng.normal(size=(case.rows, n, case.metrics)) @ factor.T
        printed = MEAN + rng.normal(size=(case.rows, case.printed, case.metrics)).mean(1) @ factor.T
        printed[0, 0] += case.off * unit
        series: dict[SeriesKey, Series] = {}
        for row in range(case.rows):
            for number, metric in enumerate(metrics):
                runs, values = tuple(f"{row} {seed}" for seed in range(n)), tuple(map(float, drawn[row, :, number]))
                series[str(row), metric.key, ""] = Series("e", "d", "l", 0, tuple(range(n)), values, runs, kind="k")
        spreads = {}
        for metric in metrics:
            if case.declared:
                sd, df = case.declared
                sd *= (case.relative or 1.0) * (float(rng.chisquare(df) / df) ** 0.5 if case.drawn else 1.0)
                spreads["d", metric.key, "k"] = Spread(sd, df)
        known = CellNoise(series, metrics, Scale("s", "n", comparable=True, spread=spreads))
        judgements = []
        for row in range(case.rows):
            for number, metric in enumerate(metrics):
                value, found = float(printed[row, number]), series[str(row), metric.key, ""]
                prediction = known.prediction(metric, found, PrintedValue(value, seeds=case.printed))
                mean = sum(found.values) / n
                judgements.append(judge(metric, value, mean, rule, prediction=prediction))
        yield judgements


def of_cells(case: Case, n: int, repetitions: int) -> str:
    """Return the percentages of PASS (closely), INCONCLUSIVE and FAIL of a first cell."""
    if n == 1 and not case.declared:
        return "-"
    found: Counter[object] = Counter()
    for first, *_ in simulate(case, n, repetitions):
        found[first.verdict] += 1
        found["closely"] += first.closely
    shares = [100 * found[key] / repetitions for key in (Verdict.PASS, "closely", Verdict.INCONCLUSIVE, Verdict.FAIL)]
    return "{:.0f} ({:.0f}) / {:.0f} / {:.1f}".format(*shares)


def of_tables(case: Case, n: int, repetitions: int) -> str:
    """Return the percentages of tables that FAIL, and would with any cell outside its tolerance, and the FAILs.

    The FAILs are those of a table on average, and those that it says to expect.
    """
    if n == 1 and not case.declared:
        return "-"
    tables, outside, fails, expected = 0, 0, 0, 0.0
    for judgements in simulate(case, n, repetitions):
        verdict = TableVerdict.of(judgements)
        tables += verdict.word == "FAIL"
        outside += any(one.verdict is not Verdict.PASS for one in judgements)
        fails += verdict.fails
        expected += verdict.expected or 0.0
    shares = (100 * tables / repetitions, 100 * outside / repetitions, fails / repetitions, expected / repetitions)
    return "{:.1f} / {:.0f}; {:.2f} of {:.2f}".format(*shares)


def by_seeds(
    cases: Callable[[], Iterator[Case]], shares: Callable[[Case, int, int], str], repetitions: int
) -> list[list[str]]:
    """Return a line of shares for each case, by the number of seeds."""
    return [[case.name, *(shares(case, n, repetitions) for n in SEEDS)] for case in cases()]
