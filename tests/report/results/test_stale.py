"""Values measured with code other than the installed one are marked in every format."""

import json
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest
from reports import fill
from toy_paper import HYBRID, PAPER

from harness.report.html.page import contents
from harness.report.latex.table import table
from harness.report.results.report import build
from harness.report.writers.csv_json import FORMAT, to_json
from harness.report.writers.text_markdown import markdown, terminal
from harness.store.distributions import installed
from harness.store.records import DistributionRecord, Segment
from harness.store.results import Results

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / f"report-{FORMAT}.schema.json").read_text())
LAPTOP = PAPER.scale("laptop")
RUN = LAPTOP.shrink(HYBRID)
SAYS = f"1 run was measured with other code of toy-paper than is installed now ({RUN.id})"


@pytest.fixture
def report(tmp_path):
    """Build the toy's first table, one run of which was measured with code of this hash."""

    def call(sha256, label=""):
        results = Results(tmp_path, label=label)
        fill(results, PAPER, PAPER.tables[0], LAPTOP)
        code = DistributionRecord(name="toy-paper", version="0.9", commit="c" * 40, dirty=True, sha256=sha256)
        where = {"host": "a", "device": "cpu", "threads": 1, "commit": None, "dirty": None, "versions": {}}
        stay = Segment(started=datetime.now(UTC), seconds=1.0, evaluations={"a": 1.0}, distributions=(code,), **where)
        stay.save(results.directory(RUN).segments / "1.json")
        return build(PAPER, PAPER.tables[0], LAPTOP, results)

    return call


def page(report, tmp_path):
    return "".join(contents([report], Results(tmp_path), {}).parts.values())


def test_other_code_is_said_in_every_format(report, tmp_path):
    found = report("1" * 64)
    command = "'python -m harness run toy/table101 --scale laptop --stale' reruns it."
    assert f"{SAYS}: {command}" in markdown(found)
    assert SAYS in terminal(found).replace("\n", " ") and command in terminal(found).replace("\n", " ")
    assert SAYS in table(found) and SAYS in page(found, tmp_path)
    assert "toy-paper 0.9, commit cccccccccccc with uncommitted changes" in page(found, tmp_path)
    document = to_json(found)
    assert document["stale"] == {RUN.id: ["toy-paper"]}
    jsonschema.Draft202012Validator(SCHEMA).validate(document)


def test_the_code_that_is_installed_needs_no_remark(report, tmp_path):
    found = report(installed("toy-paper").sha256)
    assert found.stale == to_json(found)["stale"] == {}
    for text in (markdown(found), terminal(found), table(found), page(found, tmp_path)):
        assert "other code of" not in text


def test_results_of_others_are_not_to_be_rerun_here(report):
    text = markdown(report("1" * 64, label="bundle theirs.zip"))
    assert f"{SAYS}." in text and "--stale" not in text
