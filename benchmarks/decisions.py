"""Simulate how often `report` judges claims, cells and tables wrongly, with known true values.

    PYTHONPATH=. python benchmarks/decisions.py                       # --repetitions 20000 --only cells

Truth is exactly on a claim's bound, where each decision is wrong, but for the last line. Each side should be wrong in
2.5 % at most. "Declared" is the standard deviation that the scale declares, in units of the true one, with its degrees
of freedom; "drawn" means that the declared one is itself measured with so many. Cells and tables are explained in
`cell_verdicts.py`.
"""

import argparse
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from cell_verdicts import SEEDS, by_seeds, cell_cases, of_cells, of_tables, table_cases
from numpy.random import Generator, default_rng
from tabulate import tabulate

from harness.config.methods import Classification
from harness.config.networks import ViT
from harness.config.run import Run, RunConfig
from harness.config.training import Training
from harness.data.catalogue import DIGITS
from harness.registry.claims import Claim, Contrast, Term, close, exceed, mean_difference, rises
from harness.registry.exhibit import Table
from harness.registry.metrics import FID, Metric
from harness.registry.row import Row
from harness.registry.scale import Scale, Spread
from harness.report.results.claims import ClaimStatus, decide
from harness.report.results.series import Series, SeriesKey

UNITS, RELATIVE = replace(FID, key="u", noise="absolute"), replace(FID, key="r")
RUN = Run(
    "a",
    RunConfig(
        data=DIGITS,
        network=ViT(dim=8, depth=1, heads=1, patch_size=4),
        method=Classification(),
        training=Training(epochs=20),
    ),
)
WORDS = {"says": "s", "where": "w"}
Draw = Callable[[Generator, int], dict[tuple[str, Metric], np.ndarray]]
Declaration = Callable[[Generator], Spread | None]


def independent(metric: Metric, means: dict[str, float], sds: dict[str, float]) -> Draw:
    """Draw a value for each row and seed."""
    return lambda rng, n: {(row, metric): rng.normal(mean, sds[row], n) for row, mean in means.items()}


def correlated(metrics: tuple[Metric, ...], rows: tuple[str, ...], correlation: float) -> Draw:
    """Draw several values of each run that share a part of their noise."""

    def draw(rng: Generator, n: int) -> dict[tuple[str, Metric], np.ndarray]:
        shared = {row: rng.normal(0, correlation**0.5, n) for row in rows}
        own = (1 - correlation) ** 0.5
        return {(row, m): 10 + shared[row] + rng.normal(0, own, n) for row in rows for m in metrics}

    return draw


def wrong(claim: Claim, draw: Draw, declared: Declaration, n: int, repetitions: int) -> Counter[ClaimStatus]:
    """Count the decisions on a claim over repetitions of an experiment with `n` seeds of each row.

    Rows `r/early` and `r/late` are states of run `r`; row `r:jem` is of the kind `jem`, for which nothing is declared.
    """
    rng = default_rng(0)
    keys, metrics = dict.fromkeys(t.row for t in claim.terms()), dict.fromkeys(t.metric for t in claim.terms())
    exhibit = Table(
        number=1, title="t", metrics=tuple(metrics), rows=tuple(Row(k, RUN, (None,) * len(metrics)) for k in keys)
    )
    found: Counter[ClaimStatus] = Counter()
    for _ in range(repetitions):
        series: dict[SeriesKey, Series] = {}
        for (row, metric), values in draw(rng, n).items():
            run, _, state = row.partition("/")
            runs, kind = tuple(f"{run} {seed}" for seed in range(n)), run.partition(":")[2] or "k"
            evaluation = f"{metric.key} {state}"
            of_cell = Series(evaluation, "d", "l", 0, tuple(range(n)), tuple(map(float, values)), runs, kind=kind)
            series[row, metric.key, ""] = of_cell
        spread = declared(rng)
        spreads = {("d", metric.key, "k"): spread for metric in metrics} if spread else {}
        found[decide(claim, exhibit, series, Scale("s", "n", comparable=False, spread=spreads)).status] += 1
    return found


def states(rng: Generator, n: int) -> dict[tuple[str, Metric], np.ndarray]:
    """Draw three states of a run: the first is as noisy as it likes, and the last differ by little."""
    middle = rng.normal(10, 1, n)
    return {
        ("r/early", UNITS): rng.normal(0, 5, n),
        ("r/middle", UNITS): middle,
        ("r/late", UNITS): middle + rng.normal(0, 0.1, n),
    }


def fixed(sd: float, df: int) -> Declaration:
    """Declare a standard deviation."""
    return lambda rng: Spread(sd, df) if df else None


def drawn(sd: float, df: int) -> Declaration:
    """Declare a standard deviation that is measured with `df` degrees of freedom."""
    return lambda rng: Spread(sd * float(rng.chisquare(df) / df) ** 0.5, df)


def cases() -> Iterator[tuple[str, Claim, Draw, Declaration]]:
    """Yield the name, claim, truth and declaration of each case."""
    equal = rises(UNITS, "a", "b", **WORDS)
    alike = independent(UNITS, {"a": 10, "b": 10}, {"a": 1, "b": 1})
    for df in (26, 4, 2):
        yield f"A = B, declared 1.0 with {df}", equal, alike, fixed(1, df)
        yield f"A = B, declared 1.0 with {df}, drawn", equal, alike, drawn(1, df)
    yield "A = B, nothing declared", equal, alike, fixed(0, 0)
    yield "A = B, declared 0.5 with 26", equal, alike, fixed(0.5, 26)
    unequal = independent(RELATIVE, {"a": 100, "b": 100}, {"a": 19, "b": 5})
    yield "A = B, of 19 and 5 %, declared 8.3 % with 26", rises(RELATIVE, "a", "b", **WORDS), unequal, fixed(0.083, 26)
    for k in (2, 5, 8):
        rows = {str(number): 10.0 for number in range(k + 1)}
        ones = dict.fromkeys(rows, 1.0)
        yield (
            f"chain of {k} differences, all 0",
            rises(UNITS, *rows, **WORDS),
            independent(UNITS, rows, ones),
            fixed(1, 26),
        )
        above = exceed(UNITS, *list(rows)[1:], over="0", **WORDS)
        yield f"{k} rows above one, all equal", above, independent(UNITS, rows, ones), fixed(1, 26)
    apart = independent(UNITS, {"a": 10, "b": 12}, {"a": 1, "b": 1})
    yield "within 2, difference 2", close(UNITS, "a", "b", within=2, **WORDS), apart, fixed(1, 26)
    sizes = tuple(replace(UNITS, key=f"u{number}") for number in range(8))
    means = Claim("s", "w", (Contrast(mean_difference(sizes, "a", "b"), low=0),))
    for correlation in (0.0, 0.3, 0.8):
        name = f"mean of 8 values of a run, correlation {correlation:g}, declared with 4"
        yield name, means, correlated(sizes, ("a", "b"), correlation), fixed(1, 4)
    gain = Claim("s", "w", (Contrast((Term(-1, "a", UNITS), Term(2, "b", UNITS), Term(-1, "c", UNITS)), low=0),))
    yield (
        "2 B - A - C = 0",
        gain,
        independent(UNITS, dict.fromkeys("abc", 10.0), dict.fromkeys("abc", 1.0)),
        fixed(1, 26),
    )
    yield "early < middle = late of a run", rises(UNITS, "r/early", "r/middle", "r/late", **WORDS), states, fixed(1, 26)
    for sd in (1, 3):
        kinds = independent(UNITS, {"a": 10, "b:jem": 10}, {"a": 1, "b:jem": sd})
        yield f"A = B of another kind, sd {sd}, not declared", rises(UNITS, "a", "b:jem", **WORDS), kinds, fixed(1, 26)
    power = independent(UNITS, {"a": 10, "b": 13}, {"a": 1, "b": 1})
    yield "B - A = 3 (right to hold), declared 1.0 with 26", equal, power, fixed(1, 26)


def claims(repetitions: int) -> None:
    """Print the percentages of claims that hold and fail."""
    lines = []
    for name, claim, draw, declared in cases():
        found = [wrong(claim, draw, declared, n, repetitions) for n in SEEDS]
        shares = [
            f"{100 * one[ClaimStatus.HOLDS] / repetitions:.1f} / {100 * one[ClaimStatus.FAILS] / repetitions:.1f}"
            for one in found
        ]
        lines.append([name, *shares])
    print(tabulate(lines, ["holds / fails, %", *SEED_HEADINGS]))


def cells(repetitions: int) -> None:
    """Print the percentages of cells by verdict."""
    print(
        tabulate(
            by_seeds(cell_cases, of_cells, repetitions), ["PASS (closely) / INCONCLUSIVE / FAIL, %", *SEED_HEADINGS]
        )
    )


def tables(repetitions: int) -> None:
    """Print the percentages of tables of 36 cells that FAIL or would with any cell outside, and their FAILs."""
    heading = "FAIL / any outside, %; FAILs of expected"
    print(tabulate(by_seeds(table_cases, of_tables, repetitions), [heading, *SEED_HEADINGS]))


SEED_HEADINGS = tuple(f"n={n}" for n in SEEDS)
PARTS = {"claims": claims, "cells": cells, "tables": tables}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=4000)
    parser.add_argument("--only", choices=PARTS, help="One part instead of all.")
    given = parser.parse_args()
    for name, part in PARTS.items():
        if given.only in (None, name):
            part(given.repetitions)
            print()
