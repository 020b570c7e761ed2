"""Compares the results of a disturbed run with those of an undisturbed one."""

from left_overs import left_overs, tracebacks
from snapshots import snapshot


def judge_results(storm, seed, case, last, results, undisturbed):
    """Note the faults of the last command on a results directory, and those of the directory itself."""
    for fault in last.faults:
        storm.fault(seed, case, fault)
    if last.code != 0:
        storm.fault(seed, case, f"the last command ends with {last.code}: {last.said[-300:]}")
        return
    if differing := differences(results, undisturbed):
        storm.fault(seed, case, f"differs: {differing}")
    if left := left_overs(results):
        storm.fault(seed, case, f"leaves {left}")
    for error in tracebacks(results):
        storm.fault(seed, case, f"a traceback in the log: {error[:200]}")


def differences(results, undisturbed):
    """Return the names of files with other contents than those of the undisturbed run."""
    found = snapshot(results)
    return sorted(name for name in found.keys() | undisturbed.keys() if found.get(name) != undisturbed.get(name))
