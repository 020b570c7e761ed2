"""Workers forked from a server, with lines of Python in place of runs."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest
from distributions import on_path

from harness.launch.children import AdoptedChild, wait_for_an_end
from harness.launch.forks import client
from harness.launch.forks.client import ForkServer

pytestmark = [pytest.mark.timeout(60), pytest.mark.skipif(sys.platform != "linux", reason="needs a subreaper")]

SERVER = """
import os, signal, socket, sys, threading, time
begun = time.time_ns()
from harness.launch.forks.imported_code import ImportedCode
from harness.launch.forks.server import serve
{first}
def call(arguments):
    exec(arguments[0])
    return 0
with socket.socket(fileno=int(sys.argv[1])) as channel:
    serve(channel, call, ImportedCode(begun), {spare})
"""
WAITS = "import time; print('waits', flush=True)\nwhile not os.path.exists({!r}): time.sleep(0.01)\nsys.exit(5)"


class Servers:
    """A `ForkServer` whose processes import what the test says, and the log of its workers."""

    def __init__(self, folder):
        self.log = folder / "log.txt"
        self.environment = dict(os.environ)
        self.first, self.spare = "", []
        self.started = []
        self.server = ForkServer()

    def spawn(self, channel, environment):
        number = channel.fileno()
        command = [sys.executable, "-c", SERVER.format(first=self.first, spare=self.spare), str(number)]
        self.started.append(subprocess.Popen(command, env=environment, pass_fds=[number], stdin=subprocess.DEVNULL))
        return self.started[-1]

    def fork(self, line):
        with self.log.open("ab") as log:
            return self.server.fork([line], log.fileno(), self.environment)

    def run(self, line):
        """Return the exit code and the output of a worker."""
        self.log.unlink(missing_ok=True)
        return self.fork(line).wait(30), self.log.read_text()


@pytest.fixture
def servers(tmp_path, monkeypatch):
    made = Servers(tmp_path)
    monkeypatch.setattr(client, "spawn", made.spawn)
    yield made
    made.server.close()


def wait_for(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("pass", 0),
        ("sys.exit(7)", 7),
        ("sys.exit('seven')", 1),
        ("os._exit(9)", 9),
        ("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
        ("os.kill(os.getpid(), signal.SIGTERM)", -signal.SIGTERM),
        ("os.abort()", -signal.SIGABRT),
    ],
)
def test_a_worker_ends_with_the_exit_code_of_a_process(servers, line, code):
    assert servers.run(line)[0] == code


def test_an_error_ends_a_worker_with_its_traceback_in_the_log(servers):
    code, log = servers.run("1 / 0")
    assert code == 1
    assert log.endswith("ZeroDivisionError: division by zero\n")


def test_output_is_appended_to_the_log_and_there_is_no_input(servers):
    servers.log.write_text("before\n")
    servers.fork("print(sys.stdin.read(), 'out'); sys.stdout.flush(); os.system('echo child')").wait(30)
    servers.fork("sys.stderr.write('err')").wait(30)
    assert servers.log.read_text() == "before\n out\nchild\nerr"


def test_workers_of_one_server_start_in_its_place(servers, tmp_path):
    line = "print(os.getcwd(), os.environ['PLACE'], os.getpgid(0), os.getsid(0))"
    servers.environment["PLACE"] = "here"
    printed = {servers.run(line)[1] for _ in range(3)}
    assert printed == {f"{os.getcwd()} here {os.getpgid(0)} {os.getsid(0)}\n"}
    assert len(servers.started) == 1


def test_another_environment_gets_another_server(servers):
    found = []
    for place in ("here", "there"):
        servers.environment["PLACE"] = place
        found.append(servers.run("print(os.environ['PLACE'])")[1])
    assert found == ["here\n", "there\n"]
    assert len(servers.started) == 2


def test_a_worker_has_the_command_line_of_a_process(servers, tmp_path):
    worker = servers.fork(WAITS.format(str(tmp_path / "go")))
    wait_for(lambda: "waits" in servers.log.read_text())
    line = psutil.Process(worker.pid).cmdline()
    (tmp_path / "go").touch()
    assert " ".join(line).split()[:4] == [sys.executable, "-m", "harness", "import"]
    worker.wait(30)


def test_workers_draw_different_random_numbers(servers):
    servers.first = "import random, numpy.random"
    line = "import random, numpy.random; print(random.random(), numpy.random.random())"
    first, second = (servers.run(line)[1].split() for _ in range(2))
    assert first[0] != second[0]
    assert first[1] != second[1]


def test_a_worker_survives_its_server_and_is_still_followed(servers, tmp_path):
    worker = servers.fork(WAITS.format(str(tmp_path / "go")))
    wait_for(lambda: "waits" in servers.log.read_text())
    servers.started[0].kill()
    servers.started[0].wait()
    assert servers.fork("pass").wait(30) == 0, "another server forks the next worker"
    assert worker.poll() is None
    (tmp_path / "go").touch()
    assert worker.wait(30) == 5
    assert len(servers.started) == 2


def test_a_worker_runs_the_code_that_is_on_disk(servers, tmp_path):
    module = tmp_path / "changing.py"
    module.write_text("VALUE = 1\n")
    servers.first = f"sys.path.insert(0, {str(tmp_path)!r}); sys.dont_write_bytecode = True; import changing"
    line = "import changing; print(changing.VALUE)"
    before = [servers.run(line)[1] for _ in range(2)]
    module.write_text("VALUE = 2 \n")
    assert [*before, servers.run(line)[1]] == ["1\n", "1\n", "2\n"]
    assert len(servers.started) == 2


def test_code_that_changes_during_the_imports_is_not_forked(servers, tmp_path):
    module = tmp_path / "changing.py"
    module.write_text("VALUE = 1\n")
    servers.first = f"sys.path.insert(0, {str(tmp_path)!r}); import changing; open(changing.__file__, 'a').close()"
    assert servers.run("pass")[0] == 0, "opening is no change"
    servers.server.close()
    servers.first += "; time.sleep(0.02); os.utime(changing.__file__)"
    assert servers.fork("pass") is None
    assert servers.fork("pass") is None
    assert len(servers.started) == 3, "a second one is tried once"


@pytest.mark.parametrize(
    "first",
    ["sys.exit(1)", "raise ImportError", "threading.Thread(target=threading.Event().wait, daemon=True).start()"],
    ids=["leaves", "fails", "has two threads"],
)
def test_a_server_that_cannot_fork_is_tried_once(servers, first):
    servers.first = first
    assert servers.fork("pass") is None
    assert servers.fork("pass") is None
    assert len(servers.started) == 1


def test_interrupts_reach_workers_and_not_their_server(servers, tmp_path):
    worker = servers.fork(WAITS.format(str(tmp_path / "go")))
    wait_for(lambda: "waits" in servers.log.read_text())
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR2):
        servers.started[0].send_signal(number)
    worker.terminate()
    assert worker.wait(30) == -signal.SIGTERM
    assert servers.run("pass")[0] == 0
    assert len(servers.started) == 1


def test_a_server_leaves_with_the_process_that_started_it(servers, tmp_path):
    """The worker of a command that was killed goes on, as a process would."""
    script = tmp_path / "command.py"
    script.write_text(
        "import os, sys, time\nfrom test_forks import Servers, client\nfrom pathlib import Path\n"
        f"servers = Servers(Path({str(tmp_path)!r})); client.spawn = servers.spawn\n"
        f"worker = servers.fork({WAITS.format(str(tmp_path / 'go'))!r})\n"
        "print(servers.started[0].pid, worker.pid, flush=True); time.sleep(60)\n"
    )
    path = os.pathsep.join([os.path.dirname(__file__), *sys.path])
    command = subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": path}
    )
    with command:
        server, worker = map(psutil.Process, map(int, command.stdout.readline().split()))
        command.kill()
    server.wait(20)
    assert worker.is_running()
    (tmp_path / "go").touch()
    worker.wait(20)


def test_waiting_ends_after_its_time(servers, tmp_path):
    worker = servers.fork(WAITS.format(str(tmp_path / "go")))
    with pytest.raises(subprocess.TimeoutExpired):
        worker.wait(0.05)
    worker.terminate()
    assert worker.wait() == -signal.SIGTERM


def test_the_end_of_one_child_ends_the_wait(servers, tmp_path):
    lasting, short = servers.fork(WAITS.format(str(tmp_path / "go"))), servers.fork("pass")
    begun = time.monotonic()
    wait_for_an_end([lasting, short], 30)
    assert time.monotonic() - begun < 20
    assert (lasting.poll(), short.poll()) == (None, 0)
    lasting.terminate()
    lasting.wait()


def test_a_child_that_somebody_else_has_waited_for_has_ended():
    pid = os.posix_spawn("/bin/true", ["true"], {})
    os.waitpid(pid, 0)
    assert AdoptedChild(pid).wait(1) == 0


def test_spare_modules_are_imported_between_requests(servers, tmp_path):
    (tmp_path / "spare.py").write_text("import os; open(os.environ['SEEN'], 'a').write(f'{os.getpid()} ')\n")
    servers.environment = on_path(servers.environment, tmp_path) | {"SEEN": str(tmp_path / "seen")}
    servers.spare = ["spare", "not.there"]
    assert servers.run("pass")[0] == 0
    wait_for((tmp_path / "seen").exists)
    assert servers.run("import spare")[0] == 0
    assert (tmp_path / "seen").read_text() == f"{servers.started[0].pid} "
