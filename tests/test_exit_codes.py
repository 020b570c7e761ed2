"""Exit codes stand in one enum; scripts and documents that cannot import it agree with it."""

import re
from pathlib import Path

from harness.errors import HarnessError, SpecError
from harness.exit_codes import ExitCode
from harness.training.distributed import LostRank

ROOT = Path(__file__).parents[1]


def test_the_static_array_script_restarts_what_asks_to_be_restarted():
    text = (ROOT / "slurm" / "array.sbatch").read_text()
    arms = re.findall(r"^  ([\d| ]+)\) (\w+)", text, re.MULTILINE)
    codes = {action: {int(code) for code in arm.split("|")} for arm, action in arms}
    assert codes == {
        "exit": {ExitCode.DONE, ExitCode.FAILED, ExitCode.USAGE},
        "limit": {ExitCode.EVICTED, ExitCode.INTERRUPTED},
    }


def test_the_documents_list_every_code():
    text = (ROOT / "docs" / "results.md").read_text()
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)} == set(ExitCode)


def test_errors_have_their_codes():
    assert (HarnessError.exit_code, SpecError.exit_code, LostRank.exit_code) == (
        ExitCode.FAILED,
        ExitCode.USAGE,
        ExitCode.LOST,
    )
