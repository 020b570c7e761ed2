"""The stand-ins: real pixels, catalogue shapes and classes, disjoint splits, deterministic on every machine."""

import numpy as np
import pytest
from labelled import arrays_of
from sklearn.datasets import load_digits, load_sample_image

from harness.config.resolve import resolve
from harness.data.prepared.dataset import open_dataset
from harness.data.registry import datasets, source_of
from harness.data.stand_ins import digits, photographs
from harness_papers.hybvit.scales import OUTLIERS, STAND_INS

DATASETS = {data.name: data for data in (*STAND_INS.values(), *OUTLIERS.values())}


def read(data):
    """Return the images and labels of each split from a stand-in's reader."""
    blocks = resolve(source_of(data).reader)(data, {})
    return {block.splits[0]: (block.arrays["images"], block.arrays["labels"]) for block in blocks}


@pytest.fixture(scope="module", params=sorted(DATASETS))
def prepared(request, tmp_path_factory):
    data = DATASETS[request.param]
    return data, open_dataset(data, tmp_path_factory.mktemp("data"))


def test_shapes_and_classes_are_those_of_the_catalogue(prepared):
    data, dataset = prepared
    for split, count in (("train", data.train_examples), ("test", data.test_examples)):
        images, labels = arrays_of(dataset.split(split))
        assert images.shape == (count, data.channels, data.image_size, data.image_size)
        assert labels.min() >= 0
        assert labels.max() < data.num_classes
        assert images.std() > 10, "real pixels vary"


def test_every_dataset_is_composed_alike_again(prepared):
    data, dataset = prepared
    for split, (images, labels) in read(data).items():
        np.testing.assert_array_equal(images, dataset.split(split)["images"])
        np.testing.assert_array_equal(labels, dataset.split(split)["labels"])


def channels_of(name, split):
    """Return the 8x8 parts of composed images, each with its digit."""
    data = DATASETS[name]
    images, labels = read(data)[split]
    if name == "mosaics":
        return [(images[:, 0, :8, :8], labels // 20), (images[:, 0, :8, 8:], labels // 2 % 10)]
    places = {"pairs": (10, 1), "triples": (100, 10, 1)}[name]
    return [(images[:, channel], labels // place % 10) for channel, place in enumerate(places)]


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("name", ["pairs", "triples", "mosaics"])
def test_parts_are_whole_digits_of_their_split_and_class(name, split):
    images, labels = digits.read()[split]
    known = {image.tobytes(): int(label) for image, label in zip(images[:, 0], labels, strict=True)}
    for parts, classes in channels_of(name, split):
        assert [known[np.ascontiguousarray(part).tobytes()] for part in parts] == classes.tolist()


def test_overlays_show_both_digits():
    images, _ = read(DATASETS["overlays"])["test"]
    assert images.mean() > 1.3 * (load_digits().images.mean() * 255 / 16)


def test_scenes_show_a_digit_over_a_photograph():
    images, labels = read(DATASETS["scenes"])["train"]
    assert np.unique(labels).size == 10
    assert (images.max(axis=(1, 2, 3)) > 200).all(), "the ink is white"
    corners = images[:, :, [0, 0, -1, -1], [0, -1, 0, -1]]
    assert corners.std() > 25, "the background is not"


def test_patches_come_from_disjoint_parts_of_the_photographs():
    for name in photographs.PHOTOGRAPHS:
        whole = load_sample_image(name)
        parts = [photographs.photograph(name, 4, split) for split in ("train", "test")]
        assert sum(part.shape[1] for part in parts) == whole.shape[1] // 4
        np.testing.assert_allclose(parts[0][0, 0], whole[:4, :4].reshape(-1, 3).mean(axis=0))


def test_bands_are_fifths_of_the_height():
    _, bands = photographs.patches(photographs.TEMPLE, 8, 4, "train", 500)
    assert np.bincount(bands, minlength=5).min() > 40


def test_every_dataset_without_an_archive_is_a_stand_in():
    sources = {name: source_of(data) for name, data in datasets().items()}
    own = {name: source for name, source in sources.items() if source.reader.startswith("harness.")}
    assert set(DATASETS) == {name for name, source in own.items() if source.embedded}
