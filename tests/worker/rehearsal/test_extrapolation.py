"""Extrapolation from small evaluations to the full cost; small evaluations keep the shapes of the full ones."""

import pytest
from toy_paper import DENOISING, HYBRID

from harness.config.evaluations import Accuracy, Generation, Likelihood, OutOfDistribution, Robustness, Runtime, Size
from harness.config.samplers import DDIM
from harness.launch.plan import make_plan
from harness.registry.papers import find_exhibits
from harness.store.results import Results
from harness.worker.rehearsal.extrapolation import SHORTEST_CHAIN, Extrapolation, step_seconds

CONFIG = DENOISING.but(timesteps=1000).config
SLOW = Generation(samples=10_000, features="classifier")


class Clock:
    """Charges seconds for the first load, for each item, and for each item's step of the chain."""

    def __init__(self, once, item, step):
        self.once, self.item, self.step = once, item, step
        self.chains = []

    def __call__(self, reduced, config):
        chain = config.method.sampler_steps
        items = reduced.work(config).passes / (chain if isinstance(reduced, Generation | Likelihood) else 1)
        self.chains.append(chain)
        first, self.once = self.once, 0.0
        return first + items * (self.item + chain * self.step)


@pytest.mark.parametrize("step", [1e-6, 1e-4, 1e-3])
def test_fixed_cost_items_and_chain_steps_are_separated(step):
    clock = Clock(once=30.0, item=0.02, step=step)
    found = Extrapolation(SLOW, CONFIG, 200).measure(clock, seconds=60)
    assert found.full_seconds == pytest.approx(30 + 10_000 * (0.02 + 1000 * step), rel=1e-3)
    assert found.full_passes == 10_000 * 1000
    assert found.passes == 200 * found.chain
    assert clock.chains[:2] == [SHORTEST_CHAIN] * 2
    assert sum(clock.chains) == 2 * SHORTEST_CHAIN + found.chain


def test_the_whole_chain_is_gone_through_where_it_is_short_enough():
    assert Extrapolation(SLOW, CONFIG, 200).measure(Clock(0, 0, 1e-6), seconds=60).chain == 1000
    slow = Extrapolation(SLOW, CONFIG, 200).measure(Clock(0, 0, 1e-3), seconds=60)
    assert slow.chain == 300
    assert slow.seconds == pytest.approx(60)


def test_what_is_slow_at_once_is_tried_once():
    clock = Clock(once=0, item=1, step=0)
    found = Extrapolation(Accuracy(), HYBRID.config, 200).measure(clock, seconds=60)
    assert len(clock.chains) == 1
    assert found.full_seconds == pytest.approx(360)


def test_what_takes_no_steps_of_the_chain_leaves_it_alone():
    clock = Clock(once=0, item=0.001, step=0)
    Extrapolation(SLOW.but(sampler=DDIM(steps=50)), CONFIG, 200).measure(clock, seconds=60)
    assert set(clock.chains) == {1000}


@pytest.mark.parametrize("scale", ["laptop", "paper"])
def test_miniatures_of_all_protocols_are_small_and_in_shape(scale, tmp_path):
    seen = set()
    for planned in make_plan(find_exhibits(["all"]), scale, 1, (), Results(tmp_path)).runs:
        config = planned.run.config
        small = config.but(data=config.data.first(200))
        for evaluation in planned.evaluations.values():
            mini = evaluation.reduced(200)
            assert type(mini) is type(evaluation)
            assert mini.work(small).flops == evaluation.work(config).flops
            assert mini.work(small).passes <= evaluation.work(config).passes
            seen.add(type(evaluation))
    assert seen >= {Accuracy, Generation, Likelihood, OutOfDistribution, Robustness, Runtime, Size}


def test_a_step_takes_the_median_of_tens_or_the_mean_of_few():
    """The first step compiles, every tenth loads data; one block of ten is disturbed."""
    seconds = [9.0] + [0.1] * 9 + ([1.0] + [0.1] * 9) * 4
    seconds[25] = 30.0
    times = [sum(seconds[:i]) for i in range(len(seconds) + 1)]
    assert step_seconds(times) == pytest.approx(0.19)
    assert step_seconds(times[:4]) == pytest.approx(0.1)
