"""The build cache keeps outputs whose inputs are unchanged, and rebuilds all others."""

import os

import numpy as np
import pytest
from reports import fill, needs_latex
from vouching import keep_hashes

from harness.registry.papers import find_exhibits
from harness.report import write as writing
from harness.report.figures import fingerprint
from harness.report.figures.build_cache import FOLDER
from harness.report.figures.render import Pictures
from harness.report.results.report import build
from harness.report.write import write, write_document, write_pdf
from harness.store.arrays import save_array
from harness.store.results import Results

PAPER, TABLE = find_exhibits(["hybvit/table6"])[0]


def by_length(cell):
    return float(len(cell.row.label))


class Table6:
    """Results of Table 6, and its figures."""

    def __init__(self, root):
        self.root = root
        self.measure()

    def measure(self, value=by_length):
        fill(Results(self.root), PAPER, TABLE, PAPER.scale("laptop"), value=value)

    def report(self):
        return build(PAPER, TABLE, PAPER.scale("laptop"), Results(self.root))

    def found(self):
        return Pictures(Results(self.root), ("svg",)).found(self.report())

    def draw(self):
        return Pictures(Results(self.root), ("svg",)).draw(self.report())


@pytest.fixture
def table6(tmp_path):
    return Table6(tmp_path)


def test_pictures_of_the_same_are_left(table6):
    assert table6.found() is None
    drawn = table6.draw()
    assert [path.name for path in drawn] == ["table6-agreement.svg"]
    assert table6.found() == drawn
    assert Pictures(Results(table6.root), ("png",)).found(table6.report()) is None


def one_value_differs(table6, picture, monkeypatch):
    table6.measure(lambda cell: by_length(cell) + (cell.row.label == "HybViT(α=1)"))


def samples_appear(table6, picture, monkeypatch):
    run = table6.report().scale.shrink(TABLE.rows[0].run)
    directory = Results(table6.root).directory(run)
    (record,) = directory.evaluations.glob("generation-*.json")
    save_array(record.with_suffix("") / "samples.npy", np.zeros((4, 1, 8, 8), dtype=np.uint8))
    keep_hashes(record)


def the_code_differs(table6, picture, monkeypatch):
    monkeypatch.setattr(fingerprint, "code", lambda: b"another version")


def a_picture_is_gone(table6, picture, monkeypatch):
    picture.unlink()


def a_picture_is_damaged(table6, picture, monkeypatch):
    os.truncate(picture, 100)


def the_memory_is_torn(table6, picture, monkeypatch):
    (memory,) = (picture.parent / FOLDER).iterdir()
    os.truncate(memory, 20)


@pytest.mark.parametrize(
    "change",
    [
        one_value_differs,
        samples_appear,
        the_code_differs,
        a_picture_is_gone,
        a_picture_is_damaged,
        the_memory_is_torn,
    ],
)
def test_everything_else_is_redrawn(table6, monkeypatch, change):
    (picture,) = table6.draw()
    change(table6, picture, monkeypatch)
    assert table6.found() is None
    again = table6.draw()
    assert again[0] == picture
    assert table6.found() == again


def test_a_changed_array_is_redrawn(table6):
    samples_appear(table6, None, None)
    table6.draw()
    (array,) = table6.root.rglob("samples.npy")
    array.write_bytes(array.read_bytes())
    assert table6.found() is None


def test_an_exhibit_without_pictures_is_remembered_too(tmp_path):
    pictures = Pictures(Results(tmp_path))
    empty = build(PAPER, TABLE, PAPER.scale("laptop"), Results(tmp_path))
    assert (pictures.found(empty), pictures.draw(empty), pictures.found(empty)) == (None, [], [])


def test_a_pdf_of_the_same_files_is_left(table6, monkeypatch):
    needs_latex()
    results, passes, typeset = Results(table6.root), [], writing.typeset
    monkeypatch.setattr(writing, "typeset", lambda *given: passes.append(given) or typeset(*given))

    def pdf():
        report = table6.report()
        write(report, ["latex"], results)
        return write_pdf(write_document(PAPER, [report], results), [report]).pdf

    first = pdf().read_bytes()
    assert (pdf().read_bytes(), len(passes)) == (first, 1)
    table6.measure(lambda cell: by_length(cell) + 1)
    assert (pdf().read_bytes() != first, len(passes)) == (True, 2)
    pdf().unlink()
    assert (pdf().exists(), len(passes)) == (True, 3)
