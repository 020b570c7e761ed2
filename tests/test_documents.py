"""The documents: complete, and within the width that CONTRIBUTING.md sets."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = (
    *sorted((ROOT / "docs").glob("*.md")),
    *(ROOT / f"{name}.md" for name in ("README", "REPRODUCE", "CONTRIBUTING")),
)
CODE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_no_placeholder_is_left(path):
    assert not re.findall(r"@[A-Z]+@", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_lines_of_text_have_at_most_120_characters(path):
    text = CODE.sub("", path.read_text(encoding="utf-8"))
    assert not [line for line in text.splitlines() if len(line) > 120 and not line.startswith("|")]
