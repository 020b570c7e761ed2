"""Locates, verifies and prepares the Inception weights of FID and IS.

They are TensorFlow's 2015 Inception v3, converted for PyTorch; torch-fidelity and pytorch-fid read the same file. Its
SHA-256 is verified before it is read. Other weights get their own folder and name.
"""

import hashlib
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

from harness import environment
from harness.config.feature_spaces import INCEPTION_SHA256
from harness.data.errors import DataError, reading
from harness.data.originals.archive import Check, locate
from harness.data.prepared.blocks import Report
from harness.data.prepared.manifest import FILE, DatasetManifest
from harness.data.registry import Archive
from harness.errors import MissingRequirement
from harness.regular_files import read_regular
from harness.store.files import sha256_of, write_atomically

NAME = "inception"
TITLE = "weights of the Inception network, for FID and IS"
WEIGHTS = Archive(
    "weights-inception-2015-12-05-6726825d.pth",
    95_628_359,
    sha256=INCEPTION_SHA256,
    url="https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth",
)
CACHED_NAMES = (WEIGHTS.name, "pt_inception-2015-12-05-6726825d.pth")
"""The file names of torch-fidelity and pytorch-fid in torch's cache."""
LARGEST = 2**30
"""The largest file that is read as weights, ten times the published ones."""
LACKING = "needs Inception weights"
DIGITS = 8
"""The number of SHA-256 digits in the names of other weights."""


def install_weights(path: Path, root: Path, check: Check, report: Report) -> tuple[str, bool]:
    """Copy the weights at `path` under `root`; return their name there, and whether they are new.

    Raises `DataError`, leaving no files, if `check` rejects the file or it holds anything but tensors.
    """
    source = locate((WEIGHTS,), path)[WEIGHTS.name]
    sha256 = check(WEIGHTS, source, report)
    name = NAME if sha256 == WEIGHTS.sha256 else f"{NAME}-{sha256[:DIGITS]}"
    if name != NAME:
        from harness.data.tensors import read_tensors

        with reading(source):
            read_tensors(read_regular(source, LARGEST), source)
    folder = root / name
    if (folder / FILE).exists():
        return name, False
    with reading(source), open(source, "rb") as original:
        write_atomically(folder / WEIGHTS.name, lambda copy: shutil.copyfileobj(original, copy))
    if sha256_of(folder / WEIGHTS.name) != sha256:
        raise DataError(f"{source} changed while it was copied: try again")
    manifest = DatasetManifest(name=name, files={WEIGHTS.name: sha256}, archives={source.name: sha256})
    manifest.save(folder)
    return name, True


def installed_weights(root: Path) -> list[str]:
    """Return the names of all weights under `root`, the published ones first."""
    names = (path.parent.name for path in root.glob(f"{NAME}*/{FILE}"))
    return sorted(name for name in names if is_weights(name))


def is_weights(name: str) -> bool:
    """Return whether a name belongs to Inception weights rather than a dataset."""
    return re.fullmatch(f"{NAME}(-[0-9a-f]{{{DIGITS}}})?", name) is not None


def find_weights(root: Path, other: str | None) -> tuple[Path, bytes, str]:
    """Return the path, content and SHA-256 of the published weights, or of `other` ones.

    `other` is a prefix of their SHA-256. Searches the path in the environment variable `HARNESS_INCEPTION_WEIGHTS`, the
    weights prepared under `root`, and torch's cache. Raises `MissingRequirement` if none of these files matches.
    """
    wanted, complaints = other or WEIGHTS.sha256, []
    for path in _candidates(root, other):
        try:
            content = read_regular(path, LARGEST)
        except OSError as error:
            complaints.append(f"{path}: {error.strerror}")
            continue
        sha256 = hashlib.sha256(content).hexdigest()
        if sha256.startswith(wanted):
            return path, content, sha256
        complaints.append(f"{path} is another file, its SHA-256 begins with {sha256[:DIGITS]}")
    others = [name.removeprefix(f"{NAME}-") for name in installed_weights(root) if name != NAME and not other]
    hints = [f"--also weights={beginning} measures with the other prepared weights" for beginning in others]
    raise MissingRequirement(LACKING, "; ".join([how_to_get(root, other), *complaints, *hints]))


def how_to_get(root: Path, other: str | None) -> str:
    """Return the command that prepares the weights."""
    command = f"python -m harness --data {shlex.quote(str(root))} data prepare {NAME}"
    if other:
        return f"{command} --from FILE --unverified, for the file whose SHA-256 begins with {other}"
    return f"{command} --download (or --from FILE; docs/data.md)"


def _candidates(root: Path, other: str | None) -> Iterator[Path]:
    """Yield the files to try. The one in the environment variable need not exist, so that its error is reported."""
    if given := environment.path(environment.INCEPTION_WEIGHTS):
        yield given
    prepared = root / (f"{NAME}-{other}" if other else NAME) / WEIGHTS.name
    hub = environment.torch_hub()
    cached = [hub / "checkpoints" / name for name in CACHED_NAMES] if hub else []
    for path in (prepared, *cached):
        if path.exists():
            yield path
