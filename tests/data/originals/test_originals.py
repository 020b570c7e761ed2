"""Readers of the real datasets, on small archives in the original formats."""

import io
import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from labelled import arrays_of
from originals import ORIGINALS, cifar_batch, jpeg, pixels, prepared, python2_pickle, write_tar, write_zip
from PIL import Image
from scipy.io import savemat

from harness.data import catalogue
from harness.data.errors import DataError
from harness.data.originals.archive import unverified, verified
from harness.data.originals.imagenet32 import read_imagenet32
from harness.data.originals.pictures import decode, fit, squeeze
from harness.data.prepared.prepare import silent
from harness.data.registry import Archive, datasets, source_of
from harness.store.files import sha256_of


@pytest.fixture(params=sorted(ORIGINALS))
def built(request, tmp_path):
    folder = tmp_path / "originals"
    folder.mkdir()
    return folder, *ORIGINALS[request.param](folder, np.random.default_rng(0))


def test_every_pixel_and_label_arrives_in_its_place(built, tmp_path):
    folder, data, expected = built
    dataset = prepared(data, folder, tmp_path / "data")
    assert set(data.splits) == set(expected)
    for split, (images, labels) in expected.items():
        found, numbers = arrays_of(dataset.split(split))
        np.testing.assert_array_equal(found, images)
        np.testing.assert_array_equal(numbers, labels)
        assert (found.dtype, numbers.dtype) == (np.uint8, np.int64)


def test_the_manifest_says_what_came_from_where(built, tmp_path):
    folder, data, _ = built
    dataset = prepared(data, folder, tmp_path / "data")
    document = json.loads((dataset.folder / "manifest.json").read_text())
    assert document["name"] == data.name
    for split, count in data.splits.items():
        assert document["shapes"][f"{split}-images.npy"] == [count, 3, data.image_size, data.image_size]
        assert document["shapes"][f"{split}-labels.npy"] == [count]
    assert document["files"] == {name: sha256_of(dataset.folder / name) for name in document["shapes"]}
    if data.name == "celebahq128":
        assert document["archives"] == {"originals": "none: a folder"}
    else:
        names = [archive.name for archive in source_of(data).needed(data)]
        assert document["archives"] == {name: sha256_of(folder / name) for name in names}


def test_every_dataset_has_a_source_and_the_archives_of_its_splits():
    sources = {name: source for name, data in datasets().items() if (source := source_of(data)).archives}
    assert set(sources) == {*ORIGINALS, "celeba128"}
    assert [a.name for a in sources["svhn"].needed(catalogue.SVHN)] == ["test_32x32.mat"]
    whole = catalogue.SVHN.but(train_examples=73_257)
    assert [a.name for a in sources["svhn"].needed(whole)] == ["test_32x32.mat", "train_32x32.mat"]
    assert len(sources["imagenet32"].needed(catalogue.IMAGENET32)) == 2
    for source in sources.values():
        assert all(bool(a.sha256 or a.md5) == (a.size is not None) for a in source.archives)


def test_svhn_can_have_its_training_images(tmp_path):
    rng = np.random.default_rng(1)
    data, expected = ORIGINALS["svhn"](tmp_path, rng)
    images = pixels(rng, 2)
    variables = {"X": images.transpose(2, 3, 1, 0), "y": np.array([[10], [3]], dtype=np.uint8)}
    savemat(tmp_path / "train_32x32.mat", variables)
    dataset = prepared(data.but(train_examples=2), tmp_path, tmp_path / "data")
    np.testing.assert_array_equal(dataset.split("train")["images"], images)
    assert dataset.split("train")["labels"].tolist() == [0, 3]
    np.testing.assert_array_equal(dataset.split("test")["labels"], expected["test"][1])


def test_an_evaluation_only_set_has_no_training_split(tmp_path):
    data, _ = ORIGINALS["svhn"](tmp_path, np.random.default_rng(1))
    with pytest.raises(DataError, match="'svhn' serves evaluations only: it has no split 'train'"):
        prepared(data, tmp_path, tmp_path / "data").split("train")


def test_a_batch_stored_column_by_column_is_read_alike(tmp_path):
    images, labels = pixels(np.random.default_rng(2), 3), np.arange(3)
    batch = cifar_batch(images, labels, b"fine_labels")
    batch[b"data"] = np.asfortranarray(batch[b"data"])
    members = {f"cifar-100-python/{split}": python2_pickle(batch) for split in ("train", "test")}
    write_tar(tmp_path / "cifar-100-python.tar.gz", members)
    data = catalogue.CIFAR100.but(train_examples=3, test_examples=3)
    np.testing.assert_array_equal(prepared(data, tmp_path, tmp_path / "data").split("test")["images"], images)


def test_faces_come_as_a_zip_too_in_the_order_of_their_names(tmp_path):
    rng = np.random.default_rng(3)
    made = {f"celeba_hq/{number}.jpg": jpeg(rng, (128, 128)) for number in (2, 0, 1)}
    members = {name: content for name, (content, _) in made.items()} | {"__MACOSX/celeba_hq/._0.jpg": b"hidden"}
    path = write_zip(tmp_path / "faces of mine.zip", members)
    data = catalogue.CELEBAHQ128.but(train_examples=3, test_examples=3)
    images, labels = arrays_of(prepared(data, path, tmp_path / "data").split("test"))
    np.testing.assert_array_equal(images, [made[f"celeba_hq/{number}.jpg"][1] for number in range(3)])
    assert labels.tolist() == [0, 0, 0]


def test_the_substitute_takes_the_first_aligned_faces(tmp_path):
    ORIGINALS["celeba32"](tmp_path, np.random.default_rng(0))
    data = catalogue.CELEBA128.but(train_examples=2, test_examples=2)
    images, _ = arrays_of(prepared(data, tmp_path, tmp_path / "data").split("train"))
    assert np.abs(images.reshape(2, -1).astype(int) - [[40], [80]]).max() <= 1
    with pytest.raises(DataError, match="5 found, 6 expected"):
        prepared(data.but(train_examples=6, test_examples=6), tmp_path, tmp_path / "other")


def test_repackaged_aligned_faces_are_read_alike(tmp_path):
    """With the folders and the table of a well-known download."""
    data, expected = ORIGINALS["celeba32"](tmp_path, np.random.default_rng(0))
    flat = tmp_path / "img_align_celeba.zip"
    with zipfile.ZipFile(flat) as archive:
        members = {f"img_align_celeba/{name}": archive.read(name) for name in archive.namelist()}
    write_zip(flat, members | {"img_align_celeba/readme.txt": b"text"})
    text = (tmp_path / "list_eval_partition.txt").read_text()
    (tmp_path / "list_eval_partition.txt").unlink()
    table = "image_id,partition\r\n" + text.replace(" ", ",").replace("\n", "\r\n")
    (tmp_path / "list_eval_partition.csv").write_text(table)
    np.testing.assert_array_equal(
        prepared(data, tmp_path, tmp_path / "data").split("test")["images"], expected["test"][0]
    )
    larger = catalogue.CELEBA128.but(train_examples=2, test_examples=2)
    images, _ = arrays_of(prepared(larger, tmp_path, tmp_path / "data").split("train"))
    assert np.abs(images.reshape(2, -1).astype(int) - [[40], [80]]).max() <= 1
    write_zip(flat, members | {"copy/000003.jpg": b"another"})
    for twice in (data, larger):
        with pytest.raises(DataError, match=r"holds '000003.jpg' twice: copy/000003.jpg and img_align_celeba/"):
            prepared(twice, tmp_path, tmp_path / "other")


def test_a_face_that_is_listed_and_absent_is_named(tmp_path):
    data, _ = ORIGINALS["celeba32"](tmp_path, np.random.default_rng(0))
    write_zip(tmp_path / "img_align_celeba.zip", {"img_align_celeba/000003.jpg": b""})
    with pytest.raises(DataError, match=r"zip holds no '000004.jpg', which list_eval_partition.txt lists"):
        prepared(data, tmp_path, tmp_path / "data")


def test_only_pictures_of_a_folder_count_whatever_lies_beside_them(tmp_path):
    faces = tmp_path / "faces"
    (faces / "folder.jpg").mkdir(parents=True)
    data, expected = ORIGINALS["celebahq128"](faces, np.random.default_rng(0))
    (faces / "note.txt").symlink_to("/nonexistent")
    (faces / "loop").symlink_to(faces / "loop")
    os.mkfifo(faces / "pipe")
    (faces / "Thumbs.db").write_bytes(b"thumbs")
    images = prepared(data, faces, tmp_path / "data").split("train")["images"]
    np.testing.assert_array_equal(images, expected["train"][0])


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: path.symlink_to("/nonexistent"), "No such file or directory"),
        (lambda path: path.symlink_to(path), "Too many levels of symbolic links"),
        (os.mkfifo, "it is not a regular file"),
    ],
    ids=["broken link", "loop", "fifo"],
)
def test_a_picture_that_cannot_be_read_is_named(tmp_path, make, says):
    data, _ = ORIGINALS["celebahq128"](tmp_path, np.random.default_rng(0))
    (tmp_path / "00000.jpg").unlink()
    make(tmp_path / "00000.jpg")
    with pytest.raises(DataError, match=f"cannot read {tmp_path}/00000.jpg: {says}"):
        prepared(data, tmp_path, tmp_path / "data")


def test_an_archive_that_is_no_regular_file_is_refused_without_waiting(tmp_path):
    os.mkfifo(pipe := tmp_path / "faces.zip")
    for path in (pipe, Path("/dev/zero")):
        with pytest.raises(DataError, match=f"cannot read {path}: it is not a regular file"):
            unverified(Archive("faces.zip", None), path, silent)


def test_a_tall_picture_keeps_its_proportions_and_loses_its_ends():
    picture = Image.new("RGB", (178, 218), (0, 0, 0))
    picture.paste((255, 255, 255), (0, 0, 178, 109))
    picture.paste((255, 0, 0), (0, 0, 178, 15))
    fitted = fit(picture, 128, "it")
    assert fitted.shape == (3, 128, 128)
    assert (fitted[:, 2] == 255).all(), "the upper 19 of 156 rows are cut off, the red with them"
    assert (fitted[:, :60] == 255).all()
    assert (fitted[:, 68:] == 0).all()
    np.testing.assert_array_equal(fit(picture.transpose(Image.Transpose.ROTATE_90), 128, "it").shape, (3, 128, 128))


def test_squeezing_keeps_everything_and_averages():
    stripes = np.zeros((218, 178, 3), dtype=np.uint8)
    stripes[::2] = 200
    stripes[:20] = 0
    squeezed = squeeze(Image.fromarray(stripes), 32)
    assert squeezed.shape == (3, 32, 32)
    assert (squeezed[:, :1] < 30).all(), "the upper edge is kept"
    assert np.abs(squeezed[:, 6:-2].astype(int) - 100).max() < 15, "and fine stripes are grey, not aliased"


def test_archives_are_found_beside_each_other_and_under_any_single_name(tmp_path):
    data, expected = ORIGINALS["celeba32"](tmp_path, np.random.default_rng(0))
    dataset = prepared(data, tmp_path / "img_align_celeba.zip", tmp_path / "data")
    np.testing.assert_array_equal(dataset.split("test")["images"], expected["test"][0])
    data, expected = ORIGINALS["cifar100"](tmp_path, np.random.default_rng(0))
    renamed = (tmp_path / "cifar-100-python.tar.gz").rename(tmp_path / "c100 (1).tgz")
    dataset = prepared(data, renamed, tmp_path / "data")
    np.testing.assert_array_equal(dataset.split("test")["images"], expected["test"][0])


def test_an_absent_archive_is_named_with_its_address(tmp_path):
    with pytest.raises(DataError, match=r"holds no cifar-10-python.tar.gz: it is at https://www.cs.toronto.edu"):
        prepared(catalogue.CIFAR10, tmp_path, tmp_path / "data")
    ORIGINALS["celeba32"](tmp_path, np.random.default_rng(0))
    (tmp_path / "list_eval_partition.txt").unlink()
    with pytest.raises(DataError, match=r"holds no list_eval_partition.txt or list_eval_partition.csv \(docs"):
        prepared(catalogue.CELEBA32, tmp_path, tmp_path / "data")


def test_only_the_known_archive_is_accepted_without_being_told(tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(b"known")
    known = Archive("a.zip", 5, sha256=sha256_of(path))
    assert verified(known, path, silent) == unverified(known, path, silent) == sha256_of(path)
    by_md5 = Archive("a.zip", 5, md5="436a6a9d0ff3b6d1e4b6a2f2b3f0a5ab")
    with pytest.raises(DataError, match=r"the original's is 436a6a9d0ff3b6d1e4b6a2f2b3f0a5ab.*--unverified"):
        verified(by_md5, path, silent)
    path.write_bytes(b"wrong")
    with pytest.raises(DataError, match=f"its SHA-256 is .*, the original's is {known.sha256}"):
        verified(known, path, silent)
    path.write_bytes(b"kno")
    with pytest.raises(DataError, match="it has 3 bytes, the original has 5"):
        verified(known, path, silent)
    assert unverified(known, path, silent) == sha256_of(path)


@pytest.mark.parametrize("name", sorted(set(ORIGINALS) - {"celebahq128"}))
def test_a_truncated_original_is_told_by_its_size(tmp_path, name):
    data, _ = ORIGINALS[name](tmp_path, np.random.default_rng(0))
    size = source_of(data).needed(data)[0].size
    with pytest.raises(DataError, match=rf"bytes, the original has {size:,}; get the file again"):
        prepared(data, tmp_path, tmp_path / "data", check=verified)
    assert not (tmp_path / "data" / name / "manifest.json").exists()


def test_a_grey_picture_has_three_equal_channels():
    content, shown = jpeg(np.random.default_rng(0), mode="L")
    found = np.asarray(decode(content, "it"))
    assert (found[..., 0] == found[..., 1]).all() and (found[..., 1] == found[..., 2]).all()
    np.testing.assert_array_equal(found.transpose(2, 0, 1), shown)


def test_imagenet_is_streamed_through_both_archives(tmp_path, peak_memory):
    images = np.zeros((40_000, 3072), dtype=np.uint8)
    file = io.BytesIO()
    np.savez(file, data=images, labels=np.ones(len(images), dtype=np.int64))
    path = write_zip(tmp_path / "Imagenet32_val_npz.zip", {"val_data.npz": file.getvalue()})
    del file
    data = catalogue.IMAGENET32.but(train_examples=0, test_examples=len(images))
    with peak_memory() as peak:
        seen = sum(len(block.arrays["labels"]) for part in read_imagenet32(data, {path.name: path}) for block in part())
    assert seen == len(images)
    assert peak() < 50e6, "not the 123 MB of the images; zipfile itself seeks in steps of 16 MB"
