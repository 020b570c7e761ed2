"""Archives that are broken or mean harm: one line for people, nothing executed, nothing prepared, memory bounded."""

import io
import pickle
import stat
import struct
import tarfile
import zipfile
import zlib

import numpy as np
import pytest
from originals import (
    ORIGINALS,
    cifar_batch,
    jpeg,
    npz,
    pixels,
    prepared,
    python2_pickle,
    write_tar,
    write_zip,
)
from PIL import Image
from scipy.io import savemat

from harness.data import catalogue
from harness.data.errors import DataError
from harness.data.originals import cifar, pictures, tars, tiny_imagenet, zips
from harness.data.originals.pickles import load_batch, rows
from harness.data.originals.pictures import decode, fit
from harness.data.originals.tars import read_tar
from harness.data.originals.zips import open_zip
from harness.spec.errors import HarnessError

RNG = np.random.default_rng(0)
BATCH = "cifar-100-python/train"
SMALL = catalogue.CIFAR100.but(train_examples=2, test_examples=2)


def refused(data, folder, root, match):
    """Expect a refusal in one line that leaves nothing that counts."""
    with pytest.raises(DataError, match=match) as caught:
        prepared(data, folder, root)
    assert "\n" not in str(caught.value)
    assert [path.name for path in (root / data.name).iterdir()] == [".lock"]


def write_cifar100(folder, train, test=None):
    """Write an archive of two batches; what is not given is whole."""
    good = python2_pickle(cifar_batch(pixels(RNG, 2), [1, 2], b"fine_labels"))
    write_tar(folder / "cifar-100-python.tar.gz", {BATCH: train or good, "cifar-100-python/test": test or good})


class Evil:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        import os

        return os.system, (f"touch {self.path}",)


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_a_pickle_cannot_run_a_command(tmp_path, protocol):
    content = pickle.dumps({b"data": Evil(tmp_path / "ran"), b"fine_labels": [1, 2]}, protocol)
    write_cifar100(tmp_path, content)
    refused(SMALL, tmp_path, tmp_path / "data", "is a pickle (that wants to use|with the instruction)")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"\x80\x02cposix\nsystem\nU\x02id\x85R.", "'posix system': refused, nothing was executed"),
        (b"\x80\x02c__builtin__\neval\nU\x011\x85R.", "'__builtin__ eval': refused"),
        (b"\x80\x02cnumpy\ncore.multiarray.scalar\n.", "'numpy core.multiarray.scalar': refused"),
        (b"\x80\x02cnumpy.core.multiarray\nscalar\n.", "'numpy.core.multiarray scalar': refused"),
        (b"\x80\x04\x8c\x05posix\x8c\x06system\x93.", "instruction SHORT_BINUNICODE: refused"),
        (b"(S'id'\nios\nsystem\n.", "instruction STRING: refused"),
        (b"\x80\x02U\x01xQ.", "instruction BINPERSID: refused"),
        (b"\x80\x02K\x01r\xff\xff\xff\x7f.", "reserves memory without end"),
        (b"\x80\x02cnumpy\nndarray\n}b.", "truncated or damaged"),
        (b"\x80\x02K\x01}b.", "truncated or damaged"),
        (b"\x80\x02}(K\x01.", "is not a dictionary"),
        (b"\x80\x02]", "truncated or damaged"),
        (b"", "truncated or damaged"),
        (b"\x80\x02]q\x00.", "is not a dictionary"),
        (b"\x80\x02}}K\x01s.", "truncated or damaged"),
    ],
)
def test_a_pickle_can_hold_nothing_but_a_batch(content, match):
    with pytest.raises(DataError, match=match):
        load_batch(content, "it")


@pytest.mark.parametrize(
    ("array", "match"),
    [
        (np.zeros((2, 3072), dtype=np.int16), "no rows of bytes"),
        (np.zeros((2, 3071), dtype=np.uint8), "array of 2 x 3071 in 6142 bytes, not rows of 3072"),
        (np.zeros((2, 3, 1024), dtype=np.uint8), "no rows of bytes"),
        (np.zeros((0, 3072), dtype=np.uint8), "not rows of 3072"),
        ([1, 2], "no rows of bytes"),
    ],
)
def test_only_rows_of_bytes_are_images(tmp_path, array, match):
    write_cifar100(tmp_path, python2_pickle({b"data": array, b"fine_labels": [1, 2]}))
    refused(SMALL, tmp_path, tmp_path / "data", match)


def test_an_array_that_claims_more_than_it_holds_is_refused():
    whole = python2_pickle({b"data": np.zeros((2, 3072), dtype=np.uint8)})
    claimed = whole.replace(b"(K\x02M\x00\x0c", b"(K\xffM\x00\x0c")
    assert whole != claimed
    with pytest.raises(DataError, match="array of 255 x 3072 in 6144 bytes"):
        rows(load_batch(claimed, "it")[b"data"], 3072, "it")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({b"fine_labels": [1, 100]}, "has the label 100: allowed are 0 to 99"),
        ({b"fine_labels": [b"1", 2]}, "has the label b'1': allowed are 0 to 99"),
        ({b"fine_labels": [1]}, "split train has 2 images for 1 labels"),
        ({b"fine_labels": None}, "holds no list 'fine_labels'"),
        ({b"data": None}, "holds no rows of bytes"),
        ({b"data": np.zeros((3, 3072), dtype=np.uint8), b"fine_labels": [1, 2, 3]}, "more than its 2 images"),
        ({b"data": np.zeros((1, 3072), dtype=np.uint8), b"fine_labels": [1]}, "split train has 1 images, not 2"),
    ],
)
def test_wrong_counts_and_labels_prepare_nothing(tmp_path, change, match):
    write_cifar100(tmp_path, python2_pickle(cifar_batch(pixels(RNG, 2), [1, 2], b"fine_labels") | change))
    refused(SMALL, tmp_path, tmp_path / "data", match)


def tar_of(*members):
    """Write headers as given, with their contents, whatever they claim."""
    out = io.BytesIO()
    for info, content in members:
        out.write(info.tobuf(tarfile.GNU_FORMAT) + content + bytes(-len(content) % 512))
    return out.getvalue() + bytes(1024)


def member(name, kind=tarfile.REGTYPE, size=0, link=""):
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname = kind, size, link
    return info


def gz(path, content):
    import gzip

    path.write_bytes(gzip.compress(content, 1))
    return path


@pytest.mark.parametrize(
    ("info", "match"),
    [
        (member("../evil"), r"'../evil' leads out of the archive: refused"),
        (member("a/../../evil"), "leads out of the archive"),
        (member("/etc/passwd"), "leads out of the archive"),
        (member("a\\..\\evil"), "leads out of the archive"),
        (member("C:/evil"), "leads out of the archive"),
        (member("link", tarfile.SYMTYPE, link="/etc/passwd"), "'link' is no plain file: refused"),
        (member("hard", tarfile.LNKTYPE, link="wanted"), "'hard' is no plain file: refused"),
        (member("device", tarfile.CHRTYPE), "'device' is no plain file: refused"),
        (member("pipe", tarfile.FIFOTYPE), "'pipe' is no plain file: refused"),
        (member("wanted"), "'wanted' stands twice in it: refused"),
        (member("huge", size=2**40), "unpacks to more than"),
    ],
)
def test_a_tar_with_a_dangerous_member_is_refused_as_a_whole(tmp_path, info, match):
    path = gz(tmp_path / "a.tar.gz", tar_of((member("wanted", size=3), b"abc"), (info, b"")))
    with pytest.raises(DataError, match=match):
        read_tar(path, ["wanted"], limit=10**6)


def test_a_harmless_tar_is_read(tmp_path):
    folder = member("folder", tarfile.DIRTYPE)
    path = gz(tmp_path / "a.tar.gz", tar_of((folder, b""), (member("./folder/wanted", size=3), b"abc")))
    assert read_tar(path, ["folder/wanted"], limit=20_000) == {"folder/wanted": b"abc"}


def test_a_tar_that_claims_a_huge_member_is_refused_before_it_is_read(tmp_path, peak_memory):
    path = gz(tmp_path / "a.tar.gz", tar_of((member("wanted", size=2**33), b"abc")))
    with peak_memory() as peak, pytest.raises(DataError, match="claims a member of 8589934592 bytes: refused"):
        read_tar(path, ["wanted"], limit=2**40)
    assert peak() < 2**24


def test_a_tar_with_an_endless_header_is_refused(tmp_path):
    path = gz(tmp_path / "a.tar.gz", tar_of((member("name", tarfile.XHDTYPE, size=2**33), b"abc")))
    with pytest.raises(DataError, match="claims a member of 8589934592 bytes: refused"):
        read_tar(path, ["wanted"], limit=2**40)


def test_a_tar_bomb_is_refused_by_what_it_unpacks_to(tmp_path, monkeypatch, peak_memory):
    write_cifar100(tmp_path, None)
    monkeypatch.setattr(cifar, "LIMIT", 2**20)
    path = tmp_path / "cifar-100-python.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        tar.addfile(member("bomb", size=2**25), io.BytesIO(bytes(2**25)))
    assert path.stat().st_size < 2**17
    with peak_memory() as peak:
        refused(SMALL, tmp_path, tmp_path / "data", "unpacks to more than 1,048,576 bytes")
    assert peak() < 2**23


def test_zeros_without_end_behind_a_tar_are_refused(tmp_path):
    path = gz(tmp_path / "a.tar.gz", tar_of((member("wanted", size=3), b"abc")) + bytes(2**22))
    with pytest.raises(DataError, match="unpacks to more than 1,000,000 bytes"):
        read_tar(path, ["wanted"], limit=10**6)


def test_a_tar_with_endlessly_many_members_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(tars, "MEMBERS", 5)
    path = write_tar(tmp_path / "a.tar.gz", {f"{number}": b"" for number in range(6)})
    with pytest.raises(DataError, match="more than 5 members"):
        read_tar(path, ["0"], limit=10**6)


@pytest.mark.parametrize(
    ("entry", "match"),
    [
        ("../evil", "leads out of the archive: refused"),
        ("/etc/passwd", "leads out of the archive: refused"),
        ("a/..\\..\\evil", "leads out of the archive: refused"),
        ("link", "'link' is no plain file: refused"),
        ("twice", "'twice' stands twice in it: refused"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_zip_with_a_dangerous_member_is_refused_as_a_whole(tmp_path, entry, match):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("twice", b"good")
        info = zipfile.ZipInfo(entry)
        info.external_attr = (stat.S_IFLNK if entry == "link" else stat.S_IFREG) << 16
        archive.writestr(info, b"/etc/passwd")
    with pytest.raises(DataError, match=match), open_zip(path, str(path), 10**6):
        pass


def lying_zip(path, content, claimed):
    """Write a zip whose member claims another unpacked size than it has."""
    write_zip(path, {"a": content})
    true, false = struct.pack("<I", len(content)), struct.pack("<I", claimed)
    data = path.read_bytes()
    assert data.count(true) >= 2
    path.write_bytes(data.replace(true, false))
    return path


def test_a_zip_bomb_is_refused_by_what_it_declares(tmp_path):
    path = lying_zip(tmp_path / "a.zip", b"small" * 1000, claimed=0xFFFFFFF0)
    match = "unpacks to 4,294,967,280 bytes: more than the 1,073,741,824"
    with pytest.raises(DataError, match=match), open_zip(path, str(path), 2**30):
        pass


def test_a_zip_bomb_that_declares_little_is_cut_and_found_out(tmp_path, peak_memory):
    path = lying_zip(tmp_path / "a.zip", bytes(100_000_001), claimed=1_000_001)
    broken = pytest.raises(DataError, match="Bad CRC-32")
    with peak_memory() as peak, open_zip(path, str(path), 10**7) as archive, broken:
        archive.read("a")
    assert peak() < 10_000_000


def test_a_zip_that_declares_too_much_is_found_out(tmp_path):
    path = lying_zip(tmp_path / "a.zip", b"small" * 1000, claimed=10_000)
    with open_zip(path, str(path), 10**7) as archive, pytest.raises(DataError, match="shorter than the archive says"):
        archive.read("a")


def test_a_huge_member_of_a_zip_is_refused_while_it_unpacks(tmp_path, peak_memory):
    path = write_zip(tmp_path / "a.zip", {"a": bytes(2**25)})
    too_large = pytest.raises(DataError, match="unpacks to more than 4,194,304 bytes: refused")
    with peak_memory() as peak, open_zip(path, str(path), 2**30) as archive, too_large:
        archive.read("a", limit=2**22)
    assert peak() < 2**24


def test_a_zip_with_endlessly_many_members_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(zips, "MEMBERS", 5)
    path = write_zip(tmp_path / "a.zip", {f"{number}": b"" for number in range(6)})
    with pytest.raises(DataError, match="more than 5 members"), open_zip(path, str(path), 10**6):
        pass


def rewrite_zip(path, change):
    """Write a zip archive anew with changed members; None leaves one out."""
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
    with pytest.raises(DataError, match="one side is too long for the other"):
        fit(Image.new("RGB", (2, pictures.SLIVER * 2 + 1)), 128, "it")


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
        ({"data.npy": npy(np.zeros((3, 3072), dtype=np.uint8, order="F"))}, "is not an array of 2 dimensions, row by"),
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
    assert len(errors) >= 10, "checksums notice"
    assert not any("\n" in error for error in errors)


def test_whatever_byte_of_a_pickle_is_wrong_nothing_but_a_refusal_comes_of_it():
    rng = np.random.default_rng(0)
    whole = python2_pickle(cifar_batch(pixels(rng, 1), [1]))
    structure = [*range(60), *range(len(whole) - 80, len(whole))]
    read, errors = 0, []
    for _ in range(2000):
        content = bytearray(whole)
        content[rng.choice(structure)] = rng.integers(256)
        try:
            rows(load_batch(bytes(content), "it").get(b"data"), 3072, "it")
            read += 1
        except DataError as error:
            errors.append(str(error))
    assert read > 100
    assert len(errors) > 100
    assert not any("\n" in error for error in errors)
