"""Draws the pictures of many exhibits side by side, each in a process of its own."""

import multiprocessing
import os
import signal
import sys
from collections import deque
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Protocol

from harness.report.results.report import ExhibitReport
from harness.store.files import StoreError


class Renderer(Protocol):
    """Who draws: asked in this process for what is there already, and in others for what has to be drawn."""

    def found(self, report: ExhibitReport) -> list[Path] | None:
        """Return the pictures of an exhibit if they need not be drawn."""
        ...

    def get_ready(self) -> None:
        """Do once, in this process, what all drawing needs."""
        ...

    def draw(self, report: ExhibitReport) -> list[Path]:
        """Draw the pictures of an exhibit and return their paths."""
        ...


@dataclass(frozen=True)
class RenderJob:
    """A process that draws the pictures of an exhibit, and where it says which files they are."""

    process: BaseProcess
    answer: Connection


class ParallelRenderer:
    """The pictures of the exhibits that are handed in: as many are drawn at a time as this process may use cores.

    Those that are there already are not drawn again. A picture depends on its exhibit alone, so it is the same whoever
    draws it. What is not finished when this process ends is given up. Where processes cannot be forked safely, all are
    drawn here, one after the other.
    """

    def __init__(self, drawer: Renderer) -> None:
        self._drawer = drawer
        self._is_ready = False
        self._found: dict[str, list[Path]] = {}
        self._side_by_side = len(os.sched_getaffinity(0)) if sys.platform == "linux" else 0
        self._waiting: deque[ExhibitReport] = deque()
        self._begun: dict[str, RenderJob] = {}

    def add(self, report: ExhibitReport) -> None:
        """Have the pictures of an exhibit drawn, if they are not there."""
        found = self._drawer.found(report)
        if found is not None:
            self._found[report.name] = found
        elif self._side_by_side:
            self._waiting.append(report)
            self._begin()

    def paths(self, report: ExhibitReport) -> list[Path]:
        """Return the pictures of an exhibit, when they are drawn.

        Raises `StoreError` where they cannot be.
        """
        if report.name in self._found:
            return self._found[report.name]
        while any(other.name == report.name for other in self._waiting):
            wait([process.sentinel for process in self._at_work()])
            self._begin()
        if report.name not in self._begun:
            return self._drawer.draw(report)
        draught = self._begun.pop(report.name)
        try:
            found = draught.answer.recv()
        except EOFError:  # it was killed, or has failed in a way that is better seen here
            return self._drawer.draw(report)
        finally:
            draught.process.join()
            self._begin()
        if isinstance(found, str):
            raise StoreError(found)
        return list(found)

    def _begin(self) -> None:
        """Begin what is waiting, as far as there are cores."""
        while self._waiting and len(self._at_work()) < self._side_by_side:
            if not self._is_ready:
                self._drawer.get_ready()
                self._is_ready = True
            report = self._waiting.popleft()
            answer, tell = multiprocessing.Pipe(duplex=False)
            fork = multiprocessing.get_context("fork")
            process = fork.Process(target=_draw, args=(self._drawer, report, tell), daemon=True)
            process.start()
            tell.close()
            self._begun[report.name] = RenderJob(process, answer)

    def _at_work(self) -> list[BaseProcess]:
        return [draught.process for draught in self._begun.values() if draught.process.is_alive()]


def _draw(drawer: Renderer, report: ExhibitReport, tell: Connection) -> None:
    """Draw in a child, and say which files there are, or in words why there are none."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        tell.send(drawer.draw(report))
    except StoreError as error:
        tell.send(str(error))
