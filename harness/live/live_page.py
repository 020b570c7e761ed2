"""The live page: rebuilt part by part when records appear, pictures last."""

import hashlib
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.errors import HarnessError
from harness.live.watch import Watch
from harness.printable import one_line
from harness.report.figures.fingerprint import fingerprint
from harness.report.figures.render import vectors
from harness.report.html.details import DetailLimits, details
from harness.report.html.page import Contents, Picture, contents, live_policy, page
from harness.report.html.write import picture
from harness.report.results.report import ExhibitReport
from harness.store.results import Results
from harness.store.run_directory import RunDirectory

PAUSE_SECONDS = 2.0
MAX_TIME_SHARE = 1 / 3
"""At most this share of the time is spent on rebuilding the page: the runs need the CPU more."""
OPENED_RUN = DetailLimits(samples=1_000_000, segments=50, log=20_000)
"""The limits of a run that a reader opens, which is sent alone."""


@dataclass(frozen=True)
class PageSnapshot:
    """The page as served: the whole page, its parts and its data as bytes, with the digests of parts and data."""

    page: bytes
    parts: Mapping[str, bytes]
    values: bytes
    digests: Mapping[str, str]


class LivePage:
    """Keeps the page of one paper's exhibits up to date. `build` returns their reports; `plot` turns pictures on.

    Any thread may read `shown` and `state`; one thread calls `follow`.
    """

    def __init__(self, build: Callable[[], Sequence[ExhibitReport]], results: Results, plot: bool) -> None:
        self._build = build
        self._results = results
        self._drawing = plot
        self._watch = Watch(results)
        self._pictures: dict[str, tuple[str, Sequence[Picture]]] = {}
        self._undrawn: list[ExhibitReport] = []
        self._reports: Sequence[ExhibitReport] = ()
        self._problem: str | None = None
        self.shown: PageSnapshot
        self._watch.poll()
        self._make()

    @property
    def state(self) -> dict[str, Any]:
        """The status that an open page polls."""
        return {**self._watch.to_json(), "digests": dict(self.shown.digests), "problem": self._problem}

    def run(self, id: str) -> dict[str, Any] | None:
        """Return the details of a run, None if there is no such run."""
        state = self._watch.state(id)
        found = details(RunDirectory(self._results.runs / id), OPENED_RUN) if state else None
        return {**found, "state": state} if found else None

    def follow(self, stop: threading.Event) -> None:
        """Keep the page up to date until `stop` is set."""
        pause = 0.0 if self._undrawn else PAUSE_SECONDS
        while not stop.wait(pause):
            began = time.monotonic()
            self._refresh()
            elapsed = time.monotonic() - began
            least = 0.0 if self._undrawn else PAUSE_SECONDS
            pause = max(least, elapsed * (1 / MAX_TIME_SHARE - 1))

    def _refresh(self) -> None:
        """Rebuild what changed; on any error keep the last page, show the error on it, and try again."""
        try:
            if self._watch.poll() or self._problem:
                self._make()
            elif self._undrawn:
                self._draw(self._undrawn.pop(0))
            self._problem = None
        except HarnessError as error:
            self._problem = one_line(str(error))
        except Exception as error:  # this thread must outlive whatever others write
            self._problem = one_line(f"{type(error).__name__}: {error}")

    def _make(self) -> None:
        self._reports = self._build()
        self._show()
        if self._drawing:
            self._undrawn = [report for report in self._reports if not self._is_drawn(report)]

    def _is_drawn(self, report: ExhibitReport) -> bool:
        made_from, _ = self._pictures.get(report.exhibit.name, ("", ()))
        return made_from == fingerprint(report, self._results)

    def _draw(self, report: ExhibitReport) -> None:
        made_from = fingerprint(report, self._results)
        drawn = [picture(report, svg) for svg in vectors(report, self._results)]
        self._pictures[report.exhibit.name] = (made_from, drawn)
        self._show()

    def _show(self) -> None:
        drawn = {name: pictures for name, (_, pictures) in self._pictures.items()}
        self.shown = _snapshot(contents(self._reports, self._results, drawn))


def _snapshot(content: Contents) -> PageSnapshot:
    parts = {name: html.encode() for name, html in content.parts.items()}
    values = json.dumps(content.values, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
    digests = {name: _digest(part) for name, part in parts.items()}
    whole = page(content, None).encode()
    return PageSnapshot(
        whole, parts, values, {**digests, "values": _digest(values), "code": _digest(live_policy().encode())}
    )


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
