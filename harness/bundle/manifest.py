"""The format of a bundle: the manifest with the hashes of its files, and the file names that are allowed."""

import re
from typing import Annotated

from pydantic import Field, NonNegativeInt, StringConstraints, ValidationError

from harness.errors import HarnessError
from harness.store.records import Record

FORMAT = 1
"""Version of the layout, raised when an older reader would misread it (docs/sharing.md)."""
MANIFEST = "manifest.json"
SUFFIX = ".zip"
RUN = r"runs/(?P<run>[0-9a-f]{12})"
EVALUATION = r"(?P<evaluation>[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}-[0-9a-f]{8})"
RECORDS = {
    "config": re.compile(rf"{RUN}/config\.json"),
    "training": re.compile(rf"{RUN}/training\.json"),
    "outcome": re.compile(rf"{RUN}/outcome\.json"),
    "segment": re.compile(rf"{RUN}/segments/[0-9]{{1,9}}\.json"),
    "request": re.compile(rf"{RUN}/requests/{EVALUATION}\.json"),
    "evaluation": re.compile(rf"{RUN}/evaluations/{EVALUATION}\.json"),
    "recheck": re.compile(rf"{RUN}/recheck\.json"),
    "curve": re.compile(rf"{RUN}/metrics\.jsonl"),
    "log": re.compile(rf"{RUN}/log\.txt"),
    "array": re.compile(rf"{RUN}/evaluations/{EVALUATION}/[a-z0-9_]+\.npy"),
    "decision": re.compile(r"decisions/(?P<decision>[0-9a-f]{12})\.json"),
    "report": re.compile(r"report(/[A-Za-z0-9_][A-Za-z0-9._-]{0,99}){2,4}"),
}
"""The allowed file names by kind. None of them points outside the bundle's folder."""

Sha256 = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]
Word = Annotated[str, StringConstraints(pattern=r"^[\w./+ -]{1,200}$")]


class BundleError(HarnessError):
    """A bundle cannot be read or written, or does not match its manifest."""


class File(Record):
    """The size and hash of a file."""

    bytes: NonNegativeInt
    sha256: Sha256


class Excerpt(Record):
    """The first `rows` of an array of `of` rows, and the hash of the whole array from its record."""

    rows: NonNegativeInt
    of: NonNegativeInt
    sha256: Sha256 | None


class BundleManifest(Record):
    """The contents of a bundle.

    `harness` and `semantics` identify the version that wrote it, `commits` the code that computed the runs.
    """

    format: int
    harness: Word
    semantics: int
    scale: Word
    exhibits: tuple[Word, ...]
    commits: tuple[Word, ...]
    runs: NonNegativeInt
    excerpts: dict[str, Excerpt] = Field(default_factory=dict)
    files: dict[str, File]

    @classmethod
    def read(cls, content: bytes, where: str) -> "BundleManifest":
        """Read a manifest.

        Raises `BundleError` if it is invalid or of another format.
        """
        try:
            manifest = cls.model_validate_json(content)
        except ValidationError as error:
            problem = error.errors(include_url=False)[0]
            field = ".".join(str(part) for part in problem["loc"])[:100]
            raise BundleError(f"{where} is not a bundle: its {MANIFEST}: {field!r}: {problem['msg']}"[:300]) from None
        if manifest.format != FORMAT:
            raise BundleError(f"{where} is a bundle of format {manifest.format}: this version reads format {FORMAT}")
        return manifest


def kind_of(name: str) -> str | None:
    """Return the kind of a file by its name in a bundle, None for a name that is not allowed."""
    return next((kind for kind, pattern in RECORDS.items() if pattern.fullmatch(name)), None)
