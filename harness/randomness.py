"""Counter-based random numbers: every draw is a function of its address and row, independent of earlier draws.

A stream has an address such as (run seed, "noise", step). Its numbers are indexed by row (the position of an image
in the global batch, or the index of a generated sample), so a resumed run, another number of ranks or another
batch size draws the same numbers, and no generator state has to be saved. Their bits are the
finaliser of SplitMix64 (Steele, Lea, Flood, 2014) applied to a counter, in integer arithmetic, equal on all devices.
"""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from math import prod, tau
from typing import Self

import torch
from torch import Tensor

# The constants of SplitMix64 as signed 64-bit integers, for int64 tensors.
GOLDEN_GAMMA = 0x9E3779B97F4A7C15 - (1 << 64)
MIX_1 = 0xBF58476D1CE4E5B9 - (1 << 64)
MIX_2 = 0x94D049BB133111EB - (1 << 64)


class Draws(ABC):
    """Random numbers indexed by row.

    Draws take `rows`, an int64 tensor of indices, and return a tensor on the same device with one entry per row in the
    first dimension. Equal addresses and rows give equal numbers.
    """

    @abstractmethod
    def at(self, *address: int | str) -> Self:
        """Return the draws at an address below this one."""

    def uniform(self, rows: Tensor, *shape: int) -> Tensor:
        """Return float32 numbers in [0, 1), of shape `(len(rows), *shape)`."""
        return _unit(self._bits(rows, prod(shape)) >> 8).reshape(-1, *shape)

    def normal(self, rows: Tensor, *shape: int) -> Tensor:
        """Return float32 standard normal numbers, of shape `(len(rows), *shape)` (Box-Muller)."""
        count = prod(shape)
        words = self._bits(rows, (count + 1) // 2)
        radius = torch.sqrt(-2 * torch.log(_unit(words >> 8) + 2.0**-25))  # half a step up: log(0) is infinite
        angle = tau * _unit(words >> 36)
        pairs = torch.cat([radius * torch.cos(angle), radius * torch.sin(angle)], dim=1)
        return pairs[:, :count].reshape(-1, *shape)

    def integers(self, rows: Tensor, high: int) -> Tensor:
        """Return int64 numbers in [0, high), of shape `(len(rows),)`, for `high` up to 2^31."""
        return ((self._bits(rows, 1)[:, 0] >> 20) & 0xFFFFFFFF) * high >> 32

    def permutations(self, n: int, device: torch.device | str = "cpu") -> Tensor:
        """Return a random permutation of 0 to n - 1 for every address, of shape `(addresses, n)`."""
        return self._bits(torch.zeros(1, dtype=torch.int64, device=device), n).argsort(dim=1, stable=True)

    @abstractmethod
    def _bits(self, rows: Tensor, count: int) -> Tensor:
        """Return int64 words of 64 random bits, of shape `(len(rows), count)`."""


class Stream(Draws):
    """The random numbers at one address."""

    def __init__(self, *address: int | str) -> None:
        self.address = address
        text = "/".join(f"{type(part).__name__}:{part}" for part in address)
        self.key = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little", signed=True)

    def at(self, *address: int | str) -> Self:
        """Return the stream at an address below this one."""
        return type(self)(*self.address, *address)

    def counters(self, rows: Tensor) -> Tensor:
        """Return an int64 counter for each row, the input of `bernoulli`."""
        return self.key + _counter(rows)

    def permutation(self, n: int, device: torch.device | str = "cpu") -> Tensor:
        """Return a random permutation of 0 to n - 1."""
        return self.permutations(n, device)[0]

    @property
    def seed(self) -> int:
        """A seed for library code, from 0 to 2^63 - 1."""
        return self.key & 0x7FFFFFFFFFFFFFFF

    def generator(self) -> torch.Generator:
        """Return a CPU generator seeded by this address, for library code."""
        return torch.Generator().manual_seed(self.seed)

    def _bits(self, rows: Tensor, count: int) -> Tensor:
        return _words(self.counters(rows), count)


class Streams(Draws):
    """Random numbers at several addresses.

    The first dimension of the draws iterates over the addresses, with the same rows for each, or with a separate row of
    `rows` of shape `(addresses, rows)`.
    """

    def __init__(self, streams: Sequence[Stream]) -> None:
        self._streams = streams
        self._keys = torch.tensor([stream.key for stream in streams])

    def __len__(self) -> int:
        return len(self._streams)

    def at(self, *address: int | str) -> Self:
        """Return the streams at an address below each of these."""
        return type(self)([stream.at(*address) for stream in self._streams])

    def _bits(self, rows: Tensor, count: int) -> Tensor:
        keys = self._keys.to(rows.device, non_blocking=True)
        return _words((keys[:, None] + _counter(rows)).flatten(), count)


def bernoulli(counters: Tensor, probability: float, *shape: int) -> Tensor:
    """Return Bernoulli draws for each counter, as booleans of shape `(len(counters), *shape)`.

    The probability is rounded to a multiple of 2^-16, since each word yields four draws.
    """
    count = prod(shape)
    words = _words(counters, (count + 3) // 4)
    pieces = torch.stack([words >> shift & 0xFFFF for shift in (0, 16, 32, 48)], dim=-1)
    return (pieces.flatten(1)[:, :count] < round(probability * 2**16)).reshape(-1, *shape)


def _counter(rows: Tensor) -> Tensor:
    return (rows.to(torch.int64) + 1) * GOLDEN_GAMMA


def _words(counters: Tensor, count: int) -> Tensor:
    columns = torch.arange(1, count + 1, dtype=torch.int64, device=counters.device)
    return _mix(_mix(counters)[:, None] + columns * GOLDEN_GAMMA)


def _mix(words: Tensor) -> Tensor:
    words = (words ^ _shift(words, 30)) * MIX_1
    words = (words ^ _shift(words, 27)) * MIX_2
    return words ^ _shift(words, 31)


def _shift(words: Tensor, by: int) -> Tensor:
    """Shift right logically, without sign extension."""
    return (words >> by) & ((1 << (64 - by)) - 1)


def _unit(words: Tensor) -> Tensor:
    """Convert the lowest 24 bits to a float32 in [0, 1)."""
    return (words & 0xFFFFFF).to(torch.float32) * 2.0**-24
