"""Rank and world size from the launcher's environment variables."""

import pytest

from harness.errors import HarnessError, SpecError
from harness.launch.rank_env import RankInfo, find_rank, without_rank_variables

TORCHRUN = {
    "RANK": "3",
    "LOCAL_RANK": "1",
    "WORLD_SIZE": "4",
    "MASTER_ADDR": "node1",
    "MASTER_PORT": "29500",
    "GROUP_WORLD_SIZE": "2",
    "TORCHELASTIC_RUN_ID": "x",
}
STEP = {
    "SLURM_JOB_ID": "77",
    "SLURM_STEP_ID": "0",
    "SLURM_STEP_NUM_TASKS": "4",
    "SLURM_STEP_NUM_NODES": "1",
    "SLURM_STEP_NODELIST": "node[1-2]",
    "SLURM_PROCID": "2",
    "SLURM_LOCALID": "0",
}


def test_without_a_launcher_a_process_is_alone():
    assert find_rank({"HOME": "/"}) == RankInfo(0, 0, 1, None)


def test_a_batch_script_and_a_step_of_one_task_are_alone():
    assert find_rank(STEP | {"SLURM_STEP_NUM_TASKS": "1", "SLURM_PROCID": "0"}).world_size == 1
    assert find_rank({"SLURM_JOB_ID": "77", "SLURM_NTASKS": "4", "SLURM_PROCID": "0"}).world_size == 1


def test_torchrun_says_who_meets_where():
    assert find_rank(TORCHRUN) == RankInfo(3, 1, 4, "env://")
    assert find_rank(TORCHRUN | STEP | {"SLURM_STEP_NUM_TASKS": "2"}) == RankInfo(3, 1, 4, "env://")


def test_a_restart_of_a_single_agent_is_another_meeting():
    again = TORCHRUN | {"TORCHELASTIC_RESTART_COUNT": "2"}
    assert find_rank(again | {"GROUP_WORLD_SIZE": "1"}).attempt == 2
    assert find_rank(again).attempt == 0


def test_slurm_says_who_meets_where():
    place = find_rank(STEP)
    assert (place.rank, place.local_rank, place.world_size) == (2, 0, 4)
    assert place.init_method.startswith("tcp://127.0.0.1:")
    assert find_rank(STEP | {"SLURM_RESTART_COUNT": "1"}).init_method != place.init_method
    assert find_rank(STEP | {"MASTER_ADDR": "n1", "MASTER_PORT": "5"}).init_method == "tcp://n1:5"


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"RANK": "1", "WORLD_SIZE": "2"}, "has RANK, WORLD_SIZE but not LOCAL_RANK, MASTER_ADDR, MASTER_PORT"),
        ({"WORLD_SIZE": "4"} | STEP, "has WORLD_SIZE but not RANK, LOCAL_RANK"),
        (TORCHRUN | STEP, "SLURM started 4 tasks and torchrun counts 2 nodes: give torchrun --nnodes 4"),
        (
            {name: value for name, value in TORCHRUN.items() if name != "GROUP_WORLD_SIZE"} | STEP,
            "RANK and WORLD_SIZE say 3 of 4, SLURM says 2 of 4: unset RANK and WORLD_SIZE",
        ),
        ({name: value for name, value in STEP.items() if name != "SLURM_LOCALID"}, "lacks SLURM_LOCALID"),
        (TORCHRUN | {"RANK": "first"}, "RANK is 'first': allowed: integers of 0 or more"),
        (TORCHRUN | {"RANK": "²"}, "RANK is '²': allowed: integers of 0 or more"),
        (TORCHRUN | {"RANK": "9" * 5000}, "allowed: integers of 0 or more"),
        (TORCHRUN | {"RANK": "4"}, "RANK is 4, WORLD_SIZE is 4: ranks are below WORLD_SIZE; unset both"),
        (TORCHRUN | {"WORLD_SIZE": "0"}, "RANK is 3, WORLD_SIZE is 0: ranks"),
        (TORCHRUN | {"MASTER_PORT": "abc"}, "MASTER_PORT is 'abc': allowed: 1 to 65535"),
        (STEP | {"MASTER_ADDR": "n1", "MASTER_PORT": "70000"}, "MASTER_PORT is '70000': allowed: 1 to 65535"),
        (STEP | {"SLURM_STEP_NUM_TASKS": "four"}, "SLURM_STEP_NUM_TASKS is 'four': allowed: integers"),
    ],
)
def test_a_mixed_environment_is_refused(environment, message):
    with pytest.raises(SpecError) as caught:
        find_rank(environment)
    assert message in str(caught.value)


def test_without_scontrol_the_address_has_to_be_given(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(HarnessError, match="set MASTER_ADDR to the first node"):
        find_rank(STEP | {"SLURM_STEP_NUM_NODES": "2"})


def test_children_are_alone_whoever_started_their_parent():
    environment = TORCHRUN | STEP | {"HOME": "/", "SLURM_CONF": "/etc/slurm.conf", "TORCHELASTIC_RESTART_COUNT": "1"}
    environment |= {"PET_NNODES": "7", "PET_NO_PYTHON": "1"}
    kept = without_rank_variables(environment)
    assert find_rank(kept) == RankInfo()
    assert kept["HOME"] == "/"
    assert kept["SLURM_CONF"] == "/etc/slurm.conf"
    assert not {"PET_NNODES", "PET_NO_PYTHON", "RANK", "TORCHELASTIC_RUN_ID", "GROUP_WORLD_SIZE", "SLURM_PROCID"} & set(
        kept
    )
