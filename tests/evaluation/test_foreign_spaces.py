"""The shared cache of an external feature space is invalidated when its code changes."""

import sys

import numpy as np
import pytest
from forgetting import forget
from installed_forms import write

from harness.config.feature_spaces import Embedding, FeatureSpace
from harness.evaluation.features.reference import reference_features, space_of

CODE = """
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from harness.config.feature_spaces import FeatureSpace

FACTOR = 1.0


class Pixels(FeatureSpace):
    kind: Literal["pixels.all"] = "pixels.all"
    implementation: ClassVar[str] = "pixel_space:make"


class Space:
    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def embed(self, images, report):
        features = FACTOR * np.asarray(images, np.float32).reshape(len(images), -1)
        return features, features


def make(config, weights, subject):
    return Space(subject.cache / "features" / "pixels")
"""


@pytest.fixture
def pixels(tmp_path, monkeypatch):
    write(tmp_path / "code", {
        "pixel_space.py": CODE,
        "pixel_space-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: pixel-space\nVersion: 1\n",
        "pixel_space-1.dist-info/entry_points.txt": "[harness.kinds]\npixels = pixel_space\n",
    })  # fmt: skip
    monkeypatch.syspath_prepend(str(tmp_path / "code"))
    forget()
    import pixel_space

    yield pixel_space
    del FeatureSpace.kinds["pixels.all"], sys.modules["pixel_space"]
    monkeypatch.undo()
    forget()


def test_features_of_other_code_are_recomputed(pixels, subject, tmp_path):
    def features():
        return reference_features(space_of(Embedding(pixels.Pixels(), "", "test"), subject), "test", subject)

    first = np.array(features())
    pixels.FACTOR = 2.0
    assert np.array_equal(features(), first), "the code on disk is unchanged, so the cache is valid"
    (tmp_path / "code/pixel_space.py").write_text(CODE.replace("FACTOR = 1.0", "FACTOR = 2.0"))
    forget()
    assert np.array_equal(features(), 2 * first)
    assert len(list((tmp_path / "cache").glob("pixel-space-*/features/pixels/test-features.npy"))) == 2
