"""`harness sample`: labelled previews of finished runs and of runs in training."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def copied(finished, tmp_path):
    """The shared results in a place of this test, since previews are written beside the run."""
    return shutil.copytree(finished[0], tmp_path / "copy")


def heading(path):
    with Image.open(path) as picture:
        assert min(picture.size) > 1000
        return picture.text["Title"]


def generating_run(results, harness):
    rows = json.loads(harness("report", "toy/table101", "--json", results=results).stdout)["tables"][0]["rows"]
    return next(row["cells"]["fid"]["measured"]["runs"][0] for row in rows if row["cells"]["fid"]["measured"])


def test_pictures_of_a_finished_run_say_how_they_were_made(copied, harness, tmp_path):
    results = copied
    run = generating_run(results, harness)
    out = tmp_path / "here.png"
    done = harness.warm("sample", run[:6], "--sampler", "ddim:3", "--count", "5", "--out", str(out), results=results)
    assert done.returncode == 0
    assert heading(out).endswith("EMA weights; DDIM, 3 steps")
    assert heading(out) in done.stdout
    assert "EMA weights; DPM-Solver++, 4 steps" in harness.warm("sample", run, "--count", "4", results=results).stdout
    harness.warm("sample", run, "--sampler", "ancestral", "--count", "4", results=results)
    (own,) = (results / "runs" / run / "previews").glob("*-ancestral.png")
    assert heading(own).endswith("ancestral, all steps")


def test_the_full_chain_draws_the_samples_of_the_tables(finished, harness):
    from harness.config.samplers import Ancestral
    from harness.store.results import Results
    from harness.training.device import prepare_device
    from harness.worker.preview import preview

    results, _ = finished
    directory = Results(results).find(generating_run(results, harness))
    images, step = preview(directory, Ancestral(), 7, prepare_device("cpu"))
    stored = np.load(next(directory.evaluations.glob("generation-*/samples.npy")))[:7]
    assert step == directory.run().iterations
    assert np.abs(images.astype(int) - stored.astype(int)).max() <= 1


def test_a_run_without_weights_and_wrong_samplers_are_one_line(finished, harness, tmp_path):
    results = tmp_path / "copy"
    shutil.copytree(finished[0], results)
    run = generating_run(results, harness)
    for sampler, complaint in (
        ("ddmi", "needs the kind 'ddmi', which no installed paper offers: did you mean 'ddim'?"),
        ("ddim:9999", "steps=9999 exceeds the"),
        ("ddim:x", "steps='x': input should be a valid integer"),
        ("ancestral:5", "sampler 'ancestral' uses all steps"),
    ):
        done = harness.warm("sample", run, "--sampler", sampler, results=results)
        assert done.returncode == 2
        assert complaint in done.stderr
        assert done.stderr.count("\n") == 1
    (results / "runs" / run / "training.json").unlink()
    assert "has no weights yet" in harness.warm("sample", run, results=results).stderr
