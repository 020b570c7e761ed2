"""Errors of the file system at any place end in one line, and the next command ends with the same bits."""

import errno
import shutil

import pytest
from forks import Command, finish
from injected import OPERATIONS, arm, injectable
from judging import judge_results
from values import REPORT

ERRORS = 24
TABLE = "toy/table102"
NUMBERS = (errno.ENOSPC, errno.EIO, errno.EACCES, errno.EPERM, errno.EDQUOT, errno.EROFS, errno.ESTALE)
MANY = {"open": 300, "write": 300, "read": 300, "rename": 60, "fsync": 60, "unlink": 60}
READERS = (["status"], REPORT, ["plan", TABLE], ["list"], ["cancel", "--all"], ["verify"])


@pytest.mark.soak
@pytest.mark.timeout(14400)
@pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")
def test_errors_of_the_file_system_lose_nothing(storm, toy_environment, fresh_results, undisturbed, tmp_path):
    with injectable(tmp_path):
        for seed, dice in storm.cases(ERRORS):
            results = fresh_results(f"{seed}")
            operation = dice.choice(list(OPERATIONS))
            number, lasting = dice.choice(NUMBERS), dice.random() < 0.3
            nth = int(MANY.get(operation, 6) ** dice.random()) - 1
            case = f"{errno.errorcode[number]} {'from' if lasting else 'at'} {operation} {nth}"
            fault = (results.name, operation, nth, number, lasting)
            line = ("--results", results, "run", TABLE)
            if dice.random() < 0.3:  # a reader on finished results
                finish(toy_environment, *line)
                line = (*line[:2], *dice.choice(READERS))
            seen = Command(toy_environment, *line, prepare=arm, arguments=fault).end()
            for what in seen.faults:
                storm.fault(seed, case, what)
            if not seen.faults and seen.code == 0 and "run" not in line and seen.err.count("\n") > 3:
                storm.fault(seed, case, f"{line[2]} says too much: {seen.err[:300]}")
            judge_results(
                storm, seed, case, finish(toy_environment, "--results", results, "run", TABLE), results, undisturbed
            )
            shutil.rmtree(results)


@pytest.mark.soak
def test_an_armed_command_fails_and_one_without_does_not(toy_environment, fresh_results, tmp_path):
    results = fresh_results()
    with injectable(tmp_path):
        fault = (results.name, "mkdir", 0, errno.ENOSPC, True)
        line = ("--results", results, "run", TABLE)
        failed = Command(toy_environment, *line, prepare=arm, arguments=fault).end()
        assert failed.code == 1 and "No space left on device" in failed.err, failed
        assert finish(toy_environment, "--results", results, "status").code == 0
