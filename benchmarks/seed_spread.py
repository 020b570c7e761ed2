"""Print the seed spread per dataset and metric, pooled over rows, for the `spread` of a scale.

    python -m harness run table7 table11 table12 figure12 --seeds 3
    python benchmarks/seed_spread.py results laptop

Uses all exhibits of all papers with more than one seed. The spread of a metric with relative noise is relative to its
value.
"""

import sys
from collections import defaultdict
from pathlib import Path

from tabulate import tabulate

from harness.registry.metrics import FURTHER
from harness.registry.papers import papers
from harness.report.results.claims import seed_spread
from harness.report.results.series import measurements
from harness.store.results import Results


def main(results: Results, scale_name: str) -> None:
    """Print one line per dataset and metric with several seeds."""
    lines = []
    for paper in papers().values():
        metrics = {metric.key: metric for exhibit in paper.exhibits for metric in (*exhibit.metrics, *FURTHER)}
        groups: dict[tuple[str, str], dict[tuple[str, str], tuple[float, ...]]] = defaultdict(dict)
        for exhibit in paper.exhibits:
            found = measurements(paper, exhibit, paper.scale(scale_name), results)
            for (_, metric, reading), series in found.series.items():
                if not reading:  # rows of several exhibits share runs; count each run once
                    groups[series.data, metric][series.runs[0], series.evaluation] = series.values
        for (data, key), values in sorted(groups.items()):
            if spread := seed_spread(metrics[key], values.values(), None):
                lines.append([paper.name, data, key, metrics[key].noise, f"{spread.sd:.3g}", spread.df])
    print(tabulate(lines, ["paper", "data", "metric", "noise", "sd", "df"]))


if __name__ == "__main__":
    main(Results(Path(sys.argv[1])), sys.argv[2])
