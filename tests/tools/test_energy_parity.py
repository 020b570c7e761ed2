"""Training steps of VERA and JEM++ against scripts written for these tests: each difference in order or rate shows."""

import pytest

from tools.parity import energy, jempp, vera
from tools.parity.__main__ import main

JEMPP_MODELS = """
from torch import nn
from harness.config.networks import JEMWideResNet as Spec
from harness.data.catalogue import CIFAR10
from harness.models.wide_resnet import JEMWideResNet as Ours
class CCF(Ours):
    def __init__(self, depth, width, norm, n_classes, model):
        data = CIFAR10.but(num_classes=n_classes, image_size=8)
        super().__init__(Spec(depth=depth, widen_factor=width, norm=norm), data)
        self.energy_output = nn.Linear(1, 1)
    def density(self, x):
        return self.logits(x).logsumexp(1)
"""
JEMPP_SCRIPT = """
import torch as t
import numpy as np
from models.jem_models import CCF
conditionals = []
def category_mean(loader, settings):
    ((images, labels),) = loader
    flat = [images[labels == c].flatten(1) for c in range(settings.n_classes)]
    t.save(t.stack([each.mean(0) for each in flat]), "means")
    t.load(t.stack([each.T.cov(correction=0) for each in flat]), "covariances")
def init_from_centers(settings):
    for mean, covariance in zip(t.load("means"), t.load("covariances")):
        noise = JITTER * t.eye(len(mean))
        conditionals.append(t.distributions.MultivariateNormal(mean, covariance + noise))
def init_random(settings, count):
    drawn = [conditionals[np.random.randint(settings.n_classes)].sample() for _ in range(count)]
    return t.stack(drawn).view(count, 3, 8, 8).clamp(-1, 1)
def advance(f, x):
    for _ in range(args.n_steps):
        made = f.features(x).detach().requires_grad_()
        (slope,) = t.autograd.grad(f.logits_from(made).logsumexp(1).sum(), made)
        for _ in range(args.in_steps):
            leaf = x.detach().requires_grad_()
            (step,) = t.autograd.grad((slope * f.features(leaf)).sum(), leaf)
            x = (x + args.pyld_lr * step.clamp(-1, 1)).clamp(-1, 1)
    return x.detach()
def main(settings):
    observed, labelled, _, _ = get_data(settings)
    f, _ = get_model_and_buffer(settings, "cpu")
    buffer, done = init_from_centers(settings), 0
    optimiser = t.optim.SGD(f.parameters(), lr=settings.lr, momentum=0.9, weight_decay=settings.weight_decay)
    for epoch in range(settings.n_epochs):
        if epoch in settings.decay_epochs:
            optimiser.param_groups[0]["lr"] *= settings.decay_rate
        for x, _ in tqdm(observed):
            if done <= settings.warmup_iters:
                optimiser.param_groups[0]["lr"] = settings.lr * done / settings.warmup_iters
            done += 1
            before = f.density(x).mean() if EARLY else None
            slots = t.randint(0, len(buffer), (len(x),))
            fresh = init_random(settings, len(x))
            anew = (t.rand(len(x)) < settings.reinit_freq)[:, None, None, None]
            buffer[slots] = chains = advance(f, t.where(anew, fresh, buffer[slots]))
            gap = (before if EARLY else f.density(x).mean()) - f.density(chains).mean()
            images, labels = next(labelled)
            optimiser.zero_grad()
            (t.nn.functional.cross_entropy(f.logits(images), labels) - gap).backward()
            optimiser.step()
def parse(parser):
    parser.add_argument("--pyld_lr", type=float, default=STEP)
    parser.add_argument("--gpu-id", default=str(0))
"""
VERA_FILES = {
    "models/wideresnet": """
from harness.config.networks import JEMWideResNet as Spec
from harness.data.catalogue import CIFAR10
from harness.models.wide_resnet import JEMWideResNet as Ours
class Wide_ResNet(Ours):
    def __init__(self, depth, width, num_classes):
        super().__init__(Spec(depth=depth, widen_factor=width), CIFAR10.but(num_classes=num_classes, image_size=8))
    @property
    def linear(self):
        return self.class_head
    def forward(self, x):
        return self.logits(x)
""",
    "models/resnet": """
from harness.data.catalogue import CIFAR10
from harness.models.generators import ResNetGenerator as Ours
from harness.config.networks import ResNetGenerator as Spec
class ResNetGenerator(Ours):
    def __init__(self, unit_interval, feats):
        super().__init__(Spec(features=feats), CIFAR10.but(image_size=8))
    def forward(self, noise):
        return self.generate(noise)
""",
    "models/jem": "def JEM(network): return network\n",
    "models/generator": """
import torch
from torch import distributions, nn
class VERAGenerator(nn.Module):
    def __init__(self, g, noise_dim, post_lr):
        super().__init__()
        self.g, self.noise_dim = g, noise_dim
        self.logsigma = nn.Parameter(torch.full((1,), 0.01).log())
        self.post_logsigma = nn.Parameter(torch.full((noise_dim,), 0.1).log())
        self.post_optimizer = torch.optim.Adam([self.post_logsigma], lr=post_lr)
    def sample(self, count):
        latents = torch.randn((count, self.noise_dim))
        mean = self.g(latents)
        return mean + self.logsigma.exp() * torch.randn_like(mean), latents
    def joint(self, x, z):
        made = distributions.Normal(self.g(z), self.logsigma.exp())
        return made.log_prob(x).flatten(1).sum(1) - z.square().sum(1) / 2, made.mean
    def fit(self, x, z):
        posterior = distributions.Normal(z, self.post_logsigma.exp())
        bound = self.joint(x.detach(), posterior.rsample())[0] + posterior.entropy().sum(1)
        self.post_optimizer.zero_grad()
        (-bound.mean()).backward()
        self.post_optimizer.step()
    def entropy(self, x, z):
        posterior = distributions.Normal(z, self.post_logsigma.detach().exp())
        drawn = posterior.sample((20,))
        with torch.no_grad():
            joint, mean = self.joint(x.repeat(20, 1, 1, 1), drawn.flatten(0, 1))
            weights = (joint.view(20, -1) - posterior.log_prob(drawn).sum(2)).softmax(0)
            score = (weights[..., None, None, None] * (x - mean.view(20, *x.shape))).sum(0) / self.logsigma.exp() ** 2
        return (score * x).flatten(1).sum(1).mean()
""",
    "train": """
import torch
from torch import nn
def main(args):
    utils.make_logdirs(args)
    network, g = get_models(args)
    batches, _, _ = utils.get_data(args)
    betas, done = (args.beta1, args.beta2), 0
    optimisers = [torch.optim.Adam(each.parameters(), lr=rate, betas=betas)
                  for each, rate in ((network, args.lr), (g, args.glr))]
    for epoch in range(args.n_epochs):
        for images, labels in batches:
            share = min((done + COUNT) / args.warmup_iters, 1) * args.decay_rate**epoch
            for optimiser, rate in zip(optimisers, (args.lr, args.glr)):
                optimiser.param_groups[0]["lr"] = rate * share
            done += 1
            images.requires_grad_()
            made, latents = g.sample(len(images))
            logits = network(images)
            (slope,) = torch.autograd.grad(logits.logsumexp(1).sum(), images, create_graph=True)
            gap = (logits.logsumexp(1) - network(made.detach()).logsumexp(1)).mean()
            penalty = args.pg_control * slope.flatten(1).square().sum(1).mean() / 2
            optimisers[0].zero_grad()
            (args.clf_weight * nn.functional.cross_entropy(logits, labels) - gap + penalty).backward()
            optimisers[0].step()
            density = network(made).logsumexp(1).mean()
            if FIT_FIRST:
                g.fit(made, latents)
            entropy = g.entropy(made, latents)
            if not FIT_FIRST:
                g.fit(made, latents)
            optimisers[1].zero_grad()
            (-density - args.ent_weight * entropy).backward()
            optimisers[1].step()
            g.logsigma.data.clamp_(torch.tensor(args.min_sigma).log(), torch.tensor(args.max_sigma).log())
def parse(parser):
    parser.add_argument("--beta1", default=0.)
    parser.add_argument("--beta2", default=BETA)
""",
}


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Train on images of 8 pixels; real scripts need 32."""
    data = energy.DATA.but(image_size=8)
    monkeypatch.setitem(energy.SMALL, "data", data)
    for module in (energy, jempp, vera):
        monkeypatch.setattr(module, "DATA", data)


def verdicts(tmp_path, capsys, option, files, comparison, changes):
    for name, text in files.items():
        for word, value in changes.items():
            text = text.replace(word, str(value))
        path = tmp_path / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    code = main([f"--{option}", str(tmp_path), "--only", comparison])
    out, err = capsys.readouterr()
    assert not err
    rows = [line.split("  ") for line in out.splitlines() if ": " in line and "commits" not in line]
    differing = {row[0].split(": ")[1].strip() for row in rows if row[-1] == "DIFFERS"}
    assert code == bool(differing)
    return len(rows), differing


SAME = {"EARLY": True, "STEP": 0.2, "JITTER": 1e-4}
JEMPP = {"models/jem_models": JEMPP_MODELS, "train_jempp": JEMPP_SCRIPT}


@pytest.mark.parametrize(
    ("change", "differing"),
    [
        ({}, set()),
        ({"EARLY": False}, {"running statistics"}),
        ({"STEP": 0.21}, {"network after ten steps", "running statistics", "chains"}),
    ],
    ids=["equal", "order", "step"],
)
def test_steps_of_jempp(tmp_path, capsys, change, differing):
    assert verdicts(tmp_path, capsys, "jempp", JEMPP, "jempp-training", SAME | change) == (3, differing)


@pytest.mark.parametrize(("jitter", "differs"), [(1e-4, False), (1.1e-4, True)])
def test_initial_chains_of_jempp(tmp_path, capsys, jitter, differs):
    _, differing = verdicts(tmp_path, capsys, "jempp", JEMPP, "jempp-initialisation", SAME | {"JITTER": jitter})
    assert bool(differing) == differs


@pytest.mark.parametrize(
    ("change", "differing"),
    [
        ({}, set()),
        ({"FIT_FIRST": True}, {"width of the posterior"}),
        ({"COUNT": 0}, {"classifier after ten steps", "generator after ten steps", "noise scale of the generator"}),
        ({"lr=post_lr": "lr=post_lr, betas=(0., 0.9)"}, {"width of the posterior"}),
    ],
    ids=["equal", "order", "warm-up", "posterior"],
)
def test_steps_of_vera(tmp_path, capsys, change, differing):
    same = change | {"FIT_FIRST": False, "COUNT": 1, "BETA": 0.9} | change
    rows, found = verdicts(tmp_path, capsys, "vera", VERA_FILES, "vera-training", same)
    assert rows == 5
    assert differing <= found
    assert bool(found) == bool(differing)
