"""The live page in this process, one step at a time."""

import json
import threading

from arena import SHOWN
from toy_paper import PAPER
from watched import BYTES, SECONDS, Hung, bounded, limited, where

from harness.live.live_page import LivePage
from harness.report.results.report import build
from harness.store.results import Results


def page_of(root):
    """Return the page of the toy paper's exhibits, without pictures."""
    return LivePage(lambda: reports(root), Results(root), plot=False)


def reports(root):
    exhibits = {exhibit.name: exhibit for exhibit in PAPER.exhibits}
    return [build(PAPER, exhibits[name.split("/")[1]], PAPER.scale("laptop"), Results(root)) for name in SHOWN]


class Once(threading.Event):
    """An event that lets the loop of the page run once."""

    def __init__(self):
        super().__init__()
        self._left = 2

    def wait(self, timeout=None):
        self._left -= 1
        return not self._left


def look(page):
    """Let the page follow once and open every run; yield the faults."""
    try:
        with limited(SECONDS), bounded(BYTES):
            page.follow(Once())
            json.dumps(page.state, allow_nan=False).encode()
            for run in [run["id"] for run in page.state["runs"]]:
                json.dumps(page.run(run), allow_nan=False, ensure_ascii=False).encode()
    except (Exception, Hung) as error:
        yield f"the page raises {where(error)}"
