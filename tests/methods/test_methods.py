"""Methods: capabilities, losses, and the effects of one training step."""

import json
import re

import numpy as np
import pytest
import torch
from energy_runs import ENERGY_RUNS
from foreign import REGRESSION_RUN, TOKEN_RUN
from labelled import train_batch_of

from harness.config.augmentation import Augmentation
from harness.config.interfaces import CLASSIFIER, GENERATOR, LIKELIHOOD
from harness.config.methods import Classification, Method
from harness.config.networks import UNet
from harness.config.run import RunConfig
from harness.config.samplers import Ancestral
from harness.data.batches import Mixture, TrainBatch
from harness.data.catalogue import DIGITS
from harness.data.loaders import ResidentLoader
from harness.data.prepared.dataset import PreparedDataset, open_dataset
from harness.errors import SpecError
from harness.methods.base import Classifier, DivergenceGuard, Generator, LikelihoodModel, Step, build_method
from harness.methods.class_gaussians import ClassGaussians
from harness.methods.jem_plus_plus import JEMPlusPlus
from harness.randomness import Stream
from harness.training.loop import Trainer
from harness_papers.hybvit.paper import PAPER
from harness_papers.hybvit.runs import GENVIT, HYBVIT

PROTOCOLS = {
    CLASSIFIER: Classifier,
    GENERATOR: Generator,
    LIKELIHOOD: LikelihoodModel,
}
SMALL = PAPER.scale("laptop").shrink(HYBVIT).config.but(dim=12, depth=1, timesteps=5)
CPU = torch.device("cpu")


def config_of(method):
    return SMALL.but(method=method)


# Every method of the harness, regardless of what other tests register, and two external ones.
CONFIGS = {
    "hybrid": SMALL,
    "denoising": config_of(GENVIT.config.method),
    "classification": config_of(Classification(augmentation=Augmentation(crop_padding=1), label_smoothing=0.1)),
    **ENERGY_RUNS,
    "foreign_regression": REGRESSION_RUN,
    "foreign_next_token": TOKEN_RUN,
}
KINDS = [kind for kind, each in Method.kinds.items() if kind in CONFIGS or each.__module__.startswith("harness.")]

IDLE = {
    "classification": r"timestep_embedding\.|blocks\.\d+\.modulation\.|noise_head\.",
    "denoising": r"class_norm\.|class_head\.",
}
NOTHING = r"(?!)"
"""Parameters of the two-pass network that a method using only one pass leaves unchanged."""
UNCONDITIONAL = UNet(base_channels=8, multipliers=(1, 2), blocks=1, attention=(4,), groups=4)
"""A network without a classification head."""


@pytest.fixture(scope="module")
def loader(data_root):
    return ResidentLoader(open_dataset(DIGITS, data_root).split("train"), CPU)


def plain(loader, start):
    batch = loader.batch(torch.arange(start, start + 16))
    return train_batch_of(batch.images, batch.labels, torch.arange(16))


@pytest.mark.parametrize("kind", KINDS)
def test_a_built_method_has_the_capabilities_that_its_configuration_states(kind):
    method = build_method(CONFIGS[kind], CPU)
    for capability, protocol in PROTOCOLS.items():
        assert isinstance(method, protocol) == (capability in CONFIGS[kind].method.capabilities)


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_gives_finite_losses_and_gradients(kind, loader):
    method = build_method(CONFIGS[kind], CPU)
    method.prepare(loader)
    batches = {name: plain(loader, 16 * i) for i, name in enumerate(method.augmentations())}
    moved = []
    for loss in method.training_step(Step(batches, Stream(0), 16)):
        method.zero_grad(set_to_none=True)
        loss.value.backward()
        gradients = {name: p.grad for name, p in method.players()[loss.player].named_parameters()}
        for name, gradient in gradients.items():
            assert (gradient is None) == (re.match(IDLE.get(kind, NOTHING), name) is not None), name
        assert all(torch.isfinite(gradient).all() for gradient in gradients.values() if gradient is not None)
        assert not any(value.requires_grad for value in loss.log.values())
        moved.append(loss.player)
    assert moved == list(method.players())


def test_the_hybrid_loss_is_cross_entropy_plus_denoising(loader):
    values = {}
    batches = {"labelled": plain(loader, 0), "clean": plain(loader, 16)}
    for alpha in (0, 1, 100):
        method = build_method(SMALL.but(alpha=alpha), CPU)
        (loss,) = method.training_step(Step(batches, Stream(0), 16))
        values[alpha] = loss
        expected = loss.log["cross_entropy"] + alpha * loss.log["denoising"]
        assert loss.value.item() == pytest.approx(expected.item(), rel=1e-6)
    assert values[0].log["denoising"] == values[100].log["denoising"]


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
@pytest.mark.parametrize("kind", ["classification", "hybrid"])
def test_a_mixed_and_smoothed_batch_has_the_cross_entropy_written_out(loader, kind, smoothing):
    """Label smoothing moves part of the weight of both mixed labels evenly to all ten classes."""
    own = plain(loader, 0)
    others, lam = own.labels.roll(1), torch.linspace(0, 1, 16)
    mixed = TrainBatch(own.data, own.fields, own.rows, Mixture(others, lam))
    method = build_method(CONFIGS[kind].but(label_smoothing=smoothing), CPU)
    (loss,) = method.training_step(Step({"labelled": mixed, "clean": plain(loader, 16)}, Stream(0), 16))
    logits = method.logits(own.images).detach().double().numpy()
    log_p = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    expected = 0.0
    for i in range(16):
        for label in range(10):
            for of, weight in ((own.labels[i], lam[i]), (others[i], 1 - lam[i])):
                target = (1 - smoothing) * (of == label) + smoothing / 10
                expected -= float(weight * target) * log_p[i, label] / 16
    assert (own.labels != others).sum() > 8
    assert loss.log["cross_entropy"].item() == pytest.approx(expected, rel=1e-5)


def test_a_step_is_a_function_of_its_address(loader):
    method = build_method(SMALL, CPU)
    batches = {"labelled": plain(loader, 0), "clean": plain(loader, 16)}
    first, again, other = (next(iter(method.training_step(Step(batches, Stream(0, i), 16)))).value for i in (1, 1, 2))
    assert first == again
    assert first != other


@pytest.mark.parametrize("kind", KINDS)
def test_initial_weights_depend_on_the_seed_alone(kind):
    config, before, states = CONFIGS[kind], torch.get_rng_state(), []
    for each in (config, config, config.but(seed=1)):
        states.append(build_method(each, CPU).state_dict())
        assert torch.equal(torch.get_rng_state(), before)
        torch.rand(1)
        before = torch.get_rng_state()
    a, b, c = states
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert any(not torch.equal(a[name], c[name]) for name in a)


def test_the_generator_of_vera_and_the_chains_begin_at_addresses_of_their_own():
    """Both networks are initialised, and chains begin as uniform noise between -1 and 1."""
    method, stream = build_method(ENERGY_RUNS["vera"].but(seed=5), CPU), Stream(5, "initialisation")
    for network, beginning in ((method.network, stream), (method.generator.network, stream.at("generator"))):
        built = {name: value.clone() for name, value in network.state_dict().items()}
        network.initialise(beginning.generator())
        assert all(torch.equal(value, built[name]) for name, value in network.state_dict().items())
    assert method.generator.log_sigma.exp().item() == pytest.approx(0.01)
    assert method.posterior.log_sigma.exp().tolist() == pytest.approx([0.1] * 6)
    for kind in ("jem", "igebm"):
        method = build_method(ENERGY_RUNS[kind].but(seed=5), CPU)
        built = {name: value.clone() for name, value in method.network.state_dict().items()}
        method.network.initialise(stream.generator())
        assert all(torch.equal(value, built[name]) for name, value in method.network.state_dict().items())
        chains = method.replay.images
        assert torch.equal(chains, 2 * stream.at("replay").uniform(torch.arange(100), 1, 8, 8) - 1)
        assert (round(chains.min().item(), 2), round(chains.max().item(), 2)) == (-1, 1)


def test_the_chains_of_jem_plus_plus_begin_at_draws_from_the_gaussians(loader):
    method = build_method(ENERGY_RUNS["jem++"].but(seed=5, buffer_size=230), CPU)
    with pytest.raises(AssertionError, match="`prepare` must run before chains start"):
        method.initial_states(Stream(0), torch.arange(2))
    method.prepare(loader)
    stream, rows = Stream(5, "initialisation", "replay"), torch.arange(230)
    expected = ClassGaussians(loader, 10).sample(stream, rows, (1, 8, 8))
    torch.testing.assert_close(method.replay.images, expected)
    with pytest.raises(AssertionError, match="`initialise` must run before `prepare`"):
        JEMPlusPlus(ENERGY_RUNS["jem++"].method, method.network, DIGITS).prepare(loader)


@pytest.mark.parametrize("kind", KINDS)
def test_a_method_is_built_on_the_device(kind):
    meta = build_method(CONFIGS[kind], torch.device("meta")).state_dict()
    assert {value.device.type for value in meta.values()} == {"meta"}


@pytest.mark.parametrize("kind", KINDS)
def test_only_methods_known_to_diverge_have_a_guard(kind):
    if kind in ENERGY_RUNS:
        method = build_method(ENERGY_RUNS[kind].but(divergence_bound=70.0, restarts=4), CPU)
        assert method.guard == DivergenceGuard(bound=70.0, restarts=4)
    else:
        assert build_method(CONFIGS[kind], CPU).guard is None


MOVED, FLIPPED = Augmentation(crop_padding=1), Augmentation(flip=True)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (CONFIGS["classification"].but(augmentation=MOVED), {"labelled": MOVED}),
        (CONFIGS["hybrid"].but(augmentation=FLIPPED), {"labelled": FLIPPED, "clean": None}),
        (CONFIGS["denoising"], {"clean": None}),
        (CONFIGS["denoising"].but(augmentation=FLIPPED), {"clean": FLIPPED}),
        (ENERGY_RUNS["jem"], {"labelled": MOVED, "observed": MOVED}),
        (ENERGY_RUNS["jem++"].but(augmentation=FLIPPED), {"labelled": FLIPPED, "observed": FLIPPED}),
        (ENERGY_RUNS["igebm"].but(augmentation=FLIPPED), {"observed": FLIPPED}),
        (ENERGY_RUNS["vera"].but(augmentation=FLIPPED), {"labelled": FLIPPED}),
    ],
)
def test_a_method_asks_for_these_batches(config, expected):
    assert build_method(config, CPU).augmentations() == expected


def test_samples_and_likelihoods_have_the_shapes_of_their_contracts():
    method = build_method(SMALL, CPU).eval()
    with torch.inference_mode():
        samples = method.sample(Ancestral(), Stream(0), torch.arange(7))
        bits = method.bits_per_dim(samples, Stream(0), torch.arange(7))
    assert samples.shape == (7, 1, 8, 8)
    assert samples.abs().max() <= 1
    assert bits.shape == (7,)
    assert (bits > 0).all()


def test_a_stored_configuration_builds_the_same_method():
    restored = RunConfig(**json.loads(SMALL.canonical()))
    a, b = build_method(SMALL, CPU).state_dict(), build_method(restored, CPU).state_dict()
    assert all(torch.equal(a[name], b[name]) for name in a)


class Talkative(torch.nn.Linear):
    """Has text in its state."""

    def get_extra_state(self):
        return "text"

    def set_extra_state(self, state):
        pass


def test_a_state_that_no_checkpoint_holds_is_refused(monkeypatch):
    monkeypatch.setattr("foreign.build_mlp", lambda config, data: Talkative(64, 1))
    message = "'foreign_regression' has a str in its state, 'network._extra_state': checkpoints hold only tensors"
    with pytest.raises(SpecError, match=message):
        build_method(REGRESSION_RUN, CPU)


def test_a_capability_that_is_promised_and_lacks_a_part_is_refused(monkeypatch):
    monkeypatch.setattr(type(REGRESSION_RUN.method), "capabilities", frozenset({CLASSIFIER}))
    with pytest.raises(SpecError, match=r"declares 'classifier', but RegressionModel lacks .*: logits$"):
        build_method(REGRESSION_RUN, CPU)


def test_images_without_classes_can_be_denoised(data_root):
    """A method that needs no labels takes the same steps without them."""
    labelled = CONFIGS["denoising"].but(augmentation=Augmentation(flip=True, crop_padding=1))
    config = labelled.but(data=DIGITS.but(num_classes=0))
    whole = open_dataset(DIGITS, data_root)
    alone = PreparedDataset(whole.folder, whole.manifest, config.data)
    weights = []
    for each, data in ((labelled, whole), (config, alone)):
        small = each.but(network=UNCONDITIONAL)
        trainer = Trainer(small, build_method(small, CPU), ResidentLoader(data.split("train"), CPU), CPU)
        for _ in range(3):
            trainer.train_step()
        weights.append([p.detach() for p in trainer.method.network.parameters()])
    assert all(torch.equal(a, b) for a, b in zip(*weights, strict=True))


def test_what_needs_labels_is_refused_without_any():
    data = DIGITS.but(num_classes=0)
    with pytest.raises(SpecError, match="method 'classification' classifies: dataset 'digits' has no classes"):
        CONFIGS["classification"].but(data=data)
    mixing = CONFIGS["denoising"].but(augmentation=Augmentation(mix=0.5))
    with pytest.raises(SpecError, match=r"mix=0.5 mixes labels too: dataset 'digits' has no classes"):
        mixing.but(data=data, network=UNCONDITIONAL)
