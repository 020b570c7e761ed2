"""Small archives in the original formats: same names, layouts and encodings."""

import io
import struct
import tarfile
import zipfile

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from harness.data import catalogue
from harness.data.errors import DataError
from harness.data.originals.archive import unverified
from harness.data.originals.locate import original
from harness.data.prepared.dataset import open_dataset
from harness.data.prepared.prepare import prepare, silent

WNIDS = ("n01443537", "n01629819", "n02056570")


def prepared(data, folder, root, check=unverified):
    """Prepare a dataset from a folder of archives and open it."""
    prepare(data, root, lambda: original(data, folder, check, silent))
    return open_dataset(data, root)


def files_of(folder):
    """Return the files of a prepared dataset by name, as bytes."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != ".lock"}


class Python2Pickler:
    """Writes pickle protocol 2 like Python 2: text is bytes, and every container is memoised."""

    def __init__(self):
        self._out = bytearray(b"\x80\x02")
        self._memo = 0

    def dump(self, value):
        self._save(value)
        return bytes(self._out + b".")

    def _remember(self):
        code = b"q" + bytes([self._memo]) if self._memo < 256 else b"r" + struct.pack("<I", self._memo)
        self._out += code
        self._memo += 1

    def _save(self, value):
        match value:
            case None:
                self._out += b"N"
            case bool():
                self._out += b"\x88" if value else b"\x89"
            case int() if 0 <= value < 256:
                self._out += b"K" + bytes([value])
            case int() if 0 <= value < 65536:
                self._out += b"M" + struct.pack("<H", value)
            case int():
                self._out += b"J" + struct.pack("<i", value)
            case bytes() if len(value) < 256:
                self._out += b"U" + bytes([len(value)]) + value
                self._remember()
            case bytes():
                self._out += b"T" + struct.pack("<i", len(value)) + value
                self._remember()
            case list():
                self._out += b"]"
                self._remember()
                self._out += b"("
                for item in value:
                    self._save(item)
                self._out += b"e"
            case dict():
                self._out += b"}"
                self._remember()
                self._out += b"("
                for key, item in value.items():
                    self._save(key)
                    self._save(item)
                self._out += b"u"
            case tuple():
                self._out += b"("
                for item in value:
                    self._save(item)
                self._out += b"t"
            case np.ndarray():
                self._array(value)

    def _array(self, value):
        self._out += b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
        self._remember()
        self._out += b"(K\x01"
        self._save(value.shape)
        self._out += b"cnumpy\ndtype\nU\x02" + value.dtype.str[1:].encode() + b"K\x00K\x01\x87R"
        self._save((3, b"|", None, None, None, -1, -1, 0))
        self._out += b"b"
        self._save(value.flags.f_contiguous and not value.flags.c_contiguous)
        self._save(value.tobytes(order="A"))
        self._out += b"tb"


def python2_pickle(value):
    return Python2Pickler().dump(value)


def write_tar(path, members):
    with tarfile.open(path, "w:gz", compresslevel=1) as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def write_zip(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def pixels(rng, count, size=32):
    return rng.integers(0, 256, (count, 3, size, size), dtype=np.uint8)


def jpeg(rng, size=(64, 64), mode="RGB", kind="JPEG"):
    """Encode noise as an image; return the file and the decoded pixels."""
    shape = (size[1], size[0], 3) if mode == "RGB" else (size[1], size[0])
    file = io.BytesIO()
    Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8)).save(file, kind)
    shown = np.asarray(Image.open(io.BytesIO(file.getvalue())).convert("RGB")).transpose(2, 0, 1)
    return file.getvalue(), shown


def cifar_batch(images, labels, key=b"labels"):
    return {
        b"batch_label": b"training batch 1 of 5",
        key: [int(label) for label in labels],
        b"data": images.reshape(len(images), -1),
        b"filenames": [b"leptodactylus_pentadactylus_s_%06d.png" % n for n in range(len(images))],
    }


def cifar10(folder, rng):
    members, train = {"cifar-10-batches-py/batches.meta": b"unused", "cifar-10-batches-py/readme.html": b""}, []
    test = pixels(rng, 3), rng.integers(0, 10, 3)
    members["cifar-10-batches-py/test_batch"] = python2_pickle(cifar_batch(*test))
    batches = {number: (pixels(rng, 2), rng.integers(0, 10, 2)) for number in range(1, 6)}
    for number in (4, 2, 1, 5, 3):
        members[f"cifar-10-batches-py/data_batch_{number}"] = python2_pickle(cifar_batch(*batches[number]))
    train = [np.concatenate(part) for part in zip(*batches.values(), strict=True)]
    write_tar(folder / "cifar-10-python.tar.gz", members)
    return catalogue.CIFAR10.but(train_examples=10, test_examples=3), {"train": train, "test": test}


def cifar100(folder, rng):
    splits = {split: (pixels(rng, count), rng.integers(0, 100, count)) for split, count in (("train", 6), ("test", 3))}
    members = {"cifar-100-python/meta": b"unused"}
    for split, (images, labels) in splits.items():
        batch = cifar_batch(images, labels, b"fine_labels") | {b"coarse_labels": [19] * len(labels)}
        members[f"cifar-100-python/{split}"] = python2_pickle(batch)
    write_tar(folder / "cifar-100-python.tar.gz", members)
    return catalogue.CIFAR100.but(train_examples=6, test_examples=3), splits


def stl10(folder, rng):
    splits = {s: (pixels(rng, n, 96), rng.integers(0, 10, n)) for s, n in (("test", 3), ("train", 4))}
    members = {}
    for split, (images, labels) in splits.items():
        members[f"stl10_binary/{split}_X.bin"] = b"".join(p.T.tobytes() for image in images for p in image)
        members[f"stl10_binary/{split}_y.bin"] = bytes(int(label) + 1 for label in labels)
    members["stl10_binary/unlabeled_X.bin"] = pixels(rng, 2, 96).tobytes()
    members["stl10_binary/class_names.txt"] = b"airplane\n"
    write_tar(folder / "stl10_binary.tar.gz", members)
    return catalogue.STL10.but(train_examples=4, test_examples=3), splits


def tiny_imagenet(folder, rng):
    root, members, train, test, notes = "tiny-imagenet-200", {}, [], [], []
    members[f"{root}/wnids.txt"] = "\n".join(reversed(WNIDS)).encode()
    for label, wnid in reversed(list(enumerate(WNIDS))):
        members[f"{root}/train/{wnid}/{wnid}_boxes.txt"] = b"n_0.JPEG\t0\t10\t63\t58\n"
        for number in range(2):
            name = f"{root}/train/{wnid}/images/{wnid}_{number}.JPEG"
            members[name], shown = jpeg(rng, mode="L" if number else "RGB")
            train.append((label, number, shown))
    for number, label in enumerate((2, 0, 1, 2)):
        members[f"{root}/val/images/val_{number}.JPEG"], shown = jpeg(rng)
        test.append((number, label, shown))
        notes.append(f"val_{number}.JPEG\t{WNIDS[label]}\t0\t32\t44\t62\n")
    members[f"{root}/val/val_annotations.txt"] = "".join(notes).encode()
    members[f"{root}/test/images/test_0.JPEG"] = b"unused"
    write_zip(folder / "tiny-imagenet-200.zip", members)
    train.sort(key=lambda entry: entry[:2])
    splits = {
        "train": (np.stack([shown for *_, shown in train]), np.array([label for label, *_ in train])),
        "test": (np.stack([shown for *_, shown in test]), np.array([label for _, label, _ in test])),
    }
    return catalogue.TINY_IMAGENET.but(num_classes=3, train_examples=6, test_examples=4), splits


def npz(images, labels, **more):
    file = io.BytesIO()
    np.savez(file, data=images.reshape(len(images), -1), labels=labels + 1, **more)
    return file.getvalue()


def imagenet32(folder, rng):
    test = pixels(rng, 3), rng.integers(0, 1000, 3)
    batches = {number: (pixels(rng, 2), rng.integers(0, 1000, 2)) for number in range(1, 11)}
    members = {
        f"train_data_batch_{number}.npz": npz(*batches[number], mean=np.zeros(3072))
        for number in (10, 1, 2, 3, 4, 5, 6, 7, 9, 8)
    }
    write_zip(folder / "Imagenet32_train_npz.zip", members)
    write_zip(folder / "Imagenet32_val_npz.zip", {"Imagenet32_val_npz/val_data.npz": npz(*test)})
    train = [np.concatenate(part) for part in zip(*batches.values(), strict=True)]
    return catalogue.IMAGENET32.but(train_examples=20, test_examples=3), {"train": train, "test": test}


def svhn(folder, rng):
    images, digits = pixels(rng, 12), np.arange(12) % 10
    numbers = np.where(digits == 0, 10, digits).astype(np.uint8)[:, None]
    variables = {"X": images.transpose(2, 3, 1, 0), "y": numbers}
    savemat(folder / "test_32x32.mat", variables, do_compression=True)
    return catalogue.SVHN.but(test_examples=12), {"test": (images, digits)}


def celebahq128(folder, rng):
    shown = []
    for number in range(3):
        content, image = jpeg(rng, (128, 128), kind="PNG" if number == 1 else "JPEG")
        shown.append(image)
        suffix = ".PNG" if number == 1 else ".jpg"
        (folder / f"{number:05d}{suffix}").write_bytes(content)
    (folder / ".DS_Store").write_bytes(b"hidden")
    (folder / "readme.txt").write_text("not a picture")
    split = np.stack(shown), np.zeros(3)
    return catalogue.CELEBAHQ128.but(train_examples=3, test_examples=3), {"train": split, "test": split}


def celeba32(folder, rng):
    members, lines = {}, []
    for number, part in enumerate((0, 1, 2, 2, 0), start=1):
        shade = np.full((218, 178, 3), 40 * number, dtype=np.uint8)
        file = io.BytesIO()
        Image.fromarray(shade).save(file, "JPEG", quality=95)
        members[f"img_align_celeba/{number:06d}.jpg"] = file.getvalue()
        lines.append(f"{number:06d}.jpg {part}\n")
    write_zip(folder / "img_align_celeba.zip", members)
    (folder / "list_eval_partition.txt").write_text("".join(lines))
    images = np.stack([np.full((3, 32, 32), 40 * number, dtype=np.uint8) for number in (3, 4)])
    return catalogue.CELEBA32.but(test_examples=2), {"test": (images, np.zeros(2))}


ORIGINALS = {
    "cifar10": cifar10,
    "cifar100": cifar100,
    "stl10": stl10,
    "tiny_imagenet": tiny_imagenet,
    "imagenet32": imagenet32,
    "celebahq128": celebahq128,
    "svhn": svhn,
    "celeba32": celeba32,
}


def refused(data, folder, root, match):
    """Expect a one-line error after which no prepared data exist."""
    with pytest.raises(DataError, match=match) as caught:
        prepared(data, folder, root)
    assert "\n" not in str(caught.value)
    assert [path.name for path in (root / data.name).iterdir()] == [".lock"]


class Evil:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        import os

        return os.system, (f"touch {self.path}",)
