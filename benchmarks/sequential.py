"""Simulate `run --decide`: how often it decides wrongly, and how many runs it saves, with known true values.

    PYTHONPATH=. python benchmarks/sequential.py                      # --repetitions 2000 --experiments 300

The first table looks at two equal rows after each of ten seeds: each decision is wrong. The second takes the means of
Table 6 in `results/reference` as the truth, with a noise of 9.6 % for FD and 0.5 points for accuracy, and decides its
claims by `decide` and `outlook`, from one seed of every row to ten.
"""

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from decisions import RUN, UNITS, WORDS, Declaration, drawn, fixed
from numpy.random import Generator, default_rng
from tabulate import tabulate

from harness.registry.claims import rises
from harness.registry.exhibit import Exhibit, Table
from harness.registry.papers import find_exhibits
from harness.registry.row import Row
from harness.registry.scale import Scale, Spread
from harness.report.results.claims import ClaimStatus, decide
from harness.report.results.levels import level_for
from harness.report.results.outlook import outlook
from harness.report.results.report import build
from harness.report.results.series import Series, SeriesKey
from harness.report.results.statistics import CONFIDENCE
from harness.store.results import Results

MOST = 10
NOISE = {"fid": 0.096, "accuracy": 0.5}
DECLARED_DF = 26


def looks(declared: Declaration, level: float, repetitions: int) -> tuple[int, int]:
    """Return how often two equal rows hold and fail when one looks after every seed until one of them happens."""
    rng, claim = default_rng(0), rises(UNITS, "a", "b", **WORDS)
    table = Table(number=1, title="t", metrics=(UNITS,), rows=tuple(Row(key, RUN, (None,)) for key in "ab"))
    found = {ClaimStatus.HOLDS: 0, ClaimStatus.FAILS: 0}
    for _ in range(repetitions):
        spread = declared(rng)
        scale = Scale("s", "n", comparable=False, spread={("d", "u", "k"): spread} if spread else {})
        values = rng.normal(10, 1, (2, MOST))
        for n in range(1, MOST + 1):
            series = {(row, "u", ""): _series(row, values[place, :n]) for place, row in enumerate("ab")}
            if (status := decide(claim, table, series, scale, level).status) is not ClaimStatus.UNDECIDED:
                found[status] += 1
                break
    return found[ClaimStatus.HOLDS], found[ClaimStatus.FAILS]


def _series(row: str, values: np.ndarray, like: Series | None = None) -> Series:
    seeds = tuple(range(len(values)))
    runs, found = tuple(f"{row} {seed}" for seed in seeds), tuple(map(float, values))
    if like is not None:
        return replace(like, seeds=seeds, values=found, runs=tuple(f"{like.runs[0]} {seed}" for seed in seeds))
    return Series("e", "d", "l", 0, seeds, found, runs, kind="k")


@dataclass
class Experiment:
    """One simulated results directory of Table 6: the values of ten seeds, of which rows have the first few."""

    exhibit: Exhibit
    scale: Scale
    values: Mapping[SeriesKey, np.ndarray]
    like: Mapping[SeriesKey, Series]
    seeds: dict[str, int]

    def series(self) -> dict[SeriesKey, Series]:
        """Return the values so far."""
        return {
            key: _series(key[0], values[: self.seeds[key[0]]], self.like[key]) for key, values in self.values.items()
        }


Policy = Callable[[Experiment, float], set[str]]


def all_rows(experiment: Experiment, level: float) -> set[str]:
    """Add a seed to every row while a claim is undecided."""
    series = experiment.series()
    undecided = any(
        decide(claim, experiment.exhibit, series, experiment.scale, level).status is ClaimStatus.UNDECIDED
        for claim in experiment.exhibit.claims
    )
    return {row for row, n in experiment.seeds.items() if n < MOST} if undecided else set()


def undecided_rows(experiment: Experiment, level: float) -> set[str]:
    """Add a seed to the rows of undecided contrasts."""
    series, found = experiment.series(), set()
    for claim in experiment.exhibit.claims:
        for one in decide(claim, experiment.exhibit, series, experiment.scale, level).contrasts:
            if one.status is ClaimStatus.UNDECIDED:
                found |= {term.row for term in one.contrast.terms}
    return {row for row in found if experiment.seeds[row] < MOST}


def with_outlook(experiment: Experiment, level: float) -> set[str]:
    """Add a seed where `run --decide` does."""
    series = experiment.series()
    outlooks = (
        outlook(claim, experiment.exhibit, series, experiment.scale, MOST) for claim in experiment.exhibit.claims
    )
    return {row for one in outlooks if one for row in one.next_seeds}


def table6() -> tuple[Exhibit, Scale, Mapping[SeriesKey, Series]]:
    """Return Table 6 with the reference results."""
    ((paper, exhibit),) = find_exhibits(["hybvit/table6"])
    scale = paper.scale("laptop")
    report = build(paper, exhibit, scale, Results(Path("results/reference")))
    series = {key: found for key, found in report.series.items() if key[1] in NOISE}
    kinds = {(found.data, key[1], found.kind) for key, found in series.items()}
    spread = {place: Spread(NOISE[place[1]], DECLARED_DF) for place in kinds}
    return exhibit, replace(scale, spread=spread), series


def truths(exhibit: Exhibit, means: Mapping[tuple[str, str], float]) -> list[bool]:
    """Return whether each claim is true of the means."""
    found = []
    for claim in exhibit.claims:
        sums = [
            (contrast, sum(term.weight * means[term.row, term.metric.key] for term in contrast.terms))
            for contrast in claim.contrasts
        ]
        found.append(all(contrast.low < value < contrast.high for contrast, value in sums))
    return found


def simulate(policy: Policy, level: float, experiments: int, equal: bool) -> tuple[float, ...]:
    """Return the mean numbers of runs, decided claims, wrong decisions and rounds."""
    exhibit, scale, like = table6()
    means = {key: float(np.mean(found.values)) for key, found in like.items()}
    if equal:
        means = {key: float(np.mean([v for k, v in means.items() if k[1] == key[1]])) for key in means}
    true = truths(exhibit, {key[:2]: value for key, value in means.items()})
    rng, totals = default_rng(1), np.zeros(4)
    for _ in range(experiments):
        experiment = _experiment(exhibit, scale, like, means, rng)
        rounds = 1
        while added := policy(experiment, level):
            rounds += 1
            for row in added:
                experiment.seeds[row] += 1
        series = experiment.series()
        statuses = [decide(claim, exhibit, series, scale, level).status for claim in exhibit.claims]
        wrong = sum(
            (status is ClaimStatus.HOLDS and not truth) or (status is ClaimStatus.FAILS and truth)
            for status, truth in zip(statuses, true, strict=True)
        )
        decided = sum(status is not ClaimStatus.UNDECIDED for status in statuses)
        totals += sum(experiment.seeds.values()), decided, wrong, rounds
    return tuple(totals / experiments)


def _experiment(
    exhibit: Exhibit,
    scale: Scale,
    like: Mapping[SeriesKey, Series],
    means: Mapping[SeriesKey, float],
    rng: Generator,
) -> Experiment:
    values = {}
    for key, mean in means.items():
        sd = NOISE[key[1]] * (mean if key[1] == "fid" else 1.0)
        values[key] = rng.normal(mean, sd, MOST)
    return Experiment(exhibit, scale, values, like, {key[0]: 1 for key in like})


def main(repetitions: int, experiments: int) -> None:
    """Print both tables."""
    levels = {"95 %": CONFIDENCE, f"{100 * level_for(MOST):.4g} %": level_for(MOST)}
    declared = {
        "1.0 with 26": fixed(1, 26),
        "1.0 with 26, drawn": drawn(1, 26),
        "1.0 with 4, drawn": drawn(1, 4),
        "nothing": fixed(0, 0),
        "0.5 with 26": fixed(0.5, 26),
    }
    lines = []
    for name, declaration in declared.items():
        counts = [looks(declaration, level, repetitions) for level in levels.values()]
        shares = [" / ".join(f"{100 * count / repetitions:.1f}" for count in pair) for pair in counts]
        lines.append([name, *shares])
    print(
        tabulate(lines, ["A = B, looks at 1 to 10 seeds, declared", *(f"holds / fails, %, at {one}" for one in levels)])
    )
    policies: dict[str, Policy] = {
        "all rows": all_rows,
        "rows of undecided contrasts": undecided_rows,
        "--decide": with_outlook,
    }
    for title, equal in (("Table 6", False), ("all rows equal", True)):
        lines = []
        for name, policy in policies.items():
            for words, level in levels.items() if policy is not with_outlook else list(levels.items())[1:]:
                runs, decided, wrong, rounds = simulate(policy, level, experiments, equal)
                lines.append([words, name, f"{runs:.1f}", f"{decided:.2f}", f"{wrong:.3f}", f"{rounds:.1f}"])
        print()
        print(
            tabulate(
                lines, [title, "seeds are added to", "runs", "decided of 12", "wrong", "rounds"], disable_numparse=True
            )
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=2000)
    parser.add_argument("--experiments", type=int, default=300)
    arguments = parser.parse_args()
    main(arguments.repetitions, arguments.experiments)
