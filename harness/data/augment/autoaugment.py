"""AutoAugment of a whole batch, planned on the CPU and executed on the device without synchronisation.

Draws are a function of addresses, so they can be made on the CPU, where group sizes are known without waiting for the
device. A group is the set of images that get the same operation; each operation runs once, on its group only.
"""

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from harness.config.augmentation import Policy
from harness.data.augment.image_ops import OPERATIONS
from harness.data.augment.policies import POLICIES, SIGNED
from harness.data.loaders import to_signed
from harness.errors import HarnessError
from harness.randomness import Draws

KINDS = tuple(OPERATIONS)


@dataclass(frozen=True)
class Plan:
    """The two operations of each image, on the CPU.

    Both tensors are `(2, batch)`: `kinds` int64, an index into `KINDS`, or `len(KINDS)` for no operation, and
    `magnitudes` float64, signed.
    """

    kinds: Tensor
    magnitudes: Tensor


def autoaugment(images: Tensor, rows: Tensor, stream: Draws, policy: str) -> Tensor:
    """Apply a random sub-policy of a policy to each image `(batch, channels, size, size)` in [-1, 1].

    `rows` are always on the CPU. Pixels are rounded to 256 levels, even if no operation applies. Raises `HarnessError`
    unless images have 1 or 3 channels.
    """
    if images.shape[1] not in (1, 3):
        raise HarnessError(f"policy '{policy}' needs images of 1 or 3 channels, not {images.shape[1]}")
    levels = (images * 127.5).add_(128).to(torch.uint8)
    return to_signed(apply_plan(draw(rows, stream, policy), levels))


def published(policy: Policy, images: Tensor, rows: Tensor, stream: Draws) -> Tensor:
    """Apply the published policy named by its kind."""
    return autoaugment(images, rows, stream, policy.kind)


def draw(rows: Tensor, stream: Draws, policy: str) -> Plan:
    """Draw for each row a sub-policy, whether each of its steps is applied, and the signs of the magnitudes."""
    kinds, probabilities, magnitudes, signed = _table(policy)
    chosen = stream.at("sub-policy").integers(rows, len(kinds))
    taken = stream.at("taken").uniform(rows, 2) < probabilities[chosen]
    negative = (stream.at("sign").uniform(rows, 2) < 0.5) & signed[chosen]
    return Plan(
        torch.where(taken, kinds[chosen], len(KINDS)).T,
        torch.where(negative, -magnitudes[chosen], magnitudes[chosen]).T,
    )


def apply_plan(plan: Plan, images: Tensor) -> Tensor:
    """Apply both steps of a plan to images `(batch, channels, size, size)` uint8, on their device."""
    orders = plan.kinds.argsort(dim=1, stable=True)
    places = orders.argsort(dim=1)
    # The permutations into the first step's order, from there into the second's, and back, in one transfer.
    moves = torch.stack([orders[0], places[0][orders[1]], places[1]]).to(images.device, non_blocking=True)
    magnitudes = plan.magnitudes.gather(1, orders).to(images.device, non_blocking=True)
    for step in range(2):
        sizes = plan.kinds[step].bincount(minlength=len(KINDS) + 1).tolist()
        groups = list(zip(images.index_select(0, moves[step]).split(sizes), magnitudes[step].split(sizes), strict=True))
        *busy, (idle, _) = groups
        done = [OPERATIONS[kind](*group) for kind, group in zip(KINDS, busy, strict=True) if len(group[0])]
        images = torch.cat([*done, idle])
    return images.index_select(0, moves[2])


@lru_cache
def _table(policy: str) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return kinds, probabilities, magnitudes, and whether magnitudes are signed, each `(sub-policies, 2)`."""
    steps = [step for sub_policy in POLICIES[policy] for step in sub_policy]
    return (
        torch.tensor([KINDS.index(step.operation) for step in steps]).reshape(-1, 2),
        torch.tensor([step.probability for step in steps]).reshape(-1, 2),
        torch.tensor([step.magnitude for step in steps], dtype=torch.float64).reshape(-1, 2),
        torch.tensor([step.operation in SIGNED for step in steps]).reshape(-1, 2),
    )
