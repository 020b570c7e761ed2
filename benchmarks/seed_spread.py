"""Print the spread between seeds per dataset, metric and kind of model, for the `spread` of a scale.

    python -m harness run hybvit --seeds 5
    python benchmarks/seed_spread.py results laptop                  # --from-seed 3

Uses all exhibits of all papers, and only what is evaluated at the end of a training: the spread is larger before it. It
is pooled over the rows with two seeds or more. The spread of a metric with relative noise is relative to its value.
`--from-seed` leaves out the seeds before, such as those whose claims the spread is to decide.
"""

import argparse
from collections import defaultdict
from pathlib import Path

from tabulate import tabulate

from harness.registry.cells import cells
from harness.registry.metrics import COVERAGE, DENSITY, PRECISION, RECALL
from harness.registry.papers import papers
from harness.report.results.seed_noise import pooled
from harness.report.results.series import measurements
from harness.store.results import Results

SECONDARY = PRECISION, RECALL, DENSITY, COVERAGE


def main(results: Results, scale_name: str, first_seed: int) -> None:
    """Print one line per dataset, metric and kind of model with several seeds."""
    lines = []
    for paper in papers().values():
        metrics = {metric.key: metric for exhibit in paper.exhibits for metric in (*exhibit.metrics, *SECONDARY)}
        groups: dict[tuple[str, str, str], dict[tuple[str, str], list[float]]] = defaultdict(dict)
        scale = paper.scale(scale_name)
        for exhibit in paper.exhibits:
            last = {
                cell.evaluation.id
                for cell in cells(paper, exhibit, exhibit.rows, scale, [0])
                if cell.evaluation.after == 1
            }
            for (_, metric, reading), series in measurements(paper, exhibit, scale, results).series.items():
                if not reading and series.evaluation in last:  # rows of several exhibits share runs
                    values = [
                        value for seed, value in zip(series.seeds, series.values, strict=True) if seed >= first_seed
                    ]
                    groups[series.data, metric, series.kind][series.runs[0], series.evaluation] = values
        for (data, key, kind), values in sorted(groups.items()):
            if metrics[key].noise != "none" and (spread := pooled(metrics[key].noise, values.values())):
                lines.append([paper.name, data, key, kind, metrics[key].noise, f"{spread.sd:.3g}", spread.df])
    print(tabulate(lines, ["paper", "data", "metric", "kind of model", "noise", "sd", "df"]))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("scale")
    parser.add_argument("--from-seed", type=int, default=0)
    options = parser.parse_args()
    main(Results(options.results), options.scale, options.from_seed)
