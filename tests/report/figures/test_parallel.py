"""Figures drawn in parallel: same files and same errors as drawn one after the other."""

import os

import pytest
from reports import fill

from harness.registry.papers import find_exhibits
from harness.report.figures.parallel import ParallelRenderer
from harness.report.figures.render import Pictures, write_figures
from harness.report.results.report import build
from harness.store.files import StoreError
from harness.store.results import Results


class Anew:
    """An empty build cache whose drawings call a function."""

    def __init__(self, draw):
        self.draw = draw

    def found(self, report):
        return None

    def get_ready(self):
        pass


@pytest.fixture
def reports(tmp_path):
    """Return the reports of four tables."""
    found = find_exhibits(["table4", "table6", "table7", "table10"])
    for paper, table in found:
        fill(Results(tmp_path), paper, table, paper.scale("laptop"), value=lambda cell: float(len(cell.row.key)))
    return [build(paper, table, paper.scale("laptop"), Results(tmp_path)) for paper, table in found]


def test_pictures_are_the_same_to_the_byte_side_by_side(tmp_path, reports):
    alone, together = Results(tmp_path / "alone"), Results(tmp_path / "together")
    expected = [[path.name for path in write_figures(report, alone)] for report in reports]
    pictures = ParallelRenderer(Pictures(together))
    for report in reports:
        pictures.add(report)
    assert [[path.name for path in pictures.paths(report)] for report in reports] == expected
    drawn = sorted(path.name for path in (alone.report / "hybvit").iterdir() if path.is_file())
    assert len(drawn) >= 6
    for name in drawn:
        assert (together.report / "hybvit" / name).read_bytes() == (alone.report / "hybvit" / name).read_bytes(), name


def test_what_cannot_be_drawn_is_said_of_its_exhibit_only(reports):
    def draw(report):
        if report.exhibit.number == 6:
            raise StoreError("no space left")
        return []

    pictures = ParallelRenderer(Anew(draw))
    for report in reports:
        pictures.add(report)
    assert pictures.paths(reports[0]) == []
    with pytest.raises(StoreError, match="no space left"):
        pictures.paths(reports[1])
    assert [pictures.paths(report) for report in reports[2:]] == [[], []]


def test_what_a_killed_process_has_not_drawn_is_drawn_here(reports, tmp_path):
    here = os.getpid()

    def draw(report):
        if os.getpid() != here:
            os._exit(9)
        return [tmp_path]

    pictures = ParallelRenderer(Anew(draw))
    for report in reports:
        pictures.add(report)
    assert [pictures.paths(report) for report in reports] == [[tmp_path]] * 4
