"""Storms: many cases drawn from seeds, the faults found in them, and how to run one case again."""

import random
from collections import Counter

SHOWN = 30


class Storm:
    """The cases of one storm. Case `seed + n` is drawn from this number alone, so that it can be run again alone."""

    def __init__(self, name, seed, factor):
        self._name, self._seed, self._factor = name, seed, factor
        self.faults = []
        self.counts = Counter()

    def cases(self, usual):
        """Yield the seed and the dice of each case: `usual` cases, times the factor of the session, at least one."""
        for seed in range(self._seed, self._seed + max(1, round(usual * self._factor))):
            yield seed, random.Random(seed)

    def fault(self, seed, case, what):
        """Note a fault; equal ones are counted, and the first is shown."""
        self.counts[what] += 1
        if self.counts[what] == 1:
            self.faults.append((seed, case, what))
            print(f"seed {seed}: {what}\n    {case}", flush=True)  # seen at once with `pytest -s`

    def report(self):
        """Return the faults for people, "" if there are none."""
        if not self.faults:
            return ""
        lines = [f"{self.counts[what]}x {what}\n    seed {seed}: {case}" for seed, case, what in self.faults[:SHOWN]]
        again = f"pytest -m soak {self._name} --storm 0 --storm-seed {self.faults[0][0]}"
        more = [f"and {len(self.faults) - SHOWN} more"] if len(self.faults) > SHOWN else []
        return "\n".join([f"{len(self.faults)} faults; the first again: {again}", *lines, *more])
