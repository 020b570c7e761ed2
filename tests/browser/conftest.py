"""Pages of synthetic results in Debian's Chromium: paper scale with every verdict, and a paper full of attacks."""

import math

import pytest
from browsers import Visit, chromium
from hostile import HOSTILE
from pages import furnished

from harness.registry.papers import find_exhibits
from harness.report.figures.render import write_figures
from harness.report.html.write import write_pages
from harness.report.results.report import build
from harness.store.results import Results

EXHIBITS = ("table6", "table9", "table12", "figure8")


@pytest.fixture(scope="session")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture
def visit(browser):
    """Open pages in tabs; close the tabs at the end."""
    tabs = []

    def open_page(url, *arguments, **options):
        tabs.append(Visit(browser, url, *arguments, **options))
        return tabs[-1]

    yield open_page
    for tab in tabs:
        tab.close()


def value(cell):
    """Return a value near the paper's: one row is far off, and one is NaN."""
    if cell.row.label == "HybViT(head=8)":
        return math.nan
    reported = next(r for r in (*cell.row.reported, 1.0) if isinstance(r, float | int))
    index = {"accuracy": 0, "inception_score": 1, "fid": 2}.get(cell.metric.key)
    if index is not None and index < len(cell.row.reported) and isinstance(cell.row.reported[index], float | int):
        reported = cell.row.reported[index]
    return reported * (1.5 if cell.row.label == "HybViT(head=6)" else 1 + 0.001 * cell.seed)


def keep(cell):
    """Drop one row completely, and the last seed of another."""
    return cell.row.label != "HybViT(head=16)" and not (cell.row.label == "HybViT(dim=768)" and cell.seed == 2)


@pytest.fixture(scope="session")
def paper_results(tmp_path_factory):
    """Results of HybViT at paper scale with three seeds: PASS, FAIL, XFAIL or XPASS, PARTIAL, MISSING and NaN."""
    results = Results(tmp_path_factory.mktemp("paper"))
    for paper, exhibit in reversed(find_exhibits([f"hybvit/{name}" for name in EXHIBITS])):  # tables have all metrics
        furnished(results, paper, [exhibit], paper.scale("paper"), seeds=3, value=value, keep=keep)
    return results


@pytest.fixture(scope="session")
def paper_reports(paper_results):
    selection = find_exhibits([f"hybvit/{name}" for name in EXHIBITS])
    return [build(paper, exhibit, paper.scale("paper"), paper_results) for paper, exhibit in selection]


@pytest.fixture(scope="session")
def paper_page(paper_results, paper_reports):
    """URL of the page at paper scale, with one drawing."""
    drawn = write_figures(paper_reports[-1], paper_results)
    return write_pages(paper_reports, paper_results, drawn)[0].as_uri()


@pytest.fixture(scope="session")
def hostile_page(tmp_path_factory):
    """URL of the page of a paper and run directories in which every text is an attack."""
    results, scale = Results(tmp_path_factory.mktemp("hostile")), HOSTILE.scale("paper")
    furnished(results, HOSTILE, HOSTILE.tables, scale, seeds=2)
    from hostile import poison

    for directory in results.all():
        poison(directory)
    reports = [build(HOSTILE, table, scale, results) for table in HOSTILE.tables]
    return write_pages(reports, results, [])[0].as_uri()
