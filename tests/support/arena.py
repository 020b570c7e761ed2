"""A results directory with a run in every state, for storms that damage its files."""

import json
import os
import shutil
import time

from toy_paper import BROKEN, HYBRID, LONG

from harness.config.evaluations import Accuracy
from harness.store.records import Outcome
from harness.store.results import Results

SHOWN = ("toy/table101", "toy/table102", "toy/table103", "toy/figure1")
ELSEWHERE = {"host": "node77", "pid": 4321, "started": 1.0}


class Arena:
    """Three finished runs, one that failed, one that was cancelled, and one at work on another host."""

    def __init__(self, folder, finished, long_run):
        self.root = folder
        shutil.copytree(finished, folder, dirs_exist_ok=True)
        shutil.copytree(long_run / "runs", folder / "runs", dirs_exist_ok=True)
        shutil.rmtree(folder / "report", ignore_errors=True)
        results = Results(folder)
        self._end(results, BROKEN, "failed")
        self._end(results, HYBRID.but(seed=1), "cancelled")
        self._at_work = self._begin(results, LONG.but(seed=1), results.directory(LONG))
        self.beat()

    @property
    def runs(self):
        """The ids of the runs."""
        return sorted(path.name for path in (self.root / "runs").iterdir())

    def beat(self):
        """Write the heartbeat of the run at work."""
        now = time.time()
        os.utime(self._at_work / "lease.2", (now, now), follow_symlinks=False)  # a storm may have made it a link

    def _end(self, results, run, state):
        directory = results.directory(run)
        directory.request(run, [Accuracy()])
        Outcome.now(state, "it went wrong").save(directory.outcome)

    def _begin(self, results, run, like):
        directory = results.directory(run)
        directory.request(run, [Accuracy()])
        shutil.copytree(like.segments, directory.segments)
        for path in (like.metrics, like.progress, like.log):
            shutil.copy(path, directory.path)
        directory.checkpoints.mkdir()
        (directory.checkpoints / "000000040.json").write_text(json.dumps({"step": 40, "sha256": "0" * 64}))
        (directory.path / "lease.2").write_text(json.dumps(ELSEWHERE))
        return directory.path
