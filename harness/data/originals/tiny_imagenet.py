"""Tiny-ImageNet: a zip archive of 64x64 JPEG pictures, some grey. The validation images are the test split."""

import re
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from harness.config.dataset import Images
from harness.data.errors import DataError
from harness.data.originals.pictures import Picture, decode, exact, in_parts
from harness.data.originals.zips import Zip, open_zip
from harness.data.prepared.blocks import Chunk, expect

LIMIT = 2**30
"""Maximum unpacked bytes; the original unpacks to 0.3 GB."""
ROOT = "tiny-imagenet-200"
TRAIN = re.compile(rf"{ROOT}/train/(n\d+)/images/[^/]+\.JPEG")
VALIDATION = f"{ROOT}/val/val_annotations.txt"


def read_tiny_imagenet(data: Images, files: Mapping[str, Path]) -> Iterator[Chunk]:
    """Yield the images of tiny-imagenet-200.zip; classes are numbered by sorted WordNet id."""
    path = files["tiny-imagenet-200.zip"]
    with open_zip(path, str(path), LIMIT) as archive:
        training = {name: match[1] for name in sorted(archive.names) if (match := TRAIN.fullmatch(name))}
        ids = sorted(set(training.values()))
        expect(len(ids), data.num_classes, f"{path}: classes in {ROOT}/train")
        numbers = {wordnet_id: number for number, wordnet_id in enumerate(ids)}
        splits = {"train": training, "test": _validation(archive, ids, str(path))}
        for split, count in data.splits.items():
            expect(len(splits[split]), count, f"{path}: images of split {split}")
            numbered = [(name, numbers[wordnet_id]) for name, wordnet_id in splits[split].items()]
            yield from in_parts(numbered, partial(_picture, archive, data.image_size), (split,))


def _picture(archive: Zip, size: int, member: tuple[str, int]) -> Picture:
    name, label = member
    where = archive.where(name)
    return exact(decode(archive.read(name), where), size, where), label


def _validation(archive: Zip, ids: list[str], where: str) -> dict[str, str]:
    """Return the WordNet id of each validation member, in the order of the annotations."""
    found = {}
    for line in archive.read(VALIDATION).decode(errors="replace").splitlines():
        name, _, rest = line.partition("\t")
        wordnet_id = rest.partition("\t")[0]
        if wordnet_id not in ids:
            raise DataError(f"{where}: {VALIDATION} gives {name!r} the class {wordnet_id!r}, which has no images")
        found[f"{ROOT}/val/images/{name}"] = wordnet_id
    return found
