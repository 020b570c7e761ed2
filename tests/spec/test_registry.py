"""The registry finds packaged papers and those that other distributions offer."""

import subprocess
import sys
import textwrap

import pytest

from harness.spec.errors import SpecError
from harness.spec.registry import find_exhibits, papers


def test_the_first_paper_is_there():
    assert papers()["hybvit"].url.endswith("2208.07791")


@pytest.mark.parametrize("name", ["table6", "hybvit/table6", "hybvit", "all"])
def test_tables_are_found_by_short_and_full_names(name):
    assert ("hybvit", "table6") in [(paper.name, table.name) for paper, table in find_exhibits([name])]


def test_a_table_that_is_named_twice_comes_once():
    assert len(find_exhibits(["table6", "hybvit/table6"])) == 1


@pytest.mark.parametrize("name", ["tabel6", "hybvit/tabel6", ""])
def test_an_unknown_table_is_refused_with_the_allowed_ones(name):
    with pytest.raises(SpecError, match=r"unknown table or figure .*allowed: .*table6"):
        find_exhibits([name])


def test_an_installed_distribution_can_offer_a_paper(toy_environment):
    code = "from harness.spec.registry import papers; print(sorted(papers()))"
    done = subprocess.run([sys.executable, "-c", code], env=toy_environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['hybvit', 'toy']"


def test_two_papers_of_one_name_are_refused(tmp_path, toy_environment):
    info = tmp_path / "double-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: double\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[harness.papers]\ndouble = toy_paper:PAPER\n")
    environment = toy_environment | {"PYTHONPATH": f"{toy_environment['PYTHONPATH']}:{tmp_path}"}
    code = textwrap.dedent("""
        from harness.spec.registry import papers
        try: papers()
        except ValueError as error: print(error)
    """)
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "two papers are called 'toy'"
