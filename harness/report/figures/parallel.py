"""Draws the pictures of many exhibits in parallel, each in its own process."""

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
    """Draws exhibits: this process calls `found` and `get_ready`, child processes call `draw`."""

    def found(self, report: ExhibitReport) -> list[Path] | None:
        """Return the pictures of an exhibit if they are up to date."""
        ...

    def get_ready(self) -> None:
        """Prepare drawing, once, before processes are forked."""
        ...

    def draw(self, report: ExhibitReport) -> list[Path]:
        """Draw the pictures of an exhibit and return their paths."""
        ...


@dataclass(frozen=True)
class RenderJob:
    """A process that draws the pictures of an exhibit, and the pipe on which it returns their paths."""

    process: BaseProcess
    receiver: Connection


class ParallelRenderer:
    """Draws the pictures of added exhibits in parallel, one process per usable core.

    Pictures that are up to date are not drawn again. A picture depends on its exhibit alone, so it is the same from any
    process. Unfinished pictures are abandoned when this process ends. Where forking is not safe, all pictures are drawn
    in this process, one after the other.
    """

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
        self._is_ready = False
        self._found: dict[str, list[Path]] = {}
        self._processes = len(os.sched_getaffinity(0)) if sys.platform == "linux" else 0
        self._waiting: deque[ExhibitReport] = deque()
        self._begun: dict[str, RenderJob] = {}

    def add(self, report: ExhibitReport) -> None:
        """Start drawing the pictures of an exhibit, unless they are up to date."""
        found = self._renderer.found(report)
        if found is not None:
            self._found[report.name] = found
        elif self._processes:
            self._waiting.append(report)
            self._begin()

    def paths(self, report: ExhibitReport) -> list[Path]:
        """Wait for the pictures of an exhibit and return their paths.

        Raises `StoreError` if they cannot be drawn.
        """
        if report.name in self._found:
            return self._found[report.name]
        while any(other.name == report.name for other in self._waiting):
            wait([process.sentinel for process in self._at_work()])
            self._begin()
        if report.name not in self._begun:
            return self._renderer.draw(report)
        job = self._begun.pop(report.name)
        try:
            found = job.receiver.recv()
        except EOFError:  # the child died: draw here, so that the error is visible
            return self._renderer.draw(report)
        finally:
            job.process.join()
            self._begin()
        if isinstance(found, str):
            raise StoreError(found)
        return list(found)

    def _begin(self) -> None:
        """Start waiting exhibits while cores are free."""
        while self._waiting and len(self._at_work()) < self._processes:
            if not self._is_ready:
                self._renderer.get_ready()
                self._is_ready = True
            report = self._waiting.popleft()
            receiver, sender = multiprocessing.Pipe(duplex=False)
            fork = multiprocessing.get_context("fork")
            process = fork.Process(target=_draw, args=(self._renderer, report, sender), daemon=True)
            process.start()
            sender.close()
            self._begun[report.name] = RenderJob(process, receiver)

    def _at_work(self) -> list[BaseProcess]:
        return [job.process for job in self._begun.values() if job.process.is_alive()]


def _draw(renderer: Renderer, report: ExhibitReport, sender: Connection) -> None:
    """Draw in a child process, and send the paths or the error message."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        sender.send(renderer.draw(report))
    except StoreError as error:
        sender.send(str(error))
