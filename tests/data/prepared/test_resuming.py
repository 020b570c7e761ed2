"""`data prepare`, killed or interrupted, resumes and produces the bytes of an uninterrupted run."""

import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
from originals import files_of, jpeg, write_zip

REPOSITORY = Path(__file__).parents[3]
COUNT, PER_PART = 60, 4
PROGRAM = """
    import sys, time
    from harness.cli.main import main
    from harness.data import catalogue, registry
    from harness.data.prepared import partial
    from harness.data.originals import faces, pictures
    count, per_part, decoded, *arguments = sys.argv[1:]
    faces_of_test = catalogue.CELEBAHQ128.but(train_examples=int(count), test_examples=int(count))
    registry.REGISTERED["celebahq128"] = faces_of_test, registry.source_of(faces_of_test)
    pictures.BLOCK, partial.SECONDS = int(per_part), 0.0
    def decode(content, where):
        time.sleep(0.03)
        with open(decoded, "ab") as log:
            log.write(b".")
        return pictures.decode(content, where)
    faces.decode = decode
    sys.exit(main(arguments))
"""


def faces(path, seed):
    """Write an archive of faces unique to the seed."""
    rng = np.random.default_rng(seed)
    return write_zip(path, {f"{n:05d}.jpg": jpeg(rng, (130, 128))[0] for n in range(COUNT)})


def interruptible():
    """Reset SIGINT, which background processes of a shell ignore."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


class Command:
    """Runs `data prepare` on the faces in subprocesses that count the images they decode."""

    def __init__(self, folder):
        self.data = folder / "data"
        self.decoded = folder / "decoded"
        self.decoded.touch()

    def start(self, archive):
        arguments = ["--data", self.data, "data", "prepare", "celebahq128", "--unverified", "--from", archive]
        command = [sys.executable, "-c", textwrap.dedent(PROGRAM), COUNT, PER_PART, self.decoded, *arguments]
        environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(list(map(str, command)), env=environment, preexec_fn=interruptible, **pipes)

    def count(self):
        return self.decoded.stat().st_size

    def wait_for(self, more, process):
        wanted = self.count() + more
        while self.count() < wanted and process.poll() is None:
            time.sleep(0.002)

    def finish(self, archive):
        process = self.start(archive)
        _, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        return files_of(self.data / "celebahq128")


@pytest.fixture
def command(tmp_path):
    return Command(tmp_path)


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    return faces(tmp_path_factory.mktemp("faces") / "faces.zip", seed=0)


@pytest.fixture(scope="module")
def undisturbed(archive, tmp_path_factory):
    command = Command(tmp_path_factory.mktemp("undisturbed"))
    files = command.finish(archive)
    assert command.count() == COUNT
    assert set(files) == {"manifest.json", *(f"{s}-{k}.npy" for s in ("train", "test") for k in ("images", "labels"))}
    return files


def test_killed_at_any_moment_it_resumes_to_the_same_bytes(command, archive, undisturbed):
    moments, kills = random.Random(0), 0
    for _ in range(5):
        process = command.start(archive)
        command.wait_for(moments.randint(1, 14), process)
        time.sleep(moments.random() * 0.02)
        process.kill()
        kills += process.wait() == -signal.SIGKILL
        process.communicate()
        assert not (command.data / "celebahq128" / "manifest.json").exists()
    assert kills == 5
    before = command.count()
    assert command.finish(archive) == undisturbed
    assert command.count() - before < COUNT, "some parts are reused"
    assert command.count() <= COUNT + kills * (PER_PART + 1), "each kill loses at most the current part"


def test_an_interrupt_says_that_it_goes_on_and_it_does(command, archive, undisturbed):
    process = command.start(archive)
    command.wait_for(22, process)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.strip() == "harness: interrupted; the same command continues from here"
    assert command.finish(archive) == undisturbed
    assert command.count() <= COUNT + PER_PART + 1


def test_another_archive_in_between_restarts(command, archive, undisturbed, tmp_path):
    other = faces(tmp_path / "other.zip", seed=1)
    process = command.start(other)
    command.wait_for(30, process)
    process.kill()
    process.communicate()
    before = command.count()
    assert command.finish(archive) == undisturbed
    assert command.count() - before == COUNT


def test_of_two_at_once_the_second_goes_on_where_the_first_was_killed(command, archive, undisturbed):
    first = command.start(archive)
    command.wait_for(15, first)
    second = command.start(archive)
    time.sleep(0.1)
    first.kill()
    first.communicate()
    _, err = second.communicate(timeout=120)
    assert second.returncode == 0, err
    assert files_of(command.data / "celebahq128") == undisturbed
    assert command.count() <= COUNT + PER_PART + 1
