"""The comparison with the authors' code: files taken from a checkout, and detection of differences."""

import pytest
import torch

from harness.models.vit import VisionTransformer
from tools.parity.__main__ import main
from tools.parity.networks import CASES, official_state
from tools.parity.official import DDPM, JEM, JEMPP, VERA, WRN, Checkout, OfficialError
from tools.parity.table import compare, precision

OPTIONS = {each.option: each for each in (WRN, JEM, VERA, JEMPP, DDPM)}
SAMPLER = """
import a_package_that_is_not_there
print("the main part of a script must not run")
raise SystemExit(9)
class RASampler:
    def __init__(self, examples, batch_size, repetitions, passes, shuffle, drop_last):
        self.batches = RULE
    def __len__(self):
        return self.batches
"""
QUALITY = """
import torch
from .bytes import *
def eval_is_fid(images, dataset):
    torch_fidelity.calculate_metrics(input1=as_bytes(images))
"""


@pytest.fixture
def checkout(tmp_path):
    (tmp_path / "utils").mkdir()
    (tmp_path / "gevit_main.py").write_text("")
    return tmp_path


def compared(checkout, capsys, *names):
    code = main(["--official", str(checkout), "--only", *names])
    return code, *capsys.readouterr()


@pytest.mark.parametrize(("rule", "verdict"), [("examples * passes // batch_size", "equal"), ("1170", "DIFFERS")])
def test_the_exit_code_tells_whether_all_rows_hold(checkout, capsys, rule, verdict):
    (checkout / "utils" / "sampler.py").write_text(SAMPLER.replace("RULE", rule))
    code, table, _ = compared(checkout, capsys, "epochs")
    assert code == (verdict != "equal")
    assert table.splitlines()[-1].endswith(verdict)
    assert "main part" not in table


def test_files_find_each_other_and_samples_are_bytes(checkout, capsys):
    (checkout / "utils" / "eval_quality.py").write_text(QUALITY)
    for rule, code in (("images", 0), ("images + 0.5", 1)):
        body = f"import torch\ndef as_bytes(images):\n    return ({rule}).to(torch.uint8)\n"
        (checkout / "utils" / "bytes.py").write_text(body)
        assert compared(checkout, capsys, "quantisation")[0] == code


def test_what_is_missing_or_broken_takes_one_line_each(checkout, capsys):
    (checkout / "utils" / "scheduler.py").write_text("def (")
    code, _, complaints = compared(checkout, capsys, "passes", "schedule")
    assert code == 1
    first, second = complaints.splitlines()
    assert first == f"passes: not compared: models/DifViT.py is missing from {checkout}"
    assert second.startswith("schedule: not compared: ")
    assert "cannot be read as Python" in second


@pytest.mark.parametrize("path", ["absent", "."])
def test_a_folder_that_is_no_checkout_is_refused(tmp_path, capsys, path):
    code, table, complaints = compared(tmp_path / path, capsys, "epochs")
    assert (code, table) == (2, "")
    assert len(complaints.splitlines()) == 1
    assert "Diffusion_ViT" in complaints


@pytest.mark.parametrize("option", ["wrn", "jem", "vera", "jempp", "ddpm"])
def test_a_folder_without_the_code_of_a_baseline_is_refused(tmp_path, capsys, option):
    assert main([f"--{option}", str(tmp_path)]) == 2
    assert f"is not a checkout of {OPTIONS[option].address}" in capsys.readouterr().err


def test_something_has_to_be_given(checkout, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--official", str(checkout), "--only", "unet"])
    assert ended.value.code == 2
    assert "no checkout given" in capsys.readouterr().err


TWIN = """
from harness.data.catalogue import CIFAR10
from harness.models.generators import ResNetGenerator as Ours
from harness.config.networks import ResNetGenerator as Spec
class ResNetGenerator(Ours):
    def __init__(self, unit_interval, feats):
        super().__init__(Spec(features=feats), CIFAR10)
    def forward(self, noise):
        return FACTOR * self.generate(noise)
"""


@pytest.mark.parametrize(("factor", "verdicts"), [(1.0, {"equal"}), (1.001, {"equal", "DIFFERS"})])
def test_a_network_is_compared_by_outputs_and_gradients(checkout, capsys, factor, verdicts):
    (checkout / "models").mkdir()
    (checkout / "models" / "resnet.py").write_text(TWIN.replace("FACTOR", str(factor)))
    assert main(["--vera", str(checkout), "--only", "vera-generator"]) == (len(verdicts) > 1)
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("generator of VERA")]
    assert len(rows) == 8
    assert {row.split()[-1] for row in rows} == verdicts


ATTACK = """
import torch as t
def rand_init_l_p(points, norm, size):
    if norm == "l_inf":
        return (points + size * (2 * t.rand_like(points) - 1)).clamp(-1, 1)
    direction = t.randn_like(points)
    direction = direction / direction.flatten(1).norm(dim=1)[:, None, None, None]
    return LIMIT(points + size * t.rand(len(points), 1, 1, 1).cuda() * direction)
def attack_batch(images, labels, number):
    size, step, l2 = config["adv_eps"], config["adv_eta"], config["adv_norm"] == "l_2"
    standing = [clf(images).argmax(1) == labels]
    points = rand_init_l_p(images.clone(), config["adv_norm"], size)
    for _ in range(config["adv_steps"] + 1):
        leaf = points.detach().requires_grad_()
        logits = clf(leaf)
        standing.append(standing[-1] & (logits.argmax(1) == labels))
        (slope,) = t.autograd.grad(criterion(logits, labels), leaf)
        moved = slope / slope.flatten(1).norm(dim=1)[:, None, None, None] if l2 else slope.sign()
        away = points + step * moved - images
        length = away.flatten(1).norm(dim=1)[:, None, None, None]
        away = away * (size / length.clamp_min(size)) if l2 else away.clamp(-size, size)
        points = (images + away).clamp(-1, 1)
    return t.stack(standing), None
"""


@pytest.mark.parametrize(("limit", "differing"), [("", 0), ("t.tanh", 3)])
def test_an_attack_starts_where_their_code_starts(checkout, capsys, limit, differing):
    (checkout / "bpda_eot_attack.json").write_text('{"adv_steps": 4, "adv_eta": 20}')
    (checkout / "bpda_eot_attack.py").write_text(ATTACK.replace("LIMIT", limit))
    code, table, complaints = compared(checkout, capsys, "attacks")
    starts, falls = ([line for line in table.splitlines() if f": {what}" in line] for what in ("start", "query"))
    assert not complaints
    assert (code, len(starts), len(falls)) == (bool(differing), 5, 5)
    assert [line.split()[-1] for line in starts] == ["equal"] * (5 - differing) + ["DIFFERS"] * differing


def test_a_base_class_that_could_not_be_imported_is_named(checkout):
    (checkout / "utils" / "sampler.py").write_text("from nowhere import Base\nclass RASampler(Base): pass\n")
    with pytest.raises(OfficialError, match="nowhere"):
        Checkout(checkout).module("utils/sampler.py")


def test_every_parameter_has_a_name_of_its_own_in_the_official_network():
    for data, config in CASES.values():
        ours = VisionTransformer(config, data)
        state = official_state(ours)
        assert len(state) == len(list(ours.parameters()))
        assert {name.split(".")[0] for name in state} == {
            "to_patch_embedding", "cls_token", "pos_embedding", "time_mlp", "transformer", "mlp_head", "recon_head",
        }  # fmt: skip


def test_differences_are_relative_to_the_largest_official_value():
    ones = torch.ones(3)
    assert compare("", "", 4 * ones, 4 * ones + 1, 0.2).relative == pytest.approx(0.2)
    worst = compare("", "", [ones, ones], [ones, 2 * ones], 1)
    assert worst.relative == pytest.approx(0.5)
    for theirs in (ones * float("nan"), torch.ones(4)):
        assert not compare("", "", ones, theirs, 1e9).holds
        assert not compare("", "", [ones, ones], [ones, theirs], 1e9).holds


def test_a_precision_ends_with_its_block():
    with precision("float64"):
        assert torch.zeros(1).dtype == torch.float64
    assert torch.zeros(1).dtype == torch.float32
