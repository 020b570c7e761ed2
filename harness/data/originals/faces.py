"""Faces without classes: CelebA-HQ, and aligned CelebA at two sizes. Every label is 0."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness.config.dataset import Images
from harness.data.errors import DataError, reading
from harness.data.folders import files_in
from harness.data.originals.pictures import SUFFIXES, Picture, decode, fit, in_parts, squeeze
from harness.data.originals.zips import MEMBER_LIMIT, open_zip
from harness.data.prepared.blocks import Chunk, expect
from harness.regular_files import read_regular

if TYPE_CHECKING:
    from PIL.Image import Image

LIMIT = 2**36
"""Maximum unpacked bytes; 30,000 pictures of 1024 x 1024 pixels have 40 GB uncompressed."""
ALIGNED = "img_align_celeba.zip"
PARTITION = "list_eval_partition.txt"
PARTS = {"train": "0", "test": "2"}
HEADING = ("image_id", "partition")


def read_celebahq128(data: Images, files: Mapping[str, Path]) -> Iterator[Chunk]:
    """Yield the pictures of a folder or zip archive, sorted by name; all splits are the same."""
    (path,) = files.values()
    with ExitStack() as stack:
        if path.is_dir():
            names = [str(file.relative_to(path)) for file in files_in(path)]
            read: Callable[[str], bytes] = _Folder(path).read
        else:
            archive = stack.enter_context(open_zip(path, str(path), LIMIT))
            names, read = archive.names, archive.read
        names = _pictures(names)
        expect(len(names), data.train_examples, f"{path}: pictures ({', '.join(SUFFIXES)})")
        yield from _fitted(data, names, read, path)


def read_celeba128(data: Images, files: Mapping[str, Path]) -> Iterator[Chunk]:
    """Yield the first aligned faces by name, as many as CelebA-HQ has; all splits are the same."""
    path = files[ALIGNED]
    with open_zip(path, str(path), LIMIT) as archive:
        members = list(_aligned(archive.names, path).values())[: data.train_examples]
        expect(len(members), data.train_examples, f"{path}: pictures")
        yield from _fitted(data, members, archive.read, path)


def read_celeba32(data: Images, files: Mapping[str, Path]) -> Iterator[Chunk]:
    """Yield the aligned faces of 178 x 218 pixels, each resized to a square without a crop."""
    path, parts = files[ALIGNED], _partition(files[PARTITION])
    with open_zip(path, str(path), LIMIT) as archive:
        members = _aligned(archive.names, path)
        for split, count in data.splits.items():
            names = [name for name, part in parts.items() if part == PARTS[split]]
            expect(len(names), count, f"{files[PARTITION]}: images of split {split}")
            if absent := next((name for name in names if name not in members), None):
                raise DataError(f"{path} holds no '{absent}', which {files[PARTITION].name} lists")
            squeezed = partial(_face, archive.read, path, lambda picture, _: squeeze(picture, data.image_size))
            yield from in_parts([members[name] for name in names], squeezed, (split,))


class _Folder:
    """A folder of pictures with the read interface of an archive."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self, name: str) -> bytes:
        """Return the content of a file.

        Raises `DataError` if it cannot be read or exceeds `MEMBER_LIMIT`.
        """
        path = self._root / name
        with reading(path):
            return read_regular(path, MEMBER_LIMIT)


def _pictures(names: Iterable[str]) -> list[str]:
    """Return the sorted names of pictures, without the hidden files that some systems add."""
    return sorted(
        name
        for name in names
        if name.lower().endswith(SUFFIXES)
        and not any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(name).parts)
    )


def _aligned(names: Iterable[str], path: Path) -> dict[str, str]:
    """Return the members of an archive by file name, in the order of these names, in whatever folder they are.

    Raises `DataError` if two members have the same file name.
    """
    found: dict[str, str] = {}
    for member in _pictures(names):
        name = PurePosixPath(member).name
        if name in found:
            raise DataError(f"{path} holds '{name}' twice: {found[name]} and {member}")
        found[name] = member
    return dict(sorted(found.items()))


def _fitted(data: Images, names: list[str], read: Callable[[str], bytes], path: Path) -> Iterator[Chunk]:
    fitted = partial(_face, read, path, lambda picture, where: fit(picture, data.image_size, where))
    yield from in_parts(names, fitted, tuple(data.splits))


def _face(
    read: Callable[[str], bytes], path: Path, sized: Callable[["Image", str], NDArray[np.uint8]], name: str
) -> Picture:
    where = f"{path}: {name}"
    return sized(decode(read(name), where), where), 0


def _partition(path: Path) -> dict[str, str]:
    """Return the part of each picture: 0 for training, 1 for validation, 2 for test.

    The repackaged table with commas and a heading has the same columns.
    """
    with reading(path):
        lines = read_regular(path, MEMBER_LIMIT).decode("utf-8-sig").splitlines()
    parts = {}
    for number, line in enumerate(lines, start=1):
        name, _, part = line.replace(",", " ").strip().partition(" ")
        if number == 1 and (name, part) == HEADING:
            continue
        part = part.strip()
        if part not in ("0", "1", "2"):
            raise DataError(f"{path}: line {number} is not a name and a part 0, 1 or 2")
        parts[name] = part
    return parts
