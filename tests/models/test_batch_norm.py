"""BatchNorm against torch's, on one rank and on several with unequal parts of the batch."""

import copy

import pytest
import ranks
import torch
from foreign import NormAct
from safetensors.torch import load_file

from harness.models.batch_norm import BatchNorm, batch_norm_over_ranks, normalise_over_ranks


def pair(channels=5, momentum=0.1):
    ours, theirs = BatchNorm(channels, momentum), torch.nn.BatchNorm2d(channels, momentum=momentum)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in ours.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    theirs.load_state_dict(ours.state_dict(), strict=False)
    return ours, theirs


def values(n=7, shift=0.0):
    return 3 * torch.randn(n, 5, 2, 3, generator=torch.Generator().manual_seed(1)) + shift


@pytest.mark.parametrize("momentum", [0.1, 0.9])
def test_it_is_torchs_in_training_and_in_evaluation(momentum):
    ours, theirs = pair(momentum=momentum)
    for batch in (values(), values(4, shift=2.0)):
        torch.testing.assert_close(ours(batch), theirs(batch), rtol=0, atol=0)
    torch.testing.assert_close(ours.running_mean, theirs.running_mean, rtol=0, atol=0)
    torch.testing.assert_close(ours.running_var, theirs.running_var, rtol=0, atol=0)
    ours.eval(), theirs.eval()
    torch.testing.assert_close(ours(values()), theirs(values()), rtol=0, atol=0)
    assert set(ours.state_dict()) == {"weight", "bias", "running_mean", "running_var"}


@pytest.mark.parametrize("shift", [0.0, 300.0])
def test_over_one_rank_the_formula_equals_torchs(shift):
    ours, theirs = pair()
    ours.stack = lambda tensor: tensor[None]
    batch = values(shift=shift).double()
    found, expected = (ranks.normalised(module.double(), batch, batch.numel()) for module in (ours, theirs))
    for name, value in found.items():
        torch.testing.assert_close(value, expected[name], rtol=1e-7, atol=1e-9)


def test_a_large_mean_spoils_no_variance():
    ours, _ = pair()
    ours.stack = lambda tensor: tensor[None]
    plain = ours(values())
    assert (ours(values(shift=3000.0)) - plain).abs().max() < 2e-3 * plain.abs().max()


def module_of(kind):
    torch.manual_seed(2)
    module = {
        "ours": lambda: BatchNorm(5),
        "torch's of images": lambda: torch.nn.BatchNorm2d(5, momentum=0.3),
        "torch's of vectors": lambda: torch.nn.BatchNorm1d(30),
        "of the mean of all batches": lambda: torch.nn.BatchNorm2d(5, momentum=None),
        "without weights": lambda: torch.nn.BatchNorm2d(5, affine=False),
        "without statistics": lambda: torch.nn.BatchNorm2d(5, track_running_stats=False),
        "with an activation": lambda: NormAct(30),
    }[kind]()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_()
    return module, values().flatten(1) if isinstance(module, torch.nn.BatchNorm1d) else values()


KINDS = [
    "ours", "torch's of images", "torch's of vectors", "of the mean of all batches", "without weights",
    "without statistics", "with an activation",
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [2, 4])
def test_over_ranks_it_is_that_of_the_whole_batch(kind, size, tmp_path):
    """Seven rows, distributed unevenly; second gradients too."""
    module, batch = module_of(kind)
    ranks.run(size, ranks.normalise, module, batch, tmp_path)
    expected = ranks.normalised(module, batch, batch.numel())
    parts = [load_file(tmp_path / f"{rank}.safetensors") for rank in range(size)]
    assert parts[0].keys() == expected.keys()
    for name in ("output", "first", "second"):
        torch.testing.assert_close(torch.cat([part[name] for part in parts]), expected[name], rtol=1e-4, atol=1e-6)
    for name in dict(module.named_parameters()):
        torch.testing.assert_close(sum(part[name] for part in parts), expected[name], rtol=1e-4, atol=1e-6)
    for name in dict(module.named_buffers()):
        torch.testing.assert_close(parts[0][name], expected[name], rtol=1e-5, atol=1e-6)
        assert all(torch.equal(part[name], parts[0][name]) for part in parts)


def others(*parts):
    """Stack the moments of this rank with those of other ranks, computed by hand."""

    def stack(own):
        moments = [own]
        for part in parts:
            channels = part.transpose(0, 1).flatten(1).to(own.dtype)
            mean = channels.mean(1)
            variance = ((channels - mean[:, None]) ** 2).mean(1)
            moments.append(torch.cat([mean, variance, own.new_tensor([channels.shape[1]])]))
        return torch.stack(moments)

    return stack


@pytest.mark.parametrize("kind", KINDS)
def test_a_rank_normalises_with_the_moments_of_all_ranks(kind):
    """Three, one and three of seven rows, whose means differ widely."""
    module, batch = module_of(kind)
    module = module.double()
    batch = batch.double() + 5 * torch.arange(7).reshape(-1, *[1] * (batch.dim() - 1))
    whole = copy.deepcopy(module)
    expected = whole(batch)
    normalise_over_ranks(module, others(batch[3:4], batch[4:]))
    torch.testing.assert_close(module(batch[:3]), expected[:3], rtol=1e-9, atol=1e-9)
    for (name, found), buffer in zip(module.named_buffers(), whole.buffers(), strict=True):
        torch.testing.assert_close(found, buffer, rtol=1e-9, atol=1e-9, msg=name)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_moments_are_those_of_float32_in_any_precision(dtype):
    x, weight, bias = values(shift=3.0).to(dtype), torch.arange(1.0, 6), torch.arange(5.0)
    stack = others(values(9, shift=-3.0))
    found = batch_norm_over_ranks(stack, x, None, None, weight, bias, training=True)
    expected = batch_norm_over_ranks(stack, x.float(), None, None, weight, bias, training=True)
    assert found.dtype == dtype
    assert torch.equal(found, expected.to(dtype))
    assert expected.dtype == torch.float32


def test_torchs_own_norm_over_ranks_is_left_alone():
    network = torch.nn.Sequential(torch.nn.SyncBatchNorm(3), torch.nn.BatchNorm2d(3), torch.nn.GroupNorm(1, 3))
    normalise_over_ranks(network, others())
    assert ["forward" in vars(module) for module in network] == [False, True, False]


@pytest.mark.parametrize("kind", KINDS)
def test_in_evaluation_ranks_ask_nothing_of_each_other(kind):
    module, batch = module_of(kind)
    expected = module.eval()(batch)

    def stack(tensor):
        raise AssertionError("ranks evaluate parts of different lengths")

    normalise_over_ranks(module, stack)
    assert torch.equal(module(batch), expected)
    with pytest.raises(AssertionError, match="different lengths"):
        module.train()(batch)
