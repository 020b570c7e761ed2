"""Every JSON document written by `report` matches the documented schema."""

import json
import math
import random
from pathlib import Path

import jsonschema
import pytest
from reports import fill
from toy_paper import PAPER as TOY

from harness.registry.papers import find_exhibits
from harness.report.results.report import build
from harness.report.results.verdicts import Verdict
from harness.report.writers import answer, claims_list
from harness.report.writers.csv_json import FORMAT, json_text, to_json
from harness.store.results import Results

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / f"report-{FORMAT}.schema.json").read_text())
DOCUMENT = jsonschema.Draft202012Validator(SCHEMA)


def rounded_trip(document):
    return json.loads(json.dumps(document, allow_nan=False))


@pytest.mark.parametrize("scale", ["laptop", "paper"])
@pytest.mark.parametrize("name", ["tables", "figures", "table5-schedules"])
def test_all_exhibits_partial_at_random_with_values_that_are_none(tmp_path, name, scale):
    dice = random.Random(name + scale)
    results, reports = Results(tmp_path), []
    for paper, exhibit in find_exhibits([f"hybvit/{name}"] if "5" in name else [name]):
        at = paper.scale(scale)
        fill(
            results, paper, exhibit, at, seeds=3, keep=lambda cell: dice.random() < 0.7,
            value=lambda cell: dice.choice([1.0, 50.0, math.nan, math.inf, -3.0]),
        )  # fmt: skip
        reports.append(build(paper, exhibit, at, results))
    for report in reports:
        DOCUMENT.validate(json.loads(json_text(report)))
    documents = [to_json(report) for report in reports]
    answers = {paper: answer.to_json(found) for paper, found in answer.by_paper(reports).items()}
    DOCUMENT.validate(rounded_trip({"format": FORMAT, "answers": answers, "tables": documents, "figures": []}))
    DOCUMENT.validate(rounded_trip({"format": FORMAT, "answers": answers, "claims": claims_list.to_json(reports)}))


def test_the_schema_refuses_what_is_not_documented(tmp_path):
    report = build(TOY, TOY.tables[0], TOY.scale("laptop"), Results(tmp_path))
    document = to_json(report)
    for wrong in ({"verdict": "deviates"}, {"format": FORMAT - 1}, {"rank_agreement": [{}]}, {"rows": [{}]}):
        assert not DOCUMENT.is_valid({**document, **wrong})


def test_the_schema_names_all_verdicts():
    assert set(SCHEMA["$defs"]["verdict"]["enum"]) == set(Verdict)
