"""Energy-based baselines at the laptop scale: shorter buffers and smaller generators, chains as long as the paper's."""

from typing import Any

from harness.spec.augmentation import Augmentation
from harness.spec.data import Dataset
from harness.spec.energy_methods import VERA, EnergyBased, Replayed
from harness.spec.run import RunConfig
from harness_papers.hybvit.small_networks import convolutional


def energy_based(config: RunConfig, data: Dataset, augmentation: Augmentation) -> dict[str, Any]:
    """Return what changes of a run with an energy-based method on its stand-in data.

    A tenth of the buffer, as there are fewer images; a generator an eighth as wide for images a quarter as large.
    Chains keep their steps, by whose cost the paper compares these methods.
    """
    assert isinstance(config.method, EnergyBased)
    changes = convolutional(config, data)
    method = config.method.but(augmentation=augmentation)
    if isinstance(method, Replayed):
        method = method.but(buffer_size=method.buffer_size // 10)
    if isinstance(method, VERA):
        generator = method.generator
        small = generator.but(features=generator.features // 8, noise_dim=generator.noise_dim // 4, doublings=2)
        method = method.but(generator=small)
        changes["player_optimizers"] = {
            name: optimizer.but(learning_rate=optimizer.learning_rate * 10)
            for name, optimizer in config.training.player_optimizers.items()
        }
    return changes | {"method": method}
