"""Records of decisions: named by their plan, and read strictly."""

import pytest

from harness.store.decisions import Decision, Round, RowSeed, decisions, path_of
from harness.store.files import StoreError
from harness.store.results import Results

PLAN = Decision(papers=("toy",), scale="laptop", exhibits=("toy/table1",), most_seeds=10)
ROUND = Round(added=(RowSeed(exhibit="toy/table1", row="A", seed=0),))


def save(root, decision):
    decision.save(path_of(root, decision.id))


def test_the_name_is_that_of_the_plan_and_stays_over_its_rounds(tmp_path):
    begun = PLAN.model_copy(update={"rounds": (ROUND,)})
    assert begun.id == PLAN.id != PLAN.model_copy(update={"most_seeds": 5}).id
    save(tmp_path, begun)
    assert list(decisions(tmp_path)) == [begun]


def test_the_largest_number_of_seeds_of_a_paper_and_scale_counts(tmp_path):
    save(tmp_path, PLAN)
    save(tmp_path, PLAN.model_copy(update={"most_seeds": 15}))
    save(tmp_path, PLAN.model_copy(update={"most_seeds": 20, "scale": "paper"}))
    results = Results(tmp_path)
    assert results.most_seeds("toy", "laptop") == 15
    assert results.most_seeds("toy", "paper") == 20
    assert results.most_seeds("other", "laptop") is None
    assert Results(tmp_path / "nothing").most_seeds("toy", "laptop") is None


@pytest.mark.parametrize("content", ["", "{", "[]", '{"most_seeds": 3}', "null"])
def test_a_damaged_record_is_named(tmp_path, content):
    save(tmp_path, PLAN)
    path_of(tmp_path, PLAN.id).write_text(content)
    with pytest.raises(StoreError, match=PLAN.id):
        Results(tmp_path).most_seeds("toy", "laptop")


def test_a_record_under_another_name_is_refused_and_other_files_are_passed_over(tmp_path):
    save(tmp_path, PLAN)
    folder = path_of(tmp_path, PLAN.id).parent
    (folder / f"._{PLAN.id}.json").write_text("of a Mac")
    (folder / ".DS_Store").write_text("of a Mac")
    assert list(decisions(tmp_path)) == [PLAN]
    path_of(tmp_path, "0" * 12).write_bytes(path_of(tmp_path, PLAN.id).read_bytes())
    with pytest.raises(StoreError, match=f"it is decision {PLAN.id}"):
        list(decisions(tmp_path))
