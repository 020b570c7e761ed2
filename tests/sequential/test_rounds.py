"""Rounds by results made by hand: what is recorded, what a look says, and when a round is not over."""

import importlib
from dataclasses import replace
from types import SimpleNamespace

import pytest
from reports import fill
from toy_paper import PAPER

from harness.cli.outlook_text import outlook_of
from harness.launch.estimate.target import Target
from harness.launch.plan import plan_of
from harness.launch.slurm.policy import Action, Resubmission
from harness.launch.slurm.profile import Resources
from harness.launch.slurm.submit import Submitted
from harness.registry.metrics import FID
from harness.registry.presuppositions import at_least
from harness.report.results.claims import ClaimStatus
from harness.report.results.presuppositions import Finding
from harness.report.results.report import build
from harness.sequential import follow_up
from harness.sequential.look import look
from harness.sequential.rounds import has_unended, next_step, preview
from harness.store.decisions import Decision, decisions, path_of
from harness.store.files import StoreError
from harness.store.results import Results

HERE, LAPTOP = Target.here(1, {}), PAPER.scale("laptop")
TABLE = next(table for table in PAPER.tables if table.name == "table101")
PLAN = Decision(papers=("toy",), scale="laptop", exhibits=("toy/table101",), most_seeds=10)


def measured(root, seeds):
    """Return results with some seeds of two rows without a difference, about which the only claim is."""
    results = Results(root)
    fill(results, PAPER, TABLE, LAPTOP, seeds, value=lambda cell: 20.0 + cell.seed / 9)
    return results


def test_a_decision_that_adds_no_seed_is_recorded(tmp_path):
    """The command has looked at the level of ten seeds; without a record, reports would be at 95 %."""
    results = measured(tmp_path, seeds=3)
    step = next_step(PLAN, results, HERE)
    assert step.plan is None and len(step.look.futile) == 1
    assert [one.id for one in decisions(tmp_path)] == [PLAN.id]
    assert Results(tmp_path).most_seeds("toy", "laptop") == 10


def test_a_look_at_more_seeds_than_planned_names_the_level_that_counts(tmp_path):
    results, fewer = measured(tmp_path, seeds=4), PLAN.model_copy(update={"most_seeds": 2})
    assert look(fewer, results).level == 0.989381
    text = "\n".join(outlook_of(preview(fewer, results, HERE), results, HERE))
    assert "98.94 %" in text and "up to 10 seeds of a row" in text and "97.06 %" not in text


def test_the_outlook_names_the_round_that_is_not_over(tmp_path):
    results = measured(tmp_path, seeds=1)
    two = PLAN.model_copy(update={"exhibits": ("toy/table101", "toy/table102")})
    assert any(
        line.startswith("round 1: 1 run to do") for line in outlook_of(preview(two, results, HERE), results, HERE)
    )


def test_a_look_counts_claims_as_reports_do_if_what_they_presuppose_is_not_measured(tmp_path, monkeypatch):
    """Their contrasts may be decided already, as all are here."""
    module, need = importlib.import_module("harness.sequential.look"), at_least(FID, 1, "Denoising")

    def built(*arguments, **more):
        report = build(*arguments, **more)
        waiting = tuple(replace(one, findings=(Finding(need, None),)) for one in report.claim_results)
        return replace(report, claim_results=waiting)

    monkeypatch.setattr(module, "decide", lambda *_: SimpleNamespace(status=ClaimStatus.HOLDS))
    results = measured(tmp_path, seeds=2)
    assert look(PLAN, results).statuses[ClaimStatus.HOLDS] == 1
    monkeypatch.setattr(module, "build", built)
    assert look(PLAN, results).statuses[ClaimStatus.UNDECIDED] == 1


def test_a_record_under_the_name_of_another_decision_is_refused(tmp_path):
    other = PLAN.model_copy(update={"most_seeds": 2})
    other.save(path_of(tmp_path, PLAN.id))
    with pytest.raises(StoreError, match=f"it is decision {other.id}"):
        next_step(PLAN, measured(tmp_path, seeds=1), HERE)


def test_a_follow_up_job_does_not_submit_a_round_again_whose_runs_were_given_up(tmp_path, monkeypatch, capsys):
    """Each job would else submit the same round, with as many attempts as before."""
    results = Results(tmp_path)
    plan = next_step(PLAN, results, HERE).plan
    for planned in plan.runs:
        planned.request()
    assert has_unended(planned.directory for planned in plan.runs)
    given_up = Resubmission(Action.LEAVE, "made no progress", Resources(time=1))
    monkeypatch.setattr(
        follow_up, "follow_up", lambda *_: Submitted(None, {planned.run.id: given_up for planned in plan.runs})
    )
    monkeypatch.setattr(follow_up, "report", lambda *_: None)
    monkeypatch.setattr(follow_up.Submission, "load", lambda path: type("", (), {"selection": {"decision": PLAN.id}}))
    monkeypatch.setattr(follow_up, "next_round", lambda *_: pytest.fail("the round is submitted again"))
    assert follow_up.main([str(tmp_path), "20261201-000000"]) == 0
    assert f"its round of decision {PLAN.id} is not over" in capsys.readouterr().out


def test_runs_that_have_failed_or_are_done_have_ended(tmp_path):
    results = measured(tmp_path, seeds=1)
    plan = plan_of("laptop", [(PAPER, TABLE, TABLE.rows[:2], [0])], results)
    assert not has_unended(planned.directory for planned in plan.runs)
