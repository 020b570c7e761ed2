"""Broken or malicious archives: a one-line error; nothing executed, nothing prepared, memory bounded."""

import io
import pickle
import stat
import struct
import tarfile
import zipfile

import numpy as np
import pytest
from originals import (
    Evil,
    cifar_batch,
    pixels,
    python2_pickle,
    refused,
    write_tar,
    write_zip,
)

from harness.data import catalogue
from harness.data.errors import DataError
from harness.data.originals import cifar, tars
from harness.data.originals.pickles import load_batch, rows
from harness.data.originals.tars import read_tar
from harness.data.originals.zips import open_zip
from harness.store import zips

RNG = np.random.default_rng(0)
BATCH = "cifar-100-python/train"
SMALL = catalogue.CIFAR100.but(train_examples=2, test_examples=2)


def write_cifar100(folder, train, test=None):
    """Write an archive of two batches; batches not given are valid."""
    good = python2_pickle(cifar_batch(pixels(RNG, 2), [1, 2], b"fine_labels"))
    write_tar(folder / "cifar-100-python.tar.gz", {BATCH: train or good, "cifar-100-python/test": test or good})


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
        (b"\x80\x02K\x01r\xff\xff\xff\x7f.", "reserves too much memory"),
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
        ({b"data": np.zeros((3, 3072), dtype=np.uint8), b"fine_labels": [1, 2, 3]}, "more than its 2 examples"),
        ({b"data": np.zeros((1, 3072), dtype=np.uint8), b"fine_labels": [1]}, "split train has 1 examples, not 2"),
    ],
)
def test_wrong_counts_and_labels_prepare_nothing(tmp_path, change, match):
    write_cifar100(tmp_path, python2_pickle(cifar_batch(pixels(RNG, 2), [1, 2], b"fine_labels") | change))
    refused(SMALL, tmp_path, tmp_path / "data", match)


def tar_of(*members):
    """Write tar headers as given with their contents, even if they contradict each other."""
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
        (member("link", tarfile.SYMTYPE, link="/etc/passwd"), "'link' is not a regular file: refused"),
        (member("hard", tarfile.LNKTYPE, link="wanted"), "'hard' is not a regular file: refused"),
        (member("device", tarfile.CHRTYPE), "'device' is not a regular file: refused"),
        (member("pipe", tarfile.FIFOTYPE), "'pipe' is not a regular file: refused"),
        (member("wanted"), "'wanted' appears twice: refused"),
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
        ("link", "'link' is not a regular file: refused"),
        ("twice", "'twice' appears twice: refused"),
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
    """Write a zip whose member declares a wrong unpacked size."""
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


def test_any_wrong_byte_of_a_pickle_is_refused_or_harmless():
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
