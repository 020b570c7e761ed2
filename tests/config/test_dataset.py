"""Sizes, splits and fields of datasets, counted by hand."""

import pytest

from harness.config.dataset import ArrayField, Arrays, Dataset, Images, images_of
from harness.config.methods import Classification
from harness.errors import SpecError

PHOTOS = Images(
    name="photos",
    image_size=6,
    channels=3,
    num_classes=4,
    train_examples=50,
    test_examples=20,
    levels=16,
    further_splits={"holdout": 30},
)
TABLE = Arrays(
    name="table",
    fields={"x": ((2, 3), "float64"), "weight": ((), "float16"), "y": ((), "int32")},
    splits={"train": 50, "holdout": 20},
    num_classes=5,
)


@pytest.mark.parametrize(
    ("dtype", "size"),
    [
        ("bool", 1), ("uint8", 1), ("int8", 1), ("int16", 2), ("float16", 2), ("int32", 4), ("float32", 4),
        ("int64", 8), ("float64", 8),
    ],
)  # fmt: skip
def test_bytes_of_a_field_are_its_values_times_their_size(dtype, size):
    assert (ArrayField(shape=(2, 3), dtype=dtype).bytes, ArrayField(dtype=dtype).bytes) == (6 * size, size)
    assert (ArrayField(shape=(2, 3)).size, ArrayField().size, ArrayField(shape=(2, 0)).size) == (6, 1, 0)


def test_images_are_stored_as_bytes_with_a_label():
    assert PHOTOS.stored == {
        "images": ArrayField(shape=(3, 6, 6), dtype="uint8", below=16),
        "labels": ArrayField(dtype="int64", below=4),
    }
    assert (PHOTOS.inputs, PHOTOS.targets, PHOTOS.example_shape) == ("images", "labels", (3, 6, 6))
    assert (PHOTOS.pixels, PHOTOS.dimensions, PHOTOS.example_bytes) == (108, 108, 108 + 8)


def test_images_without_classes_have_no_label():
    plain = PHOTOS.but(num_classes=0)
    assert (list(plain.stored), plain.targets, plain.example_bytes) == (["images"], "", 108)


def test_splits_without_examples_do_not_exist():
    assert PHOTOS.splits == {"train": 50, "test": 20, "holdout": 30}
    assert PHOTOS.but(train_examples=0).splits == {"test": 20, "holdout": 30}
    assert PHOTOS.but(train_examples=1, test_examples=1).splits == {"train": 1, "test": 1, "holdout": 30}
    assert [PHOTOS.examples(split) for split in ("train", "test", "holdout")] == [50, 20, 30]
    with pytest.raises(SpecError, match="unknown split of dataset 'photos' 'hold': did you mean 'holdout'"):
        PHOTOS.examples("hold")


@pytest.mark.parametrize(
    ("count", "sizes"), [(10, (10, 10, 10)), (25, (25, 20, 25)), (40, (40, 20, 30)), (60, (50, 20, 30))]
)
def test_the_first_examples_are_at_most_those_that_there_are(count, sizes):
    assert tuple(PHOTOS.first(count).splits.values()) == sizes
    assert TABLE.first(count).splits == {"train": min(count, 50), "holdout": min(count, 20)}
    assert TABLE.first(count).fields == TABLE.fields


def test_models_take_the_first_array_and_predict_the_last():
    assert (TABLE.inputs, TABLE.targets, TABLE.example_shape, TABLE.dimensions) == ("x", "y", (2, 3), 6)
    assert TABLE.example_bytes == 6 * 8 + 2 + 4
    assert TABLE.stored == TABLE.fields | {"y": ArrayField(dtype="int32", below=5)}
    assert TABLE.fields["y"].below is None
    plain = TABLE.but(num_classes=0)
    assert plain.stored == plain.fields and Dataset.read(TABLE.model_dump(mode="json")) == TABLE


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"input": "weight"}, ("weight", "y")),
        ({"target": "weight"}, ("x", "weight")),
        ({"target": ""}, ("x", "")),
        ({"fields": {"x": ArrayField(shape=(2,))}}, ("x", "")),
        ({"fields": {"z": [[4], "int8"], "a": {"shape": [1]}}}, ("z", "a")),
    ],
)
def test_input_and_target_may_be_named(settings, expected):
    fields = {"x": ((2, 3), "float64"), "weight": ((), "float16"), "y": ((), "int32")}
    made = Arrays(**{"name": "table", "fields": fields, "splits": {"train": 50}, "num_classes": 5} | settings)
    assert (made.inputs, made.targets) == expected
    assert made.stored == made.fields | ({made.targets: made.stored[made.targets]} if made.targets else {})
    assert {name: field.below for name, field in made.stored.items() if field.below} == (
        {made.targets: 5} if made.targets else {}
    )


def test_a_pair_is_a_shape_and_a_dtype():
    made = Arrays(name="t", fields={"z": [[4, 2], "int8"], "a": {"shape": [1]}}, splits={"train": 1})
    assert made.fields == {"z": ArrayField(shape=(4, 2), dtype="int8"), "a": ArrayField(shape=(1,), dtype="float32")}
    for field in (((4,), "int8", 3), ("int8", (4,)), ("int8",), (4, "int8")):
        with pytest.raises(SpecError, match=r"fields\.z"):
            Arrays(name="t", fields={"z": field}, splits={"train": 1})


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"fields": {}}, "fields={}"),
        ({"fields": 3}, "fields=3"),
        ({"splits": {}}, "splits={}"),
        ({"fields": {"a b": ((), "int8")}}, "invalid name 'a b': allowed: letters, digits and underscores"),
        ({"splits": {"a/b": 1}}, "invalid name 'a/b': allowed"),
        ({"input": "why"}, "unknown field of dataset 'table' 'why'"),
        ({"target": "why"}, "unknown field of dataset 'table' 'why'"),
    ],
)
def test_arrays_that_cannot_be_stored_are_refused(settings, says):
    with pytest.raises(SpecError, match=says):
        Arrays(**{"name": "table", "fields": {"x": ((), "int8")}, "splits": {"train": 1}} | settings)


def test_what_needs_images_takes_no_arrays():
    assert images_of(PHOTOS, Classification()) is PHOTOS
    with pytest.raises(SpecError) as caught:
        images_of(TABLE, Classification())
    assert str(caught.value) == "method 'classification' needs images: dataset 'table' holds arrays"
