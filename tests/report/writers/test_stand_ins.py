"""Stand-ins in every title: tables and figures on the terminal, in Markdown, LaTeX, JSON and on the page."""

import json

import pytest
from reports import fill

from harness.registry.figures import Agreement
from harness.registry.papers import find_exhibits
from harness.report.figures.agreement import draw
from harness.report.html.page import contents
from harness.report.latex.document import document
from harness.report.latex.figure import figure
from harness.report.latex.table import table
from harness.report.results.report import build
from harness.report.writers import claims_list
from harness.report.writers.csv_json import json_text
from harness.report.writers.text_markdown import markdown, terminal
from harness.report.writers.wording import subject
from harness.store.results import Results

NAMED = {
    "table6": ["cifar10 → digits"],
    "table3": ["cifar10 → digits", "svhn → temple", "cifar100 → overlays", "celeba32 → flower"],
    "figure4": ["cifar10 → digits", "celebahq128 → photos16"],
    "figure15": ["cifar10 → digits", "class 0 for Plane"],
    "table9": [],
}


@pytest.fixture
def report(tmp_path):
    def of(name, scale="laptop", measured=True):
        ((paper, exhibit),) = find_exhibits([name])
        results = Results(tmp_path / name)
        if measured:
            fill(results, paper, exhibit, paper.scale(scale))
        return build(paper, exhibit, paper.scale(scale), results)

    return of


@pytest.mark.parametrize("name", NAMED)
def test_a_title_names_the_data_in_use(report, name):
    found = report(name)
    brackets = f" [{', '.join(NAMED[name])}]" if NAMED[name] else ""
    assert subject(found) == found.exhibit.title + brackets
    assert f"{found.exhibit.title}{brackets} (hybvit, scale laptop)" in terminal(found)
    assert all(name in markdown(found).partition("\n")[0] for name in NAMED[name])
    assert [f"{data['paper']} → {data['used']}" for data in json.loads(json_text(found))["stand_ins"]] == [
        each for each in NAMED[name] if "→" in each
    ]


@pytest.mark.parametrize("name", NAMED)
def test_nothing_changes_at_the_papers_scale(report, name):
    found = report(name, "paper", measured=False)
    assert subject(found) == found.exhibit.title
    assert "→" not in terminal(found)
    assert json.loads(json_text(found))["stand_ins"] == []


def test_latex_has_them_in_captions_and_in_the_overview(report):
    made = report("table6")
    arrow = "cifar10 \\ensuremath{\\rightarrow} digits"
    assert arrow in table(made).partition("\\label")[0]
    assert f"\\caption[{{GenViT Generated samples of CIFAR10 and CelebA 128 [{arrow}" in figure(
        report("figure4"), "x.pdf"
    )
    assert arrow in document(made.paper, [made], {})


def test_the_page_has_them_in_headings_and_in_the_overview(report, tmp_path):
    made = report("figure15")
    content = contents([made], Results(tmp_path / "figure15"), {})
    for part in ("summary", "figure15"):
        assert "[cifar10 → digits, class 0 for Plane]" in content.parts[part]
    assert content.entries[0][2].endswith("[cifar10 → digits, class 0 for Plane]")
    assert "<td>cifar10 → digits</td>" in content.parts["runs"]


@pytest.mark.parametrize(
    ("name", "labels"),
    [("table3", ["SVHN → temple", "Interp", "CIFAR100 → overlays", "CelebA → flower"]), ("table6", ["Acc"])],
)
def test_columns_of_outliers_name_them(report, tmp_path, name, labels):
    made = report(name)
    content = contents([made], Results(tmp_path / name), {})
    assert all(f'class="group">{label}' in content.parts[name] for label in labels)


def test_panels_of_outliers_name_them(report, tmp_path):
    made = report("table3")
    places = {row.row.key: place for place, row in enumerate(made.rows)}
    fill(Results(tmp_path), made.paper, made.exhibit, made.scale, value=lambda cell: float(places[cell.row.key]))
    varied = build(made.paper, made.exhibit, made.scale, Results(tmp_path))
    titles = [
        axes.get_title(loc="right").partition(":")[0] for axes in draw(Agreement(), varied, Results(tmp_path)).axes
    ]
    assert titles == ["SVHN → temple", "Interp", "CIFAR100 → overlays", "CelebA → flower"]


def test_rows_on_several_datasets_name_theirs(report):
    text = terminal(report("figure5"))
    assert "\nCIFAR10 → digits " in text and "\nSTL10 → scenes " in text


def test_the_list_of_claims_tells_the_scale(report):
    made = report("table6")
    assert made.scale.note in claims_list.terminal([made]) and made.scale.note in claims_list.markdown([made])
