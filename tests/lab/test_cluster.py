"""Jobs in the lab: nodes, accounting, preemption, node failures."""

import time


def wait_for(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"timed out after {seconds} s"
        time.sleep(0.1)
    return value


def submit(cluster, tmp_path, script, *options):
    """Submit a batch script whose output goes to the test's folder; return the job id."""
    command = ("sbatch", "--parsable", f"--output={tmp_path}/%j.out", "--open-mode=append", *options, "--wrap", script)
    return cluster.command(*command).strip()


def state(cluster, job):
    return cluster.command("squeue", "--noheader", "--states=all", "--format=%T", "--jobs", job).strip()


def restarts(cluster, job):
    lines = dict(word.split("=", 1) for word in cluster.command("scontrol", "show", "job", job).split() if "=" in word)
    return int(lines["Restarts"]), lines["NodeList"]


def test_every_node_runs_its_share_and_accounting_sees_it(cluster):
    names = cluster.command("srun", "--nodes=4", "sh", "-c", "hostname >&2; echo $SLURMD_NODENAME $SLURM_JOB_ID")
    nodes, jobs = zip(*(line.split() for line in names.splitlines()))
    assert sorted(nodes) == ["node1", "node2", "node3", "node4"]
    (job,) = set(jobs)
    sacct = ("sacct", "--noheader", "--parsable2", "--allocations", "--format=State,NNodes", "--jobs", job)
    wait_for(lambda: cluster.command(*sacct).strip() == "COMPLETED|4")


def test_pretended_gpus_are_handed_out_one_by_one(cluster, tmp_path):
    jobs = [submit(cluster, tmp_path, "echo $CUDA_VISIBLE_DEVICES; sleep 3", "--gpus=1", "-w", "node1") for _ in "ab"]
    wait_for(lambda: all(state(cluster, job) == "COMPLETED" for job in jobs))
    assert {(tmp_path / f"{job}.out").read_text() for job in jobs} == {"0\n", "1\n"}


def test_a_job_of_the_high_partition_takes_the_place_of_one_of_main(cluster, tmp_path):
    script = "trap 'echo asked to leave' USR2; echo start $SLURM_RESTART_COUNT; for i in $(seq 600); do sleep 0.1; done"
    low = submit(cluster, tmp_path, script, "--nodes=4", "--exclusive", "--requeue", "--signal=B:USR2@30")
    said = tmp_path / f"{low}.out"
    wait_for(lambda: said.exists() and said.read_text() == "start\n")
    cluster.command("srun", "--partition=high", "--nodes=4", "--exclusive", "true")
    lines = wait_for(lambda: "start 1" in (lines := said.read_text().splitlines()) and lines)
    assert lines[:2] == ["start", "asked to leave"]
    assert restarts(cluster, low)[0] == 1


def test_jobs_of_a_dead_node_are_requeued_and_the_node_comes_back(cluster, tmp_path):
    job = submit(cluster, tmp_path, "echo $SLURMD_NODENAME; sleep 60", "--requeue")
    said = tmp_path / f"{job}.out"
    wait_for(lambda: said.exists() and said.read_text())
    first = restarts(cluster, job)[1]
    cluster.kill_node(first)
    assert cluster.daemons_alive()[first] is None
    cluster.expire_node(first)
    second = wait_for(lambda: said.read_text().split()[1:])[0]
    assert second != first
    assert restarts(cluster, job) == (1, second)
    assert cluster.node_states()[first] == "down"
    cluster.start_node(first)
    assert cluster.node_states()[first] == "idle"


def test_jobs_that_end_without_accounting_are_recorded_later(cluster, tmp_path):
    cluster.stop_accounting()
    job = submit(cluster, tmp_path, "true")
    wait_for(lambda: state(cluster, job) == "COMPLETED")
    cluster.start_accounting()
    sacct = ("sacct", "--noheader", "--parsable2", "--allocations", "--format=State", "--jobs", job)
    wait_for(lambda: cluster.command(*sacct).strip() == "COMPLETED")


def test_the_controller_may_be_killed_while_jobs_run(cluster, tmp_path):
    job = submit(cluster, tmp_path, "sleep 8; echo done")
    submitted = time.time()
    saved = cluster.folder.state / "job_state"  # written every few seconds; a killed controller loses the rest
    wait_for(lambda: state(cluster, job) == "RUNNING" and saved.exists() and saved.stat().st_mtime > submitted)
    cluster.kill("slurmctld")
    cluster.restart("slurmctld")
    wait_for(lambda: state(cluster, job) == "COMPLETED")
    assert (tmp_path / f"{job}.out").read_text() == "done\n"
