"""`report --serve` in a separate process: live updates keep the scroll position, and other host names get no access."""

import http.client
import signal
import time
import urllib.request

import pytest
from pages import furnish, furnished
from processes import start
from toy_paper import PAPER, TABLES

from harness.registry.cells import cells
from harness.store.lease import Lease
from harness.store.records import EvaluationRecord, Measurement, Progress
from harness.store.results import Results

SCALE = PAPER.scale("laptop")


@pytest.fixture
def served(tmp_path, toy_environment):
    """Results with one row measured and one running, and the URL that serves them."""
    results = Results(tmp_path / "results")
    furnished(results, PAPER, TABLES[:1], SCALE, keep=lambda cell: cell.row.label != "Denoising")
    shown = ("toy/table101", "toy/figure1", "--serve", "--port", "0")
    process = start(toy_environment, results.root, *shown, command="report")
    line = process.stdout.readline()
    assert line.startswith("http://127.0.0.1:"), line + process.stdout.read()
    yield results, line.split()[0], process
    if process.poll() is None:
        process.kill()
    process.communicate()


def finish(results):
    """Write the missing record as a worker would."""
    cell = next(c for c in cells(PAPER, TABLES[0], TABLES[0].rows[1:], SCALE, [0]) if c.metric.key == "fid")
    directory = results.directory(cell.run)
    record = EvaluationRecord(
        evaluation=cell.evaluation.model_dump(mode="json"),
        quantities={"frechet_distance": Measurement(value=321.5, n=150), "class_score": Measurement(value=2.5, n=150)},
        weights_sha256="0" * 64,
        seconds=1.0,
    )
    record.save(directory.record_path(cell.evaluation))
    furnish(directory)


def test_values_appear_while_the_reader_keeps_the_place(visit, served):
    results, url, _ = served
    tab = visit(url)
    cell = tab.page.locator('[data-cell="table101/1/fid"]')
    assert cell.inner_text().startswith("...")
    tab.page.locator("[data-live]", has_text="live, as of").wait_for()
    tab.page.locator("#table101 th[data-sort] button").first.click()
    tab.page.fill("[data-filter-text]", "oi")
    tab.page.evaluate("window.untouched = true")
    cell.focus()
    before = tab.page.evaluate("document.querySelector('#table101').getBoundingClientRect().top")
    finish(results)
    tab.page.locator('[data-cell="table101/1/fid"]', has_text="321.5").wait_for()
    assert tab.page.evaluate("window.untouched"), "the page was not reloaded"
    assert tab.page.evaluate("document.activeElement.dataset.cell") == "table101/1/fid"
    assert tab.page.locator("#table101 th[data-sort]").first.get_attribute("aria-sort") == "ascending"
    assert tab.page.locator("tbody.row:visible").count() == 1
    after = tab.page.evaluate("document.querySelector('#table101').getBoundingClientRect().top")
    assert abs(after - before) < 40
    dialog = tab.open_cell("table101", 1, "fid")
    dialog.locator("h3", has_text="Run ").wait_for()
    assert "321.5" in dialog.inner_text()
    assert tab.violations() == []
    assert tab.complaints == []
    assert tab.foreign == []


def test_runs_at_work_are_shown_as_they_go(visit, served):
    results, url, _ = served
    run = TABLES[0].rows[1].run
    directory = results.directory(SCALE.shrink(run))
    tab = visit(url)
    line = tab.page.locator("[data-at-work] tr", has_text=directory.id)
    line.wait_for()
    with Lease.acquire(directory.path):
        Progress(phase="training", step=30, total=120, epochs=2, rate=2.0).save(directory.progress)
        line.get_by_text("training 30/120").wait_for()
        assert line.locator("progress").evaluate("bar => bar.value / bar.max") == 0.25
        assert "0:00:45" in line.inner_text()
    line.get_by_text("interrupted").wait_for()
    assert tab.overflow() == 0
    assert tab.complaints == []


def test_a_drawing_follows_when_it_is_made(visit, served):
    _, url, _ = served
    tab = visit(url)
    tab.page.locator("#figure1 figure img").wait_for()


def answer(url, path="/", method="GET", host=None):
    connection = http.client.HTTPConnection(url.removeprefix("http://").strip("/"), timeout=30)
    connection.request(method, path, headers={"Host": host} if host else {})
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, body


def test_nobody_else_is_let_in_and_nothing_but_the_page_is_given(served):
    results, url, _ = served
    port = url.rsplit(":", 1)[1].strip("/")
    assert answer(url)[0] == 200
    assert answer(url, host=f"localhost:{port}")[0] == 200
    for name in ("evil.example", f"evil.example:{port}", "127.0.0.1", f"127.0.0.1:{port}.evil.example"):
        status, body = answer(url, host=name)
        assert status == 421
        assert b"A toy" not in body
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH"):
        assert answer(url, method=method)[0] == 405
    run = next(results.runs.iterdir()).name
    assert answer(url, f"/runs/{run}.json")[0] == 200
    secrets = ("/runs/..%2f..%2fetc%2fpasswd", "/runs/../report", "/../etc/passwd", f"/runs/{run}/log.txt", "/parts/x")
    for path in secrets:
        assert answer(url, path)[0] == 404
    with urllib.request.urlopen(url, timeout=30) as response:
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Cache-Control"] == "no-store"


def test_it_listens_on_this_machine_only_and_ends_with_130(served):
    psutil = pytest.importorskip("psutil")
    _, _, process = served
    listening = [c.laddr.ip for c in psutil.Process(process.pid).net_connections() if c.status == "LISTEN"]
    assert listening == ["127.0.0.1"]
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    assert "Traceback" not in process.stdout.read()


def test_a_port_that_is_taken_is_one_line(served, harness):
    results, url, _ = served
    port = url.rsplit(":", 1)[1].strip("/")
    done = harness("report", "toy/table101", "--serve", "--port", port, results=results.root)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"port {port} is in use: give another with --port" in done.stderr


def test_a_page_is_of_one_paper(harness):
    done = harness("report", "toy/table101", "hybvit/table6", "--serve")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "give one of hybvit, toy" in done.stderr


def test_a_damaged_record_is_said_and_leaves_the_page(visit, served):
    results, url, _ = served
    tab = visit(url)
    tab.page.locator("[data-live]", has_text="live, as of").wait_for()
    record = next(results.runs.glob("*/evaluations/*.json"))
    whole = record.read_bytes()
    record.unlink()
    record.write_bytes(b"{")
    tab.page.get_by_text("damaged").or_(tab.page.get_by_text("corrupted")).first.wait_for()
    record.unlink()
    time.sleep(0.05)
    record.write_bytes(whole)
    tab.page.locator("[data-live]", has_text="live, as of").wait_for()
    assert tab.page.locator("#table101 tbody.row").count() == 3
