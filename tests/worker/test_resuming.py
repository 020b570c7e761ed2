"""Training continues from a checkpoint only if it notes the files that it continues from."""

import pytest
from toy_paper import HYBRID

from harness.store.results import Results
from harness.worker.resuming import complaint_of, notes_of


@pytest.mark.parametrize("lost", ["run", "snapshots", "curve"])
def test_a_checkpoint_without_all_notes_is_one_of_an_earlier_version(tmp_path, lost):
    directory = Results(tmp_path).directory(HYBRID)
    notes = notes_of(directory, {}, 9) | {"step": "9"}
    assert complaint_of(directory, notes) == ""
    del notes[lost]
    assert complaint_of(directory, notes) == "it was written by an earlier version"
