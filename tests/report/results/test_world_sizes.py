"""Values that several ranks computed are marked: in notes, JSON, CSV and the page's data."""

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest
from reports import fill
from toy_paper import HYBRID, PAPER
from vouching import mentioned

from harness.report.html.values import PageValues
from harness.report.latex.table import table
from harness.report.results.report import build
from harness.report.writers.csv_json import FORMAT, to_json
from harness.report.writers.csv_json import csv as csv_text
from harness.report.writers.text_markdown import markdown, terminal
from harness.store.records import Segment
from harness.store.results import Results

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / f"report-{FORMAT}.schema.json").read_text())
LAPTOP = PAPER.scale("laptop")
RUNS = [LAPTOP.shrink(HYBRID).but(seed=seed) for seed in range(3)]


@pytest.fixture
def report(tmp_path):
    """Build the toy's first table, with segments of the hybrid's seeds on these numbers of ranks."""

    def call(*sizes):
        results = Results(tmp_path)
        fill(results, PAPER, PAPER.tables[0], LAPTOP, seeds=3)
        known = {"host": "a", "device": "cpu", "threads": 1, "commit": None, "dirty": None, "versions": {}}
        for run, of_run in zip(RUNS, sizes, strict=True):
            directory = results.directory(run)
            for number, size in enumerate(of_run):
                ranks = {"world_size": size, "devices": size, "evaluations": mentioned(directory)}
                segment = Segment(started=datetime.now(UTC), seconds=1.0, **ranks, **known)
                segment.save(directory.segments / f"{number}.json")
        return build(PAPER, PAPER.tables[0], LAPTOP, results)

    return call


KEY = PAPER.tables[0].rows[0].key
SAYS = (
    "Computed by several ranks, whose sums are rounded in another order: "
    f"{KEY}, seeds 0, 2 (2 ranks); {KEY}, seed 1 (1 and 4 ranks)."
)


def test_a_note_names_rows_seeds_and_ranks(report):
    found = report([2], [1, 4], [2, 2])
    assert SAYS in " ".join(terminal(found).split())
    for text in (markdown(found), table(found)):
        assert "seeds 0, 2 (2 ranks); " in text and "seed 1 (1 and 4 ranks)." in text


def test_one_rank_needs_no_remark(report):
    found = report([1], [1, 1], [])
    assert "several ranks" not in terminal(found)


def test_json_and_csv_have_the_ranks_of_every_run(report):
    found = report([2], [1, 4], [1])
    document = to_json(found)
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    (hybrid, *_) = document["rows"]
    ids = [run.id for run in RUNS]
    assert hybrid["cells"]["accuracy"]["measured"]["world_sizes"] == dict(zip(ids, ([2], [1, 4], [1]), strict=True))
    lines = [line for line in csv.DictReader(io.StringIO(csv_text(found))) if line["row"] == KEY]
    assert {line["world_sizes"] for line in lines if line["measured"]} == {"2 1+4 1"}


def test_the_page_has_them_beside_the_value(report, tmp_path):
    values = PageValues(Results(tmp_path))
    values.add(report([2], [1, 4], [1]))
    assert values.to_json()["ranks"] == {RUNS[0].id: "2 ranks", RUNS[1].id: "1 and 4 ranks"}
