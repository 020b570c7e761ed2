"""Loading files of a checkout: the forms of the authors' code, and scripts whose main part must not run."""

import logging
import sys

import numpy as np
import PIL
import pytest
from PIL import ImageEnhance, ImageOps

from tools.parity.__main__ import main
from tools.parity.official import Checkout, OfficialError

LOGGING = """
import logging
import tensorboardX_that_is_not_there as tbX
logging.basicConfig(level=logging.INFO, format="%(message)s")
logger = logging.getLogger()
logger.setLevel(logging.DEBUG)
wlog = logger.info
BINS: int = 15
shape = [3, 32, 32]
first = second = wlog
"""
TRANSFORMS = """
import random
from PIL import Image, ImageEnhance, ImageOps, a_name_of_newer_versions
from PIL.ImageEnhance import Color as Colour
from pillow_pipeline import OPERATIONS
SIGNED = frozenset(OPERATIONS)
class Operation:
    def __init__(self, name, signed):
        self.name, self.signed = name, signed
    def __call__(self, picture, magnitude):
        sign = random.choice([-1, 1]) if self.signed else 1
        if self.name == "colour":
            return ImageEnhance.Color(picture).enhance(1 + sign * magnitude)
        if self.name == "equalize":
            return ImageOps.equalize(picture)
        return OPERATIONS[self.name](picture, sign * magnitude)
"""
POLICIES = """
import numpy as np
from harness.data.augment.policies import MAGNITUDES, POLICIES, SIGNED
from .transforms import *
class SubPolicy:
    def __init__(self, steps):
        for number, step in enumerate(steps, 1):
            magnitudes = list(MAGNITUDES[step.operation])
            if step.operation == "posterize":
                magnitudes = np.round(np.linspace(8, 4, 10), 0).astype(np.int)
            setattr(self, f"p{number}", step.probability)
            setattr(self, f"operation{number}", Operation(step.operation, step.operation in SIGNED))
            setattr(self, f"magnitude{number}", magnitudes[step.grade])
class Policy:
    name = "cifar10"
    def __init__(self):
        self.policies = [SubPolicy(steps) for steps in POLICIES[self.name]]
class CIFAR10Policy(Policy): pass
class ImageNetPolicy(Policy): name = "imagenet"
class SVHNPolicy(Policy): name = "svhn"
"""


@pytest.fixture
def write(tmp_path):
    def written(files):
        for name, text in {"gevit_main": "", **files}.items():
            path = tmp_path / f"{name}.py"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        return Checkout(tmp_path)

    return written


def test_a_logger_bound_at_top_level_is_there(write):
    checkout = write({"ExpUtils": LOGGING, "train": "from ExpUtils import *\ndef train(): return wlog\n"})
    module = checkout.module("ExpUtils.py")
    assert module.logger is logging.getLogger()
    assert module.first == module.second == module.wlog == logging.getLogger().info
    assert (module.BINS, module.shape) == (15, [3, 32, 32])
    assert checkout.module("train.py").train() == logging.getLogger().info
    assert logging.getLogger().level != logging.DEBUG, "only definitions and assignments are executed"


@pytest.mark.parametrize(
    "line",
    [
        "ran = run('x')", "ran = [run()]", "ran = run() + 1", "ran = (lambda: run())()", "ran = run().ran",
        "ran[run()] = 1", "ran.now = run()", "ran, other = run()", "ran = run() if True else 0", "run()",
        "if True:\n    run()", "ran = sys.argv", "ran = sys.argv[1]", "ran = sys.argv.copy()", "ran = input()",
        "ran = sys.exit()", "ran = missing", "ran = logging.missing()", "ran += 1", "with run(): pass", "assert run()",
    ],
)  # fmt: skip
def test_nothing_else_is_executed(write, monkeypatch, line):
    seen = []
    monkeypatch.setattr(sys, "recorded", seen, raising=False)
    text = f"import sys, logging\ndef run(*given):\n    sys.recorded.append(given)\n{line}\ndef after(): return 7\n"
    module = write({"script": text}).module("script.py")
    assert not seen
    assert module.after() == 7
    assert not hasattr(module, "ran")


def test_policies_are_compared_with_pillow_and_an_old_numpy(write, monkeypatch, capsys):
    """`from PIL import ImageEnhance` imports a submodule that is no attribute; `np.int` left NumPy in version 1.24."""
    for module in (ImageEnhance, ImageOps):
        monkeypatch.delattr(PIL, module.__name__.split(".")[1])
    root = write({"utils/transforms": TRANSFORMS, "utils/autoaug": POLICIES}).root
    assert main(["--official", str(root), "--only", "policies"]) == 0
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("AutoAugment")]
    assert len(rows) == 6
    assert all(row.endswith("equal") for row in rows)
    assert not hasattr(np, "int")


def test_a_package_of_the_checkout_is_found_as_a_file_an_attribute_and_a_module(write):
    checkout = write(
        {
            "models/norms": "LEAK = 0.2\nfrom models import wide\n",
            "models/wide": "from . import norms\nfrom .norms import LEAK\n",
            "models/__init__": "from .wide import *\n",
            "script": "import models, models.norms as n, numpy.random as r\nfrom models import wide, LEAK\n",
        }
    )
    module = checkout.module("script.py")
    assert module.wide is checkout.module("models/wide.py")
    assert module.wide.norms is module.n
    assert module.models.LEAK == module.LEAK == module.n.LEAK == 0.2
    assert module.r is np.random
    assert not checkout.absent


def test_a_broken_helper_is_named_and_costs_only_what_needs_it(write):
    checkout = write(
        {"helper": "def (", "good": "from helper import aid\nfrom os import sep, lost\ndef fine(): return sep\n"}
    )
    assert checkout.module("good.py").fine()
    assert "cannot be read as Python" in checkout.skipped()
    assert "lost" in checkout.skipped()


@pytest.mark.parametrize("body", ["raise SystemExit(0)", "1 / 0", "x = y"])
def test_a_definition_that_fails_takes_one_line(write, capsys, body):
    root = write({"utils/scheduler": f"class A:\n    {body}\n"}).root
    assert main(["--official", str(root), "--only", "schedule"]) == 1
    (complaint,) = capsys.readouterr().err.splitlines()
    assert "scheduler.py, line 1" in complaint


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("sys.exit(0)", "SystemExit: 0"),
        ("raise ValueError('a\\n\\x1b[31mb')", "ValueError: a \N{REPLACEMENT CHARACTER}[31mb"),
    ],
)
def test_a_function_that_fails_takes_one_line(write, capsys, body, complaint):
    script = f"import sys\ndef build_scheduler(*given):\n    print('\\x1b[2J')\n    {body}\n"
    root = write({"utils/scheduler": script}).root
    assert main(["--official", str(root), "--only", "schedule"]) == 1
    out, err = capsys.readouterr()
    assert err == f"schedule: not compared: {complaint}\n"
    assert "\x1b" not in out


def test_the_commit_is_found_loose_packed_or_detached(write, tmp_path):
    checkout, digits = write({}), "0123456789" * 4
    git = tmp_path / ".git"
    assert checkout.commit() == "unknown"
    git.mkdir()
    for head, name, text in (
        (digits, "description", ""),
        ("ref: refs/main", "packed-refs", f"# pack-refs with: peeled\n{digits} refs/main\n^{'0' * 40}\n"),
    ):
        (git / "HEAD").write_text(f"{head}\n")
        (git / name).write_text(text)
        assert checkout.commit() == digits
    (git / "refs").mkdir()
    (git / "refs" / "main").write_text("f" * 40)
    assert checkout.commit() == "f" * 40
    (git / "HEAD").write_text("ref: ../../../etc/hostname\n")
    assert checkout.commit() == "unknown"


def test_a_file_that_cannot_be_parsed_is_refused(write):
    for text in ("(" * 5000 + ")" * 5000, "-" * 100_000 + "1", "x = '\0'"):
        with pytest.raises(OfficialError, match="cannot be read as Python"):
            write({"deep": text}).module("deep.py")
