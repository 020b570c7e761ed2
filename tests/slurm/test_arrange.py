"""From runs to job arrays: groups, chunks, packing, queue limits, and features before their users."""

import pytest
from toy_paper import DENOISING, GENERATION, HYBRID

from harness.config.evaluations import Accuracy
from harness.launch.slurm.arrange import Wanted, arrange, largest_array, shapes
from harness.launch.slurm.profile import Profile

ACCURACY = (Accuracy(),)


def wanted(profile, runs, missing=ACCURACY):
    return [Wanted(run, profile.resources_for(run), missing) for run in runs]


def seeds(run, count):
    return [run.but(seed=seed) for seed in range(count)]


def test_runs_with_equal_resources_share_arrays_in_chunks_of_the_largest(tmp_path):
    profile = Profile(override=[{"runs": "denoising*", "gpus_per_node": 2}])
    runs = [*seeds(HYBRID, 7), *seeds(DENOISING, 2)]
    arrays = arrange(wanted(profile, runs), profile, tmp_path, "x", 3, None).arrays
    assert [(len(array.tasks), array.resources.gpus) for array in arrays] == [(3, 0), (3, 0), (1, 0), (2, 2)]
    assert [run for array in arrays for task in array.tasks for run in task.runs] == [run.id for run in runs]
    assert [array.name for array in arrays] == ["x-0", "x-1", "x-2", "x-3"]


def test_packed_runs_share_a_task(tmp_path):
    profile = Profile(gpus_per_node=2, runs_per_gpu=2)
    (array,) = arrange(wanted(profile, seeds(HYBRID, 7)), profile, tmp_path, "x", 100, None).arrays
    assert [len(task.runs) for task in array.tasks] == [4, 3]


def test_what_the_queue_has_no_room_for_waits(tmp_path):
    profile = Profile(override=[{"runs": "denoising*", "gpus_per_node": 2}])
    runs = [*seeds(HYBRID, 3), *seeds(DENOISING, 4)]
    found = arrange(wanted(profile, runs), profile, tmp_path, "x", 100, 5)
    assert [len(array.tasks) for array in found.arrays] == [3, 2]
    assert found.waiting == tuple(run.id for run in runs[5:])
    assert arrange(wanted(profile, runs), profile, tmp_path, "x", 100, 0).arrays == ()


def test_features_that_several_runs_share_are_made_before_them_and_once(tmp_path):
    profile = Profile(nodes=2, tasks_per_node=2)
    runs = wanted(profile, [HYBRID, DENOISING], (GENERATION,))
    features, rest = arrange(runs, profile, tmp_path, "x", 100, None).arrays
    assert [task.kind for task in features.tasks] == ["features"]
    assert (features.stage, rest.stage) == (0, 1)
    assert features.resources.ranks == 1 and rest.resources.ranks == 4
    assert "after the features" in shapes([rest], None)[0]


@pytest.mark.parametrize("why", ["one run needs them", "they are at hand"])
def test_no_features_are_made_where_nothing_is_gained(why, tmp_path):
    profile = Profile()
    runs = [HYBRID] if why == "one run needs them" else [HYBRID, DENOISING]
    if why == "they are at hand":
        folder = tmp_path / "features" / "digits-0123456789ab-r1"
        folder.mkdir(parents=True)
        (folder / f"{GENERATION.reference}-features.npy").touch()
    (array,) = arrange(wanted(profile, runs, (GENERATION,)), profile, tmp_path, "x", 100, None).arrays
    assert {task.kind for task in array.tasks} == {"runs"} and array.stage == 0


def test_the_largest_array_is_the_profiles_else_the_clusters():
    assert largest_array(Profile(max_array_size=7), {"MaxArraySize": "1001"}) == 7
    assert largest_array(Profile(), {"MaxArraySize": "4001"}) == 4001
    assert largest_array(Profile(), {}) == 1001
