"""AutoAugment of a whole batch: the host draws which image gets which operation, the device never answers.

The draws are a function of addresses and equal on every device, so they are made on the CPU, where sizes of groups
are known without waiting. A group is the images of one operation; each is computed once, on its own images only.
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
    """What happens to each image in two steps, on the CPU.

    Both tensors are `(2, batch)`: `kinds` int64, an index into `KINDS` or their number where nothing happens, and
    `magnitudes` float64, with their signs.
    """

    kinds: Tensor
    magnitudes: Tensor


def autoaugment(images: Tensor, rows: Tensor, stream: Draws, policy: str) -> Tensor:
    """Apply one of the policy's sub-policies to each image `(batch, channels, size, size)` in [-1, 1].

    `rows` are on the CPU, wherever the images are. Pixels are taken as the nearest of 256 levels, and are those in
    the result; an image to which nothing happens comes back unchanged. Raises `HarnessError` for images that have
    neither one channel nor three.
    """
    if images.shape[1] not in (1, 3):
        raise HarnessError(f"policy '{policy}' is for images of 1 or 3 channels, not {images.shape[1]}")
    levels = (images * 127.5).add_(128).to(torch.uint8)
    return to_signed(carry_out(draw(rows, stream, policy), levels))


def published(policy: Policy, images: Tensor, rows: Tensor, stream: Draws) -> Tensor:
    """Apply the published policy of this name."""
    return autoaugment(images, rows, stream, policy.kind)


def draw(rows: Tensor, stream: Draws, policy: str) -> Plan:
    """Draw a sub-policy for each row, whether each of its steps is taken, and the signs of their magnitudes."""
    kinds, probabilities, magnitudes, signed = _table(policy)
    chosen = stream.at("sub-policy").integers(rows, len(kinds))
    taken = stream.at("taken").uniform(rows, 2) < probabilities[chosen]
    negative = (stream.at("sign").uniform(rows, 2) < 0.5) & signed[chosen]
    return Plan(
        torch.where(taken, kinds[chosen], len(KINDS)).T,
        torch.where(negative, -magnitudes[chosen], magnitudes[chosen]).T,
    )


def carry_out(plan: Plan, images: Tensor) -> Tensor:
    """Return the images `(batch, channels, size, size)` uint8 after both steps of the plan, on their device."""
    orders = plan.kinds.argsort(dim=1, stable=True)
    places = orders.argsort(dim=1)
    # Into the order of the first step, from there into that of the second, and from there back: sent at once.
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
    """Return kinds, probabilities, magnitudes and whether these have signs, each `(sub-policies, 2)`."""
    steps = [step for sub_policy in POLICIES[policy] for step in sub_policy]
    return (
        torch.tensor([KINDS.index(step.operation) for step in steps]).reshape(-1, 2),
        torch.tensor([step.probability for step in steps]).reshape(-1, 2),
        torch.tensor([step.magnitude for step in steps], dtype=torch.float64).reshape(-1, 2),
        torch.tensor([step.operation in SIGNED for step in steps]).reshape(-1, 2),
    )
