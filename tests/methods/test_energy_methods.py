"""Energy-based methods: objectives by hand, samples, and exact resumption."""

import pytest
import torch
import torch.nn.functional as F
from energy_runs import ENERGY_RUNS
from labelled import train_batch_of
from linear_networks import TINY, Linear, tiny

from harness.config import energy_methods as spec
from harness.config.networks import ResNetGenerator, ViT
from harness.config.samplers import DDIM, Ancestral
from harness.data.loaders import ResidentLoader
from harness.data.prepared.dataset import open_dataset
from harness.errors import SpecError
from harness.methods.base import Step, build_method
from harness.methods.class_gaussians import ClassGaussians
from harness.methods.energy import ReplayedEnergyModel, evaluating, frozen
from harness.methods.igebm import IGEBM
from harness.methods.jem import JEM
from harness.methods.vera import VERA
from harness.models.base import ImageNetwork
from harness.randomness import Stream
from harness.training.checkpoints import newest_checkpoint, save_checkpoint
from harness.training.loop import Trainer

CPU = torch.device("cpu")
REPLAYED = ["jem", "jem++", "igebm"]


@pytest.fixture(scope="module")
def loader(data_root):
    return ResidentLoader(open_dataset(ENERGY_RUNS["jem"].data, data_root).split("train"), CPU)


def prepared(kind, loader):
    method = build_method(ENERGY_RUNS[kind], CPU)
    method.prepare(loader)
    return method


def batch_of(seed, n=5):
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(n, 1, 2, 2, generator=generator)
    return train_batch_of(images, torch.randint(3, (n,), generator=generator), torch.arange(n))


def test_the_gradient_of_jem_is_that_of_its_two_terms_at_its_own_samples():
    """d CE / dW = (softmax - onehot) x / n, and d logsumexp(W x) / dW = softmax x."""
    config = spec.JEM(buffer_size=20, langevin_steps=4, step_size=0.3, input_noise=0.0, density_weight=0.7)
    subject, twin = tiny(JEM, config), tiny(JEM, config)
    labelled, observed = batch_of(1), batch_of(2)
    step = Step({"labelled": labelled, "observed": observed}, Stream("step"), 5)
    sampled = twin.advance_buffer(step, torch.arange(5), 4)
    assert torch.equal(sampled, twin.replay.images[twin.replay.slots(step)])
    (loss,) = subject.training_step(step)
    loss.value.backward()

    def mean_outer(errors, images):
        return errors.T @ images.flatten(1) / len(images)

    def softmax(images):
        return subject.logits(images).softmax(dim=1).detach()

    errors = softmax(labelled.images) - F.one_hot(labelled.labels, 3)
    expected = mean_outer(errors, labelled.images) + 0.7 * (
        mean_outer(softmax(sampled), sampled) - mean_outer(softmax(observed.images), observed.images)
    )
    torch.testing.assert_close(subject.network.weight.grad, expected)
    assert torch.equal(subject.replay.images, twin.replay.images)


def test_input_noise_is_as_wide_as_it_says_and_differs_between_batches():
    subject, batch = tiny(JEM, spec.JEM(input_noise=0.5)), batch_of(0, 2000)
    step = Step({"labelled": batch, "observed": batch}, Stream(0), 2000)
    noises = [(subject.noised(name, step).images - batch.images).flatten() for name in step.batches]
    for noise in noises:
        assert noise.std().item() == pytest.approx(0.5, rel=0.03)
        assert noise.mean().item() == pytest.approx(0, abs=0.03)
    assert torch.corrcoef(torch.stack(noises))[0, 1].abs() < 0.05


def test_igebm_contrasts_data_with_samples_of_the_slots_class():
    config = spec.IGEBM(buffer_size=21, langevin_steps=2, input_noise=0.0, energy_penalty=0.5)
    subject, twin = tiny(IGEBM, config), tiny(IGEBM, config)
    observed = batch_of(3)
    step = Step({"observed": observed}, Stream("step"), 5)
    sampled = twin.advance_buffer(step, torch.arange(5), 2)
    (loss,) = subject.training_step(step)
    classes = subject.replay.slots(step) % 3
    real = torch.stack([-subject.network.weight[y] @ x.flatten() for x, y in zip(observed.images, observed.labels)])
    made = torch.stack([-subject.network.weight[y] @ x.flatten() for x, y in zip(sampled, classes)])
    expected = (real - made).mean() + 0.5 * (real.square() + made.square()).mean()
    assert loss.value.item() == pytest.approx(expected.item(), rel=1e-5)


def test_every_loss_of_vera_moves_its_own_player_alone(loader):
    method = prepared("vera", loader)
    batch = loader.batch(torch.arange(16))
    step = Step({"labelled": train_batch_of(batch.images, batch.labels, torch.arange(16))}, Stream(0), 16)
    players = method.players()
    for loss in method.training_step(step):
        loss.value.backward()
        for name, player in players.items():
            gradients = [parameter.grad for parameter in player.parameters()]
            assert all((gradient is not None) == (name == loss.player) for gradient in gradients), (name, loss.player)
        method.zero_grad()
    assert all(parameter.requires_grad for parameter in method.parameters())


def test_the_gradient_penalty_of_vera_is_half_the_squared_gradient():
    """With one class log p(x) = w x, whose gradient is w."""
    config = spec.VERA(generator=ResNetGenerator(features=2, noise_dim=2, doublings=1), gradient_penalty=1.0)
    method = VERA(config, Linear(), TINY)
    method.initialise(Stream(0))
    with torch.no_grad():
        method.network.weight[1:] = 0
        method.network.weight[0] = 1000 * torch.ones(4)
    loss = next(method.training_step(Step({"labelled": batch_of(1)}, Stream(0), 5)))
    assert loss.log["gradient_penalty"].item() == pytest.approx(4 * 1000**2 / 2, rel=1e-4)


def test_the_noise_of_vera_is_bounded(loader):
    method = prepared("vera", loader)
    batch = loader.batch(torch.arange(16))
    step = Step({"labelled": train_batch_of(batch.images, batch.labels, torch.arange(16))}, Stream(0), 16)
    for sigma, expected in ((1e-5, 0.01), (0.1, 0.1), (7.0, 0.3)):
        with torch.no_grad():
            method.generator.log_sigma.fill_(torch.tensor(sigma).log())
        list(method.training_step(step))
        assert method.generator.log_sigma.exp().item() == pytest.approx(expected)


@pytest.mark.parametrize("kind", ENERGY_RUNS)
def test_a_sample_depends_on_the_weights_and_its_index_alone(kind, loader):
    method = prepared(kind, loader).eval()
    with torch.inference_mode():
        samples = method.sample(Ancestral(), Stream("samples"), torch.arange(6))
        again = method.sample(Ancestral(), Stream("samples"), torch.tensor([4, 2]))
    assert samples.shape == (6, 1, 8, 8)
    assert samples.abs().max() <= 1
    torch.testing.assert_close(again, samples[[4, 2]], rtol=1e-4, atol=1e-5)
    assert not torch.equal(samples[0], samples[1])
    with pytest.raises(SpecError, match="sampler 'ddim' needs a diffusion model; allowed here: ancestral"):
        method.sample(DDIM(), Stream(0), torch.arange(2))


@pytest.mark.parametrize("kind", ["jem", "igebm"])
def test_samples_go_on_from_the_chains_of_the_buffer(kind, loader):
    """Without noise and steps a sample is the chain itself; indices past the last chain wrap around."""
    config = ENERGY_RUNS[kind].but(noise=0.0, step_size=1e-12)
    method = build_method(config, CPU).eval()
    samples = method.sample(Ancestral(), Stream(0), torch.tensor([3, 103]))
    torch.testing.assert_close(samples, method.replay.images[[3, 3]])


@pytest.mark.parametrize("kind", ENERGY_RUNS)
def test_a_stop_in_the_middle_leaves_no_trace(kind, loader, tmp_path):
    config = ENERGY_RUNS[kind]
    whole, part, rest = (Trainer(config, build_method(config, CPU), loader, CPU) for _ in range(3))
    for trainer, steps in ((whole, 7), (part, 4)):
        for _ in range(steps):
            trainer.train_step()
    save_checkpoint(tmp_path, part.step, part.state())
    rest.load_state(*newest_checkpoint(tmp_path)[:2])
    for _ in range(3):
        rest.train_step()
    expected = whole.state()
    assert rest.state().keys() == expected.keys()
    for name, value in rest.state().items():
        torch.testing.assert_close(value, expected[name], rtol=0, atol=0, equal_nan=True, msg=name)
    if kind in REPLAYED:
        fresh = prepared(kind, loader).replay.images
        assert not torch.equal(expected["method.replay.images"], fresh)
        assert torch.equal(rest.ema_weights()["replay.images"], expected["method.replay.images"])
    for trainer in (whole, part, rest):
        trainer.close()


def test_class_gaussians_have_the_moments_of_the_images(loader):
    gaussians = ClassGaussians(loader, 10)
    rows = torch.arange(20_000)
    samples = gaussians.sample(Stream(0), rows, (1, 8, 8)).flatten(1)
    classes = Stream(0).at("class").integers(rows, 10)
    everything = loader.batch(torch.arange(len(loader)))
    real = everything.images[everything.labels == 3].flatten(1)
    drawn = samples[classes == 3]
    inner = real.mean(0).abs() < 0.5  # where [-1, 1] clips little
    torch.testing.assert_close(drawn.mean(0)[inner], real.mean(0)[inner], rtol=0, atol=0.08)
    own, other = (torch.cov(images[:, inner].T) for images in (drawn, real))
    assert torch.corrcoef(torch.stack([own.flatten(), other.flatten()]))[0, 1] > 0.97
    assert samples.abs().max() <= 1


def test_what_cannot_be_trained_is_refused():
    with pytest.raises(SpecError, match="buffer_size=50 is less than batch_size=60"):
        ENERGY_RUNS["jem"].but(buffer_size=50)
    with pytest.raises(SpecError, match="network 'vit' has no"):
        ENERGY_RUNS["jem++"].but(network=ViT(dim=8, depth=1, heads=2, patch_size=4))


def test_the_operations_of_a_step_count_its_chains():
    network, data = ENERGY_RUNS["jem"].network, ENERGY_RUNS["jem"].data
    forward = network.flops(data, "logits")
    hybrid_like = 2 * 3 * forward
    assert spec.JEM(langevin_steps=20).train_flops(network, data) == (9 + 40) * forward
    assert spec.JEM(langevin_steps=20).train_flops(network, data) > 5 * hybrid_like
    assert spec.JEMPlusPlus(outer_steps=10).train_flops(network, data) == (9 + 20) * forward


def test_vera_counts_all_that_it_trains(loader):
    config = ENERGY_RUNS["vera"]
    built = sum(p.numel() for player in prepared("vera", loader).players().values() for p in player.parameters())
    assert config.method.parameters(config.network, config.data) == built


def test_frozen_weights_thaw_even_after_an_error_unless_they_were_frozen_before():
    network = torch.nn.Linear(2, 3)
    network.bias.requires_grad_(False)
    with frozen(network):
        assert not any(parameter.requires_grad for parameter in network.parameters())
    with pytest.raises(RuntimeError, match="in between"), frozen(network):
        raise RuntimeError("in between")
    assert (network.weight.requires_grad, network.bias.requires_grad) == (True, False)


@pytest.mark.parametrize("training", [True, False])
def test_the_mode_of_a_network_returns_even_after_an_error(training):
    network = torch.nn.Dropout().train(training)
    with evaluating(network):
        assert not network.training
    with pytest.raises(RuntimeError, match="in between"), evaluating(network):
        raise RuntimeError("in between")
    assert network.training == training


class WithoutChains(JEM):
    """Does not say how chains continue."""

    advance = ReplayedEnergyModel.advance


def test_a_part_that_a_subclass_leaves_out_is_reported():
    method = tiny(WithoutChains, spec.JEM(buffer_size=5))
    with pytest.raises(NotImplementedError):
        method.sample(Ancestral(), Stream(0), torch.arange(2))
    with pytest.raises(NotImplementedError):
        tiny(JEM, spec.JEM(buffer_size=5), ImageNetwork)
