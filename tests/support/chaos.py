"""Random disturbances of a cluster and its jobs, for soak tests on the lab."""

import random
import time

import psutil

ACTIONS = ("preempt", "requeue", "kill_step", "kill_node", "cut_accounting")


class Chaos:
    """Applies the disturbance used least so far; the lab can continue after each."""

    def __init__(self, cluster, seed):
        self.cluster = cluster
        self.dice = random.Random(seed)
        self.done = dict.fromkeys(ACTIONS, 0)

    def act(self):
        """Disturb a running job or its node; return the name of the disturbance."""
        running = self.cluster.command(
            "squeue", "--noheader", "--array", "--states=R", "--format=%i %A %N"
        ).splitlines()
        if not running:
            return None
        job, raw, node = self.dice.choice(running).split()
        fewest = min(self.done.values())
        action = self.dice.choice([action for action in ACTIONS if self.done[action] == fewest])
        done = getattr(self, f"_{action}")(job, raw, node)
        self.done[action] += bool(done)
        return f"{action} {job} on {node}" if done else None

    def _preempt(self, job, raw, node):
        line = ["--partition=high", f"--nodelist={node}", "--exclusive", "--output=/dev/null", "--time=1"]
        self.cluster.command("sbatch", *line, "--wrap=sleep 1")
        return True

    def _requeue(self, job, raw, node):
        try:
            self.cluster.command("scontrol", "requeue", job)
        except Exception:  # it has ended meanwhile
            return False
        return True

    def _kill_step(self, job, raw, node):
        killed = 0
        for process in psutil.process_iter():
            try:
                if process.environ().get("SLURM_JOB_ID") == raw and "worker" in process.cmdline():
                    process.kill()
                    killed += 1
            except psutil.Error:
                continue
        return killed

    def _kill_node(self, job, raw, node):
        self.cluster.kill_node(node)
        self.cluster.expire_node(node)
        time.sleep(self.dice.uniform(0, 5))
        self.cluster.start_node(node)
        return True

    def _cut_accounting(self, job, raw, node):
        if self.cluster.daemons_alive()["slurmdbd"] is None:
            self.cluster.start_accounting()
        else:
            self.cluster.stop_accounting()
        return True
