"""Arrays of evaluations are read only if they are those that their record states."""

import numpy as np
import pytest

from harness.store.arrays import save_array
from harness.store.artefacts import load_artefact
from harness.store.files import StoreError, sha256_of
from harness.store.hashed import hash_path
from harness.store.records import EvaluationRecord


@pytest.fixture
def array(tmp_path):
    path = tmp_path / "accuracy-0123abcd" / "logits.npy"
    save_array(path, np.arange(3))
    EvaluationRecord(
        evaluation={}, quantities={}, weights_sha256="", seconds=1.0, artefacts={path.name: sha256_of(path)}
    ).save(tmp_path / "accuracy-0123abcd.json")
    return path


def test_a_foreign_hash_beside_an_array_of_a_record_is_passed_over(array):
    hash_path(array).write_text("a note\n")
    assert list(load_artefact(array)) == [0, 1, 2]


def test_an_array_of_no_record_is_refused(array):
    save_array(array, np.arange(4))
    with pytest.raises(StoreError, match=r"delete .*/accuracy-0123abcd.json and run again"):
        load_artefact(array)
