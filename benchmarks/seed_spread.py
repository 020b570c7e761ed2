"""Prints the spread between seeds that a scale may declare: for each dataset and metric, pooled over rows.

    python -m harness run table7 table11 table12 figure12 --seeds 3
    python benchmarks/seed_spread.py results laptop

Reads every exhibit of every paper as far as it has more than one seed. A metric with relative noise is printed as a
share of its value.
"""

import sys
from pathlib import Path

import pandas as pd
from tabulate import tabulate

from harness.report.claims import seed_spread
from harness.report.frame import measurements
from harness.spec.metrics import FURTHER
from harness.spec.registry import papers
from harness.store.run_directory import Results


def main(results: Results, scale_name: str) -> None:
    """Print one line for each dataset and metric that has several seeds."""
    lines = []
    for paper in papers().values():
        metrics = {metric.key: metric for exhibit in paper.exhibits for metric in (*exhibit.metrics, *FURTHER)}
        scale = paper.scale(scale_name)
        frames = [measurements(paper, exhibit, scale, results).frame for exhibit in paper.exhibits]
        frame = pd.concat([one[one["reading"] == ""] for one in frames])
        frame["row"] = frame["run"].map(_without_seed(results, frame["run"])) + frame["evaluation"]
        frame = frame.drop_duplicates(["run", "evaluation", "metric"])
        for (data, key), _ in frame.groupby(["data", "metric"]):
            spread = seed_spread(metrics[key], str(data), frame, {})
            if spread is not None:
                lines.append([paper.name, data, key, metrics[key].noise, f"{spread.sd:.3g}", spread.df])
    print(tabulate(lines, ["paper", "data", "metric", "noise", "sd", "df"]))


def _without_seed(results: Results, runs: "pd.Series[str]") -> dict[str, str]:
    """Return for each run the one that differs by its seed alone: what seeds repeat."""
    return {id: results.find(id).run().but(seed=0).id for id in runs.unique()}


if __name__ == "__main__":
    main(Results(Path(sys.argv[1])), sys.argv[2])
