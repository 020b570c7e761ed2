"""Submissions whose process was killed before it wrote the manifest."""

from harness.launch.slurm.manifest import folder_of, manifest_path, new_id
from harness.launch.slurm.submit import locked
from harness.store.results import Results


def test_code_without_a_manifest_is_removed_under_the_lock(tmp_path):
    results = Results(tmp_path)
    killed, early, submitted, strange = (folder_of(results, new_id()) for _ in range(4))
    own = tmp_path / "submissions" / "notes"
    for folder in (killed, early, submitted, strange, own):
        folder.mkdir(parents=True)
    (killed / ".code.zip.tmp-0-0-1-1-01234567").touch()
    (early / "code.zip").touch()
    (submitted / "code.zip").touch()
    manifest_path(results, submitted.name).touch()
    (strange / "slurm.log").touch()
    with locked(results):
        left = {path for path in (tmp_path / "submissions").iterdir() if path.is_dir()}
    assert left == {submitted, strange, own}
