"""Inception features, FID and IS against torch-fidelity's own and pytorch-fid's, with random weights."""

import hashlib
from unittest.mock import patch

import numpy as np
import pytest
import torch
from few import FEW, prepare_few

from harness.config.evaluations import Generation
from harness.config.feature_spaces import InceptionSpace
from harness.config.methods import Hybrid
from harness.config.processes import GaussianProcess
from harness.data.errors import DataError
from harness.errors import HarnessError, MissingRequirement
from harness.evaluation import generation
from harness.evaluation.features.inception import InceptionFeatures, build_network, inception_features
from harness.methods.base import build_method
from harness.metrics.frechet import frechet_distance, moments

CPU = torch.device("cpu")


def pictures(count, seed):
    """Smooth colours with noise."""
    random = np.random.default_rng(seed)
    coarse = random.uniform(0, 255, size=(count, 3, 4, 4))
    return (np.kron(coarse, np.ones((1, 1, 8, 8))) + random.normal(0, 9, (count, 3, 32, 32))).clip(0, 255).astype("u1")


@pytest.fixture(scope="module")
def network(inception_weights):
    return build_network(inception_weights.read_bytes(), inception_weights)


@pytest.fixture
def space(network, tmp_path):
    return InceptionFeatures(network, "0" * 64, FEW, CPU, tmp_path, batch_size=10)


def silent(done, total):
    pass


def test_features_and_distance_are_those_of_pytorch_fid(space, inception_weights):
    """Same network and same resized pixels; pytorch-fid's own resizing and centring differ.

    Its matrix square root takes a minute for 2048 features, so only the first 256 enter the compared distance.
    """
    from pytorch_fid import fid_score
    from pytorch_fid import inception as theirs
    from torch_fidelity.interpolate_compat_tensorflow import interpolate_bilinear_2d_like_tensorflow1x as enlarge

    state = torch.load(inception_weights, weights_only=True)
    with patch.object(theirs, "load_state_dict_from_url", lambda *_, **__: state):
        other = theirs.InceptionV3([3], resize_input=False, normalize_input=False).eval()
    ours, expected = [], []
    for images in (pictures(6, 1), pictures(6, 2)):
        ours.append(space.embed(images, silent)[0])
        large = enlarge(torch.from_numpy(images).float(), (299, 299), align_corners=False)
        with torch.inference_mode():
            expected.append(other((large - 128) / 128)[0].flatten(1).numpy())
    assert ours[0].shape == (6, 2048)
    np.testing.assert_allclose(np.concatenate(ours), np.concatenate(expected), rtol=1e-4, atol=1e-3)
    statistics = [part for one in expected for part in (one[:, :256].mean(0), np.cov(one[:, :256], rowvar=False))]
    distance = frechet_distance(*(moments(features[:, :256]) for features in ours))
    assert distance == pytest.approx(fid_score.calculate_frechet_distance(*statistics), rel=1e-3)


def test_the_batch_size_changes_nothing_but_the_last_digits(space, network, tmp_path):
    images = pictures(5, 3)
    whole, logits = space.embed(images, silent)
    parts, part_logits = InceptionFeatures(network, "0" * 64, FEW, CPU, tmp_path, batch_size=2).embed(images, silent)
    np.testing.assert_allclose(parts, whole, rtol=1e-4, atol=1e-4 * np.abs(whole).max())
    np.testing.assert_allclose(part_logits, logits, rtol=1e-4, atol=1e-4 * np.abs(logits).max())


def test_grey_images_are_three_equal_channels(space):
    grey = pictures(2, 5)[:, :1]
    np.testing.assert_array_equal(space.embed(grey, silent)[0], space.embed(grey.repeat(3, axis=1), silent)[0])


@pytest.mark.soak
def test_a_whole_evaluation_against_torch_fidelity(data_root, subject_of, config, inception_weights, tmp_path):
    """FID and IS by torch-fidelity from the stored samples; precision and recall from the features."""
    import torch_fidelity
    from torch_fidelity.metric_prc import prc_features_to_metric

    digits = hashlib.sha256(inception_weights.read_bytes()).hexdigest()[:8]
    root = tmp_path / "data"
    (root / f"inception-{digits}").mkdir(parents=True)
    (root / f"inception-{digits}" / "weights-inception-2015-12-05-6726825d.pth").hardlink_to(inception_weights)
    hybrid = config.but(data=FEW, method=Hybrid(alpha=1, process=GaussianProcess(timesteps=2)))
    model = build_method(hybrid, CPU).eval()
    subject = subject_of(hybrid, model, data=prepare_few(data_root), data_root=root)
    evaluation = Generation(samples=16, weights=digits, score_splits=3, neighbours=3)
    found = generation.evaluate(evaluation, subject)
    samples, (reference, _) = np.load(subject.artefacts / "samples.npy"), subject.data.split("train")
    options = {
        "feature_extractor": "inception-v3-compat",
        "feature_extractor_weights_path": str(inception_weights),
        "isc_splits": 3,
        "batch_size": 16,
        "cuda": False,
        "cache": False,
        "save_cpu_ram": True,
        "verbose": False,
    }
    theirs = torch_fidelity.calculate_metrics(
        input1=Pictures(samples), input2=Pictures(reference), fid=True, isc=True, **options
    )
    features = np.load(subject.artefacts / "features.npy"), np.load(next(subject.cache.rglob("train-features.npy")))
    kept = np.sort(np.random.RandomState(2020).permutation(32)[:16])
    theirs |= prc_features_to_metric(
        torch.from_numpy(features[0]), torch.from_numpy(features[1][kept]), prc_neighborhood=3, prc_batch_size=16,
        save_cpu_ram=True, verbose=False,
    )  # fmt: skip
    value = {name: measurement.value for name, measurement in found.quantities.items()}
    assert value["frechet_distance"] == pytest.approx(theirs["frechet_inception_distance"], rel=1e-3)
    assert value["class_score"] == pytest.approx(theirs["inception_score_mean"], rel=1e-6)
    assert (value["precision"], value["recall"]) == pytest.approx((theirs["precision"], theirs["recall"]))
    assert value["class_score"] > 1.01
    details = found.details
    assert details["feature_space"]["weights_sha256"].startswith(digits)
    assert details["feature_space"]["precision"] == "float32"
    assert (details["reference"], details["reference_n"], details["neighbours_reference_n"]) == ("train", 32, 16)
    assert details["reference_sha256"] == subject.data.manifest.files["train-images.npy"]


class Pictures(torch.utils.data.Dataset):
    """Grey images in the format that torch-fidelity expects."""

    def __init__(self, images):
        self.images = torch.from_numpy(np.array(images)).expand(-1, 3, -1, -1)

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return self.images[index]


def test_nothing_is_drawn_without_weights(data_root, subject_of, config, monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    subject = subject_of(config, None, data_root=tmp_path)
    with pytest.raises(MissingRequirement, match="needs Inception weights: python -m harness --data"):
        generation.evaluate(Generation(), subject)
    assert not list(subject.artefacts.iterdir())


def test_without_the_library_the_error_says_how_to_install_it(subject_of, config, monkeypatch):
    monkeypatch.setattr("harness.evaluation.features.inception.LIBRARY", "no_such_library")
    with pytest.raises(MissingRequirement, match=r"needs Inception weights: pip install '\.\[inception\]'"):
        inception_features(InceptionSpace(), "", subject_of(config, None))


def test_weights_of_another_network_are_refused_in_a_line(tmp_path):
    path = tmp_path / "other.pth"
    torch.save({"weight": torch.zeros(3)}, path)
    with pytest.raises(HarnessError, match="weights of another network") as caught:
        build_network(path.read_bytes(), path)
    assert "\n" not in str(caught.value)
    with pytest.raises(DataError):
        build_network(b"not weights", path)
