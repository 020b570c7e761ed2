"""The page in a real browser, opened from disk: self-contained and accessible."""

import json
import random
import re

import pytest
from browsers import SCHEMES, WIDTHS
from hostile import ATTACKS
from pages import furnished
from printed import PRINTING

from harness.report.html.write import write_pages
from harness.report.results.cells import Measured
from harness.report.results.report import build
from harness.store.results import Results


def test_it_opens_from_a_disk_without_a_complaint_or_a_request(visit, paper_page):
    tab = visit(paper_page)
    assert tab.complaints == []
    assert tab.foreign == []
    words = tab.page.inner_text("main")
    for verdict in ("PASS", "FAIL", "PARTIAL", "MISSING", "NaN", "Kendall's tau-b"):
        assert verdict in words
    assert re.search("XFAIL|XPASS", words)
    plot = tab.page.locator("#figure8 img")
    plot.scroll_into_view_if_needed()
    tab.page.wait_for_function("image => image.complete && image.naturalWidth > 100", arg=plot.element_handle())
    assert tab.complaints == []


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_it_fits_every_window_and_keeps_its_rows_named(visit, paper_page, width, scheme):
    tab = visit(paper_page, width, scheme)
    assert tab.overflow() == 0
    box = tab.page.locator("#table12 .scroll").first
    assert box.evaluate("box => box.scrollWidth > box.clientWidth"), "the wide table scrolls in its own box"
    box.evaluate("box => { box.scrollLeft = 300; }")
    label, frame = box.locator("tbody th").first.bounding_box(), box.bounding_box()
    assert abs(label["x"] - frame["x"]) < 2, "row labels are sticky"
    tab.open_cell("table6", 0, "fid")
    assert tab.overflow() == 0
    assert tab.page.evaluate("(d => d.scrollWidth - d.clientWidth)(document.querySelector('dialog'))") == 0
    colour = tab.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (colour == "rgb(255, 255, 255)") is (scheme == "light")


@pytest.mark.parametrize(("scheme", "rules"), [("light", ()), ("dark", ("color-contrast",))])
def test_an_accessibility_checker_finds_nothing(visit, paper_page, scheme, rules):
    tab = visit(paper_page, 1440, scheme)
    assert tab.violations(*rules) == []
    tab.open_cell("table6", 0, "fid").locator("h3", has_text="Run ").wait_for()
    assert tab.violations(*rules) == []


def test_ten_random_cells_lead_to_their_records(visit, paper_page, paper_reports, paper_results):
    tab, chosen = visit(paper_page), []
    for report in paper_reports[:-1]:  # the values of a figure are collapsed
        chosen += [
            (report, index, row, cell)
            for index, row in enumerate(report.rows)
            for cell in row.cells
            if isinstance(cell.measured, Measured)
        ]
    for report, index, row, cell in random.Random(0).sample(chosen, 10):
        dialog = tab.open_cell(report.exhibit.name, index, cell.metric.key)
        assert dialog.locator("h2").inner_text().startswith(row.row.key)
        lines = dialog.locator(".seeds").first.locator("tbody tr").all_inner_texts()
        assert len(lines) == cell.measured.seeds
        for line, expected in zip(lines, cell.measured.values, strict=True):
            _, shown, run, path = line.split("\t")
            shown, _, ranks = shown.partition(" (")
            assert ranks.strip() in ("", "1 and 4 ranks)")
            record = json.loads((paper_results.root / path.strip()).read_text())
            value = record["quantities"][cell.metric.quantity]["value"]
            assert str(shown).strip() == str(value) or float(shown) == float(value) == expected
            assert run.strip() in path
        tab.page.keyboard.press("Escape")


@pytest.mark.parametrize("width", WIDTHS)
def test_printed_values_fit_and_are_explained_behind_the_cell(visit, tmp_path, width):
    results, scale = Results(tmp_path), PRINTING.scale("paper")
    furnished(results, PRINTING, PRINTING.tables, scale, seeds=2)
    reports = [build(PRINTING, table, scale, results) for table in PRINTING.tables]
    tab = visit(write_pages(reports, results, [])[0].as_uri(), width)
    assert (tab.overflow(), tab.violations(), tab.complaints) == (0, [], [])
    facts = " ".join(tab.open_cell("table201", 1, "fid").locator("dl").first.inner_text().split())
    assert facts.startswith("Paper 40.0 ± 2.0 Paper's seeds 3 Source uncertain Measured")
    tab.page.keyboard.press("Escape")
    facts = tab.open_cell("table202", 0, "accuracy").locator("dl").first.inner_text()
    assert " ".join(facts.split()).startswith(
        "Paper 94.1 ± 0.2 % Paper's seeds 5 Measured 10.5 ± 0.7 % 95 % prediction 8.9 to 12.1 Difference"
    )


def test_a_cell_opens_by_keyboard_and_gives_the_focus_back(visit, paper_page):
    tab = visit(paper_page)
    name = '[data-cell="table6/1/fid"]'
    tab.page.focus(name)
    tab.page.keyboard.press("Enter")
    dialog = tab.page.locator("dialog[open]")
    dialog.locator("h3", has_text="Run ").wait_for()
    words = dialog.inner_text()
    for part in ("Seed", "Interval", "Student", "Curves", "cross_entropy", "Samples", "Provenance", "NVIDIA H100"):
        assert part in words
    assert "epoch 11: fine" in words
    assert '"alpha": 1,' in words
    assert dialog.locator("svg path").count() >= 2
    assert dialog.locator("img.samples").evaluate("image => image.naturalWidth") == 71
    tab.page.keyboard.press("Escape")
    assert tab.page.evaluate(f"document.activeElement === document.querySelector('{name}')")
    second = tab.open_cell("table6", 1, "fid").locator("button.run").nth(1)
    run = second.inner_text()
    second.click()
    dialog.locator("h3", has_text=f"Run {run}, seed 1").wait_for()
    dialog.locator("button", has_text="Close").click()
    assert tab.page.locator("dialog[open]").count() == 0


def test_columns_sort_by_value_and_back(visit, paper_page):
    tab = visit(paper_page)
    heading = tab.page.locator("#table6-0 th[data-sort]", has_text="paper").nth(2)

    def labels():
        return tab.page.locator("#table6-0 tbody.row th").all_inner_texts()

    printed = labels()
    heading.locator("button").click()
    assert heading.get_attribute("aria-sort") == "ascending"
    assert labels()[0] == "GenViT(dim=768)"
    heading.locator("button").press("Enter")
    assert heading.get_attribute("aria-sort") == "descending"
    assert labels()[0] == "HybViT(α=1)"
    heading.locator("button").click()
    assert heading.get_attribute("aria-sort") is None
    assert labels() == printed


def test_rows_are_filtered_by_verdict_and_by_text_and_claims_by_status(visit, paper_page):
    tab = visit(paper_page)
    tab.page.select_option("[data-filter-verdict]", "MISSING")
    assert tab.page.locator("#table6 tbody.row:visible th:first-child").all_inner_texts() == ["HybViT(head=16)"]
    tab.page.select_option("[data-filter-verdict]", "")
    tab.page.fill("[data-filter-text]", "DEPTH=6")
    assert tab.page.locator("tbody.row:visible").count() == 1
    assert tab.page.locator("[data-filter-count]").inner_text().startswith("1 of ")
    assert tab.page.locator(".exhibit:visible").count() == 1
    tab.page.fill("[data-filter-text]", "")
    assert tab.page.locator(".exhibit:visible").count() == 4
    tab.page.click("button[data-status=undecided]")
    statuses = tab.page.locator(".claims > li:visible .badge").all_inner_texts()
    assert set(statuses) == {"undecided"}


def test_the_theme_is_the_readers_choice(visit, paper_page):
    tab = visit(paper_page, scheme="light")
    tab.page.click("[data-theme-switch]")
    assert tab.page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
    tab.page.reload()
    assert tab.page.locator("[data-theme-switch]").inner_text() == "Theme: dark"


def test_it_prints_unfolded_and_without_controls(visit, paper_page, tmp_path):
    tab = visit(paper_page)
    tab.page.emulate_media(media="print")
    assert tab.page.locator(".filters:visible, .toc:visible, [data-theme-switch]:visible").count() == 0
    folded = tab.page.locator("#figure8 table.values").first
    assert folded.is_visible()
    tab.page.emulate_media(media="screen")
    assert not folded.is_visible()
    tab.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert folded.is_visible(), "for browsers that cannot expand details by CSS"
    tab.page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert not folded.is_visible()
    path = tmp_path / "page.pdf"
    tab.page.pdf(path=path, prefer_css_page_size=True)
    assert path.read_bytes().startswith(b"%PDF")


def test_it_can_be_read_without_scripts(visit, paper_page):
    tab = visit(paper_page, java_script_enabled=False)
    assert tab.page.locator("tbody.row").count() > 40
    assert tab.page.locator("#table6 tbody.row").first.is_visible()
    assert tab.page.locator(".claims > li").first.is_visible()
    assert tab.page.locator("button:visible, select:visible, input:visible").count() == 0
    assert tab.complaints == []


def test_attacks_are_shown_as_text(visit, hostile_page):
    tab = visit(hostile_page)
    tab.open_cell("table101", 0, "fid").locator("h3", has_text="Run ").wait_for()
    words = tab.page.locator("dialog").inner_text() + tab.page.inner_text("main") + tab.page.inner_text("header.top")
    for attack in ATTACKS[:3]:
        assert attack in words
    assert tab.page.title().startswith("A paper </script>")
    assert tab.page.locator("main img, dialog img:not(.samples), script:not([type]):nth-of-type(2)").count() == 0
    assert tab.complaints == []
    assert tab.foreign == []
    assert tab.overflow() == 0
