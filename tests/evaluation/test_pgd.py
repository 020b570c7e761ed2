"""PGD: against another implementation, within its ball, and independent of the other images in the batch."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from labelled import arrays_of

from harness.data.loaders import to_signed
from harness.evaluation.pgd import Attack, Box, Sphere
from harness.randomness import Stream

NORMS = ("linf", "l2")
BALLS = {"linf": Box, "l2": Sphere}
ATTACKS = {"linf": Attack(Box(0.2), 0.04, 12), "l2": Attack(Sphere(1.5), 0.3, 12)}


def distances(a, b, norm):
    return torch.linalg.vector_norm((a - b).flatten(1), ord=float("inf") if norm == "linf" else 2, dim=1)


@pytest.fixture(scope="module")
def victims(digits):
    images, labels = arrays_of(digits.split("test"))
    return to_signed(torch.from_numpy(np.array(images[:150]))), torch.from_numpy(labels[:150])


def first_errors(attack, logits_of, images, labels, start, block=100):
    return attack.first_errors(logits_of, images, labels, start, block, lambda ended: None)


def undropped(attack, logits_of, images, labels, start):
    """Attack all images for all steps; return the final points, and which images are misclassified at each step."""
    points, wrong = start, []
    for _ in range(attack.steps):
        logits, points = attack.ascend(logits_of, points, images, labels)
        wrong.append(logits.argmax(1) != labels)
    wrong.append(logits_of(points).argmax(1) != labels)
    return points, torch.stack(wrong)


@pytest.mark.parametrize("norm", NORMS)
def test_attack_equals_that_of_the_adversarial_robustness_toolbox(model, victims, norm):
    """The L2 images have low contrast to avoid the ends of the range: the toolbox clips before it projects."""
    from art.attacks.evasion import ProjectedGradientDescentPyTorch
    from art.estimators.classification import PyTorchClassifier

    class Logits(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.method = model

        def forward(self, images):
            return self.method.logits(images)

    images, labels = victims
    images = images * (1 if norm == "linf" else 0.5)
    attack = ATTACKS[norm] if norm == "linf" else Attack(Sphere(0.3), 0.06, 12)
    classifier = PyTorchClassifier(
        Logits().eval(), torch.nn.CrossEntropyLoss(), (1, 8, 8), 10, clip_values=(-1.0, 1.0), device_type="cpu"
    )
    reference = ProjectedGradientDescentPyTorch(
        classifier,
        norm=np.inf if norm == "linf" else 2,
        eps=attack.ball.radius,
        eps_step=attack.step_size,
        max_iter=attack.steps,
        num_random_init=0,
        batch_size=50,
        verbose=False,
    )
    theirs = torch.from_numpy(reference.generate(images.numpy(), np.eye(10)[labels.numpy()]))
    ours, wrong = undropped(attack, model.logits, images, labels, images)
    accuracy = (model.logits(theirs).argmax(1) == labels).float().mean().item()
    assert 0.1 < accuracy < 0.8
    assert (~wrong[-1]).float().mean().item() == pytest.approx(accuracy, abs=1.5 / len(labels))
    same = (ours - theirs).abs() < 1e-3
    assert same.float().mean() > 0.98


@pytest.mark.parametrize("norm", NORMS)
def test_dropping_the_fallen_changes_nothing(model, victims, norm):
    images, labels = victims
    start = ATTACKS[norm].ball.random_points(images, Stream("start"), torch.arange(len(images)))
    fallen = first_errors(ATTACKS[norm], model.logits, images, labels, start)
    _, wrong = undropped(ATTACKS[norm], model.logits, images, labels, start)
    expected = torch.where(wrong.any(0), wrong.int().argmax(0), -1)
    assert len(set(expected.tolist())) > 4
    assert (fallen == expected).float().mean() > 0.98
    assert (fallen == -1).float().mean().item() == pytest.approx((~wrong.any(0)).float().mean().item(), abs=0.01)


@pytest.mark.parametrize("norm", NORMS)
def test_the_block_changes_nothing(model, victims, norm):
    images, labels = victims
    found = [first_errors(ATTACKS[norm], model.logits, images, labels, images, block) for block in (7, 40, 1000)]
    assert all(torch.equal(other, found[0]) for other in found)


def counted(logits_of, sizes):
    """Return the same logits, and list the number of images of each query."""
    return lambda points: sizes.append(len(points)) or logits_of(points)


def test_blocks_stay_full_while_images_wait(model, victims):
    images, labels = victims
    sizes, ended = [], []
    ATTACKS["l2"].first_errors(counted(model.logits, sizes), images, labels, images, 20, ended.append)
    refilled = [size for size, number in zip(sizes, [0, *ended], strict=False) if len(images) - number >= 20]
    assert len(refilled) > len(images) // 20
    assert set(refilled) == {20}
    assert ended == sorted(ended)
    assert ended[-1] == len(images)


@pytest.mark.parametrize(("step_size", "queries"), [(0.0, 1), (0.5, 3)])
def test_an_image_that_only_repeats_itself_is_not_queried_again(step_size, queries):
    """The second attack goes from 0 to a corner of the ball, to the other one, and would go back."""

    def logits_of(images):
        position = images.flatten(1)
        return torch.cat([position * 0, 1 + (0.05 - position).abs()], dim=1)

    one, sizes = torch.zeros(1, 1, 1, 1), []
    attack = Attack(Box(0.1), step_size, 50)
    found = first_errors(attack, counted(logits_of, sizes), one, torch.ones(1, dtype=torch.int64), one)
    assert found.tolist() == [-1]
    assert len(sizes) == queries


@pytest.mark.parametrize("norm", NORMS)
@given(seed=st.integers(0, 10_000), radius=st.floats(0.005, 3), step=st.floats(0.001, 5))
@settings(max_examples=25, deadline=None)
def test_points_remain_within_the_ball_and_the_range_of_pixels(norm, seed, radius, step):
    ball, stream, rows = BALLS[norm](radius), Stream(seed), torch.arange(20)
    images = 2 * stream.at("images").uniform(rows, 3, 4, 4) - 1
    points = ball.random_points(images, stream, rows)
    for number in range(3):
        assert distances(points, images, norm).max() <= radius * (1 + 1e-5) + 1e-6
        assert points.abs().max() <= 1 or (norm == "l2" and number == 0)
        moved = points + step * ball.direction(stream.at("gradients", number).normal(rows, 3, 4, 4))
        points = ball.project(moved, images)


def test_an_l2_attack_starts_in_the_whole_ball_and_a_linf_attack_in_the_range_of_pixels():
    """The mean distance of a uniform direction and a uniform radius is half the radius only without clipping."""
    images, rows = torch.ones(2000, 1, 4, 4), torch.arange(2000)
    starts = BALLS["l2"](3.0).random_points(images, Stream(0), rows)
    assert starts.max() > 1.5
    assert distances(starts, images, "l2").mean().item() == pytest.approx(1.5, abs=0.05)
    assert BALLS["linf"](3.0).random_points(images, Stream(0), rows).abs().max() <= 1


@pytest.mark.parametrize("norm", NORMS)
def test_points_inside_are_left_where_they_are(norm):
    images = torch.zeros(5, 1, 4, 4)
    points = Stream(0).uniform(torch.arange(5), 1, 4, 4) * 0.01
    torch.testing.assert_close(BALLS[norm](0.5).project(points, images), points, rtol=0, atol=0)


def test_projection_by_hand():
    images, points = torch.tensor([[0.0, 0.0], [0.9, 0.0]]), torch.tensor([[0.6, 0.8], [2.0, 0.0]])
    torch.testing.assert_close(Sphere(0.5).project(points, images), torch.tensor([[0.3, 0.4], [1.0, 0.0]]))
    torch.testing.assert_close(Box(0.7).project(points, images), torch.tensor([[0.6, 0.7], [1.0, 0.0]]))


def test_random_starts_have_their_distributions():
    centres, rows = torch.zeros(4000, 1, 4, 4), torch.arange(4000)
    box = Box(0.5).random_points(centres, Stream(0), rows)
    assert box.mean().item() == pytest.approx(0, abs=0.01)
    assert box.var().item() == pytest.approx(0.5**2 / 3, rel=0.02)
    sphere = Sphere(0.5).random_points(centres, Stream(0), rows)
    lengths = distances(sphere, centres, "l2") / 0.5
    quartiles = torch.quantile(lengths, torch.tensor([0.25, 0.5, 0.75]))
    torch.testing.assert_close(quartiles, torch.tensor([0.25, 0.5, 0.75]), atol=0.03, rtol=0)
    assert sphere.mean(0).abs().max() < 0.01


@pytest.mark.parametrize("norm", NORMS)
def test_a_random_start_is_a_function_of_the_row(norm):
    images = torch.zeros(6, 1, 4, 4)
    ball, rows = BALLS[norm](0.5), torch.tensor([5, 9, 2, 7, 0, 1])
    together, apart = ball.random_points(images, Stream(0), rows), ball.random_points(images[:1], Stream(0), rows[3:4])
    assert torch.equal(together[3:4], apart)
    assert not torch.equal(together, ball.random_points(images, Stream(1), rows))


def test_steps_have_length_one_however_small_the_gradient():
    gradients = Stream(0).normal(torch.arange(4), 3, 4, 4) * torch.tensor([1, 1e-12, 1e-30, 0]).reshape(-1, 1, 1, 1)
    lengths = torch.linalg.vector_norm(Sphere(1.0).direction(gradients), dim=(1, 2, 3))
    torch.testing.assert_close(lengths, torch.tensor([1.0, 1.0, 1.0, 0.0]))
    assert Box(1.0).direction(gradients).abs().amax((1, 2, 3)).tolist() == [1, 1, 1, 0]


@pytest.mark.parametrize("norm", NORMS)
def test_a_constant_model_is_right_or_wrong_from_the_start(constant, victims, norm):
    images, labels = victims
    fallen = first_errors(ATTACKS[norm], constant.logits, images, labels, images)
    assert torch.equal(fallen, torch.where(labels == 3, -1, 0))
    _, moved = ATTACKS[norm].ascend(constant.logits, images, images, labels)
    torch.testing.assert_close(moved, images, rtol=0, atol=0)


def test_a_step_raises_the_loss_and_leaves_the_parameters_alone(model, victims):
    images, labels = victims
    model.zero_grad()
    before = torch.nn.functional.cross_entropy(model.logits(images), labels)
    for attack in ATTACKS.values():
        logits, moved = attack.ascend(model.logits, images, images, labels)
        assert torch.equal(logits, model.logits(images))
        assert torch.nn.functional.cross_entropy(model.logits(moved), labels) > before
        assert not moved.requires_grad
    assert all(parameter.grad is None for parameter in model.parameters())


def test_the_last_step_counts_too():
    """A wall that three steps of 0.1 from 0 do not pass, and four do."""

    def logits_of(images):
        position = images.flatten(1)
        return torch.cat([torch.zeros_like(position), 0.35 - position], dim=1)

    one = torch.zeros(1, 1, 1, 1)
    for steps, expected in ((3, -1), (4, 4), (9, 4)):
        attack = Attack(Box(0.9), 0.1, steps)
        assert first_errors(attack, logits_of, one, torch.ones(1, dtype=torch.int64), one).tolist() == [expected]


def test_nobody_is_attacked(model):
    none = torch.empty(0, 1, 8, 8)
    fallen = first_errors(ATTACKS["l2"], model.logits, none, torch.empty(0, dtype=torch.int64), none)
    assert fallen.tolist() == []
