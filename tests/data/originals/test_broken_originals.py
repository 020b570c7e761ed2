"""Sound archives with invalid content: a one-line error, and nothing is prepared."""

import io
import struct
import tarfile
import zipfile
import zlib

import numpy as np
import pytest
from originals import (
    ORIGINALS,
    Evil,
    jpeg,
    npz,
    pixels,
    prepared,
    refused,
    write_tar,
    write_zip,
)
from PIL import Image
from scipy.io import savemat

from harness.data import catalogue
from harness.data.errors import DataError
from harness.data.originals import pictures, tiny_imagenet
from harness.data.originals.pictures import decode, fit
from harness.errors import HarnessError

RNG = np.random.default_rng(0)


def rewrite_zip(path, change):
    """Rewrite a zip archive with changed members; None omits a member."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members |= change
    write_zip(path, {name: content for name, content in members.items() if content is not None})


TINY = "tiny-imagenet-200"
PICTURE = f"{TINY}/train/n01443537/images/n01443537_0.JPEG"


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({PICTURE: b"not a picture"}, f"{PICTURE} is not a picture that can be read: neither JPEG"),
        ({PICTURE: jpeg(RNG)[0][:-200]}, "is not a picture that can be read .image file is truncated"),
        ({PICTURE: jpeg(RNG, (63, 64))[0]}, "has 63 x 64 pixels, not 64 x 64"),
        ({PICTURE: None}, "images of split train: 5 found, 6 expected"),
        ({f"{TINY}/val/images/val_3.JPEG": None}, "holds no 'tiny-imagenet-200/val/images/val_3.JPEG'"),
        ({f"{TINY}/val/val_annotations.txt": None}, "holds no 'tiny-imagenet-200/val/val_annotations.txt'"),
        ({f"{TINY}/val/val_annotations.txt": b"val_0.JPEG\tn99999999\t0\n"}, "the class 'n99999999', which has no"),
        ({f"{TINY}/val/val_annotations.txt": b"val_0.JPEG\tn01443537\t0\n"}, "split test: 1 found, 4 expected"),
        ({f"{TINY}/train/n00000001/images/n00000001_0.JPEG": b""}, "classes in .*: 4 found, 3 expected"),
    ],
)
def test_a_broken_tiny_imagenet_prepares_nothing(tmp_path, change, match):
    data, _ = ORIGINALS["tiny_imagenet"](tmp_path, np.random.default_rng(0))
    rewrite_zip(tmp_path / "tiny-imagenet-200.zip", change)
    refused(data, tmp_path, tmp_path / "data", match)


def test_an_annotation_leads_to_no_file_of_the_system(tmp_path):
    data, _ = ORIGINALS["tiny_imagenet"](tmp_path, np.random.default_rng(0))
    notes = b"../../../../etc/passwd\tn01443537\t0\n" * 4
    rewrite_zip(tmp_path / "tiny-imagenet-200.zip", {tiny_imagenet.VALIDATION: notes})
    refused(data.but(test_examples=1), tmp_path, tmp_path / "data", "holds no '.*etc/passwd'")


def test_pictures_without_measure_are_refused():
    file = io.BytesIO()
    Image.new("L", (6000, 6000)).save(file, "PNG")
    with pytest.raises(DataError, match="claims to have 36,000,000 pixels: refused"):
        decode(file.getvalue(), "it")
    header = b"IHDR" + struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    checked = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    huge = b"\x89PNG\r\n\x1a\n" + checked + struct.pack(">I", 10) + b"IDAT"
    with pytest.raises(DataError, match=r"is not a picture that can be read .Image size"):
        decode(huge, "it")
    with pytest.raises(DataError, match="aspect ratio is above 10"):
        fit(Image.new("RGB", (2, pictures.MAX_ASPECT_RATIO * 2 + 1)), 128, "it")


def test_a_format_that_no_dataset_uses_is_not_decoded():
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "TIFF")
    with pytest.raises(DataError, match="is not a picture that can be read"):
        decode(file.getvalue(), "it")


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("train_X", bytes(4 * 27648 - 1), "train_X.bin has 110,591 bytes, not 110,592"),
        ("test_X", None, "holds no 'stl10_binary/test_X.bin'"),
        ("train_y", b"\x01\x02\x03\x0b", "train_y.bin has the label 11: allowed are 1 to 10"),
        ("train_y", b"\x01\x02\x03\x00", "train_y.bin has the label 0: allowed are 1 to 10"),
    ],
)
def test_a_broken_stl10_prepares_nothing(tmp_path, name, content, match):
    data, _ = ORIGINALS["stl10"](tmp_path, np.random.default_rng(0))
    path = tmp_path / "stl10_binary.tar.gz"
    with tarfile.open(path) as tar:
        members = {info.name: tar.extractfile(info).read() for info in tar}
    members[f"stl10_binary/{name}.bin"] = content
    write_tar(path, {name: content for name, content in members.items() if content is not None})
    refused(data, tmp_path, tmp_path / "data", match)


def npy(array):
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"labels.npy": npy(np.array([1, 2, 1001]))}, "has the label 1001: allowed are 1 to 1000"),
        ({"labels.npy": npy(np.array([1, 2, 0]))}, "has the label 0: allowed are 1 to 1000"),
        ({"labels.npy": npy(np.array([1.0, 2.0, 3.0]))}, "holds 3 of float64"),
        ({"labels.npy": npy(np.array([Evil("x"), 2, 3], dtype=object))}, "holds 3 of object"),
        ({"labels.npy": None}, "holds no 'labels.npy'"),
        ({"labels.npy": npy(np.ones(2, dtype=int))}, r"holds \(3, 3072\) of uint8, not \(2, 3072\)"),
        ({"labels.npy": npy(np.ones(4, dtype=int))}, "holds 4 of int64, not at most 3 whole numbers"),
        ({"data.npy": npy(np.zeros((3, 3071), dtype=np.uint8))}, r"holds \(3, 3071\) of uint8"),
        ({"data.npy": npy(np.zeros((3, 3072), dtype=np.float32))}, "of float32, not"),
        ({"data.npy": npy(np.zeros((3, 3072), dtype=np.uint8, order="F"))}, "array of 2 dimensions in C order"),
        ({"data.npy": npy(np.zeros((3, 3072), dtype=np.uint8))[:-1]}, "data.npy is truncated"),
        ({"data.npy": b"not an array"}, "truncated or damaged"),
    ],
)
def test_a_broken_imagenet_prepares_nothing(tmp_path, change, match):
    data, _ = ORIGINALS["imagenet32"](tmp_path, np.random.default_rng(0))
    inner = tmp_path / "val_data.npz"
    inner.write_bytes(npz(pixels(RNG, 3), np.arange(3)))
    rewrite_zip(inner, change)
    write_zip(tmp_path / "Imagenet32_val_npz.zip", {"val_data.npz": inner.read_bytes()})
    refused(data.but(train_examples=0), tmp_path, tmp_path / "data", match)


def test_a_missing_or_doubled_batch_of_imagenet_is_named(tmp_path):
    data, _ = ORIGINALS["imagenet32"](tmp_path, np.random.default_rng(0))
    path = tmp_path / "Imagenet32_train_npz.zip"
    rewrite_zip(path, {"again/train_data_batch_7.npz": b""})
    refused(data, tmp_path, tmp_path / "data", "holds 2 'train_data_batch_7.npz': one is needed")
    rewrite_zip(path, {"again/train_data_batch_7.npz": None, "train_data_batch_7.npz": None})
    refused(data, tmp_path, tmp_path / "data", "holds no 'train_data_batch_7.npz': one is needed")


X = np.zeros((32, 32, 3, 12), dtype=np.uint8)
Y = np.ones((12, 1), dtype=np.uint8)


@pytest.mark.parametrize(
    ("variables", "match"),
    [
        ({"X": X}, r"y has the shape None, not \(12, 1\)"),
        ({"X": X[..., :11], "y": Y}, r"X has the shape \(32, 32, 3, 11\), not"),
        ({"X": X.astype(float), "y": Y}, r"images of shape \(3, 32, 32\) float64, not"),
        ({"X": "text", "y": Y}, "X has the shape None, not"),
        ({"X": X, "y": Y + 0.5}, "has the label 1.5: allowed are 1 to 10"),
        ({"X": X, "y": Y * 11}, "has the label 11: allowed are 1 to 10"),
        ({"X": X, "y": Y * 0}, "has the label 0: allowed are 1 to 10"),
        ({"X": X, "y": Y, "bomb": np.zeros((2**22, 4))}, "unpacks to more than"),
    ],
)
def test_a_broken_svhn_prepares_nothing(tmp_path, variables, match):
    savemat(tmp_path / "test_32x32.mat", variables, do_compression=True)
    refused(catalogue.SVHN.but(test_examples=12), tmp_path, tmp_path / "data", match)


@pytest.mark.parametrize("content", [b"", b"MATLAB 7.3 MAT-file", b"\x89HDF\r\n"])
def test_another_format_than_matlabs_is_named(tmp_path, content):
    (tmp_path / "test_32x32.mat").write_bytes(content)
    refused(catalogue.SVHN.but(test_examples=12), tmp_path, tmp_path / "data", "is not a MATLAB 5 file")


@pytest.mark.parametrize(
    ("line", "match"),
    [("000003.jpg 3\n", "line 6 is not a name and a part"), ("../../x.jpg 2\n", "split test: 3 found, 2 expected")],
)
def test_a_broken_partition_prepares_nothing(tmp_path, line, match):
    data, _ = ORIGINALS["celeba32"](tmp_path, np.random.default_rng(0))
    with open(tmp_path / "list_eval_partition.txt", "a") as file:
        file.write(line)
    refused(data, tmp_path, tmp_path / "data", match)


def test_a_folder_with_too_few_faces_is_counted_before_any_is_decoded(tmp_path):
    folder = tmp_path / "faces"
    folder.mkdir()
    data, _ = ORIGINALS["celebahq128"](folder, np.random.default_rng(0))
    (folder / "00000.jpg").write_bytes(b"not a picture")
    refused(data.but(train_examples=4, test_examples=4), folder, tmp_path / "data", "3 found, 4 expected")
    refused(data, folder, tmp_path / "data", "00000.jpg is not a picture")


@pytest.mark.parametrize("name", sorted(set(ORIGINALS) - {"celebahq128"}))
def test_an_archive_cut_anywhere_is_refused(tmp_path, name):
    data, _ = ORIGINALS[name](tmp_path, np.random.default_rng(0))
    path = max(tmp_path.glob("*.*"), key=lambda path: path.stat().st_size)
    whole = path.read_bytes()
    for share in (0, 0.001, 0.3, 0.7, 0.98):
        path.write_bytes(whole[: int(share * len(whole))])
        refused(data, tmp_path, tmp_path / "data", "cannot read|truncated|not a MATLAB")


@pytest.mark.parametrize("name", sorted(set(ORIGINALS) - {"celebahq128"}))
def test_whatever_byte_is_wrong_the_error_is_one_line(tmp_path, name):
    rng = np.random.default_rng(0)
    data, _ = ORIGINALS[name](tmp_path, rng)
    path = max(tmp_path.glob("*.*"), key=lambda path: path.stat().st_size)
    whole, errors = path.read_bytes(), []
    for attempt in range(12):
        content = bytearray(whole)
        for place in rng.integers(0, len(whole), 20):
            content[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(content)
        try:
            prepared(data, tmp_path, tmp_path / f"data{attempt}")
        except HarnessError as error:
            errors.append(str(error))
    assert len(errors) >= 10, "checksums detect damage"
    assert not any("\n" in error for error in errors)
