"""The training loop, from the step a run has reached to its last iteration.

The state of a run is a flat dictionary of tensors after a whole number of steps. Everything else (data order,
augmentation, noise, learning rate) is a function of the step, so resuming from a checkpoint continues exactly the same
computation.
"""

import math
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from harness.config.run import RunConfig
from harness.data.batches import TrainBatch
from harness.data.loaders import Loader
from harness.errors import HarnessError, SpecError, given, unknown
from harness.methods.base import Loss, Method, Step
from harness.models.acceleration import accelerate, matmuls_in
from harness.models.batch_norm import normalise_over_ranks
from harness.randomness import Stream
from harness.training.batches import prefetch
from harness.training.buffers import SharedBuffers
from harness.training.device import seed_modules
from harness.training.distributed import Communicator
from harness.training.divergence import Diverged, DivergenceRollback
from harness.training.ema import average_of
from harness.training.optimisation import build_optimizer
from harness.training.optimizer_state import OptimizerState
from harness.training.running_means import RunningMeans
from harness.training.selection import Best
from harness.training.state import below, evaluated_weights, under

__all__ = ["Diverged", "Hooks", "Trainer"]


@dataclass(frozen=True)
class Hooks:
    """Callbacks of the training loop, called between steps.

    `after_step` gets the number of finished steps, `after_epoch` also the epoch's means. `wants_stop` returns whether
    to stop early. `restarted` gets the reason after training has rolled back to its last good state.
    """

    after_step: Callable[[int], None]
    after_epoch: Callable[[int, dict[str, float]], None]
    wants_stop: Callable[[], bool]
    restarted: Callable[[Diverged], None] = field(default=lambda why: None)


class Trainer:
    """Trains a run. Holds the method, an optimiser and an EMA per player, and the current step.

    Every rank takes the same steps, each on its part of the batch. Raises `SpecError` if there are more ranks than
    examples in a batch, or the configuration names a player that the method does not have.
    """

    def __init__(
        self,
        config: RunConfig,
        method: Method,
        loader: Loader,
        device: torch.device,
        compiled: bool = False,
        comm: Communicator | None = None,
    ) -> None:
        self.config = config
        self.method = method.train()
        self.step = 0
        config.training.check_batch(config.data)
        self.iterations_per_epoch = config.training.iterations_per_epoch(config.data)
        self.iterations = config.training.iterations(config.data)
        players = method.players()
        config.training.check_players(players)
        self._optimizers = {
            name: build_optimizer(net.parameters(), config.training.optimizer_of(name)) for name, net in players.items()
        }
        self._optimizer_states = {name: OptimizerState(optimizer) for name, optimizer in self._optimizers.items()}
        self._emas = {name: average_of(net, config.training.average_of(name)) for name, net in players.items()}
        self._players = players
        # Walking through the modules for them in every step takes longer than clipping their gradients.
        self._parameters = {name: list(net.parameters()) for name, net in players.items()}
        self._device = device
        self._comm = comm or Communicator()
        for network in players.values():
            accelerate(network, config.training.precision, compiled)
            if self._comm.size > 1:
                normalise_over_ranks(network, self._comm.all_gather_tensor)
        self._part = self._comm.shard(config.training.batch_size)
        if self._comm.size > config.training.batch_size:
            raise SpecError(f"{self._comm.size} ranks exceed batch_size={config.training.batch_size}")
        self._ddp = {name: self._comm.wrap_ddp(network) for name, network in players.items()}
        self._buffers = SharedBuffers(players.values(), self._comm)
        self._loader = loader
        self._means = RunningMeans(device)
        self._rollback = DivergenceRollback(method.guard)
        validation = config.method.validation if config.training.select is not None else None
        self.best = Best(validation.better) if validation is not None else None
        self._batch_iterator: Generator[dict[str, TrainBatch]] | None = None
        method.prepare(loader)

    def run(self, hooks: Hooks) -> bool:
        """Train until the last iteration or until `hooks.wants_stop`, and return whether training is complete.

        Raises `Diverged` if the mean of an epoch is not finite, or a loss exceeds the method's guard, and no restart is
        left.
        """
        with closing(self):
            if self.step == 0:
                self._rollback.keep(0, self._own_state())
            while self.step < self.iterations:
                try:
                    self.train_step()
                    if self.step % self.iterations_per_epoch == 0:
                        hooks.after_epoch(self.step, self._close_epoch())
                        self._rollback.keep(self.step, self._own_state())
                except Diverged as error:
                    self._restart(error)
                    hooks.restarted(error)
                    continue
                hooks.after_step(self.step)
                if hooks.wants_stop():
                    break
        return self.step == self.iterations

    def train_step(self) -> None:
        """Take one training step, without closing an epoch."""
        step = self._step_inputs(next(self._batches()))
        # Third-party modules draw from torch's global generators, whose state checkpoints do not hold.
        seed_modules(step.stream.at("modules", self._comm.rank).seed, self._device)
        with matmuls_in(self.config.training.precision):
            losses: Any = self.method.training_step(step)
            if isinstance(losses, Tensor) or not isinstance(losses, Iterable):
                raise SpecError(f"{self._of} returns {given(losses)}: it must yield a Loss for each player to update")
            for loss in losses:
                self._check(loss)
                self._update(loss)
        self._buffers.sync()
        self.step += 1

    def close(self) -> None:
        """Discard prefetched batches."""
        if self._batch_iterator is not None:
            self._batch_iterator.close()
            self._batch_iterator = None

    def ema_weights(self) -> dict[str, Tensor]:
        """Return the current weights to evaluate: the method's state with the EMA weights of all players."""
        return evaluated_weights(self._own_state())

    def kept_weights(self) -> dict[str, Tensor]:
        """Return the weights to keep: the best so far if the run selects them, else the current EMA weights."""
        return evaluated_weights(self.state())

    def update_best(self, value: float) -> None:
        """Update the best state with the validation value of the current one; a no-op without selection."""
        if self.best is not None:
            self.best.update(value, self.step, self.ema_weights)

    def state(self) -> dict[str, Tensor]:
        """Return the complete training state."""
        best = self.best.state() if self.best is not None else {}
        return self._own_state() | under("restarts", self._rollback.state()) | under("best", best)

    def _own_state(self) -> dict[str, Tensor]:
        state = under("method", self.method.state_dict()) | under("meters", self._means.state())
        for name in self._players:
            state |= under(f"ema.{name}", self._emas[name].state())
            state |= under(f"optimizer.{name}", self._optimizer_states[name].flat())
        return state

    def load_state(self, step: int, state: dict[str, Tensor]) -> None:
        """Restore the output of `state` after `step` steps.

        Raises `HarnessError` if it belongs to another network or method.
        """
        try:
            self._rollback.load_state(below("restarts", state))
            if self.best is not None:
                self.best.load_state(below("best", state))
            self._load_own_state(step, state)
        except (RuntimeError, KeyError, ValueError) as error:
            raise HarnessError(f"the checkpoint does not fit this run: {str(error).splitlines()[0]}") from None

    def _load_own_state(self, step: int, state: Mapping[str, Tensor]) -> None:
        self.method.load_state_dict(below("method", state))
        self._means.load_state(below("meters", state))
        for name in self._players:
            self._emas[name].load_state(below(f"ema.{name}", state))
            self._optimizer_states[name].load(below(f"optimizer.{name}", state))
        self.close()
        self.step = step

    def _restart(self, error: Diverged) -> None:
        """Roll back to the last good state.

        Raises `Diverged` if no restart is left.
        """
        step, state = self._rollback.next(error)
        self._load_own_state(step, {key: value.clone() for key, value in state.items()})

    def _stream(self) -> Stream:
        """Return the random stream of training, a new one after each restart."""
        stream = Stream(self.config.seed, "training")
        return stream.at("restart", self._rollback.count) if self._rollback.count else stream

    def _step_inputs(self, batches: Mapping[str, TrainBatch]) -> Step:
        """Return the inputs of the next training step."""
        stream = self._stream().at("step", self.step)
        return Step(batches, stream, self.config.training.batch_size, self._comm.all_reduce_sum)

    def _batches(self) -> Iterator[dict[str, TrainBatch]]:
        if self._batch_iterator is None:
            batch_size, augmentations = self.config.training.batch_size, self.method.augmentations()
            self._batch_iterator = prefetch(
                self._loader, batch_size, self._part, augmentations, self._stream(), self.step
            )
        return self._batch_iterator

    @property
    def _of(self) -> str:
        return f"training_step of method '{self.config.method.kind}'"

    def _check(self, loss: Any) -> None:
        """Raise `SpecError` unless it is a differentiable scalar `Loss` of a known player."""
        if not isinstance(loss, Loss):
            raise SpecError(f"{self._of} yields {given(loss)}, not a Loss")
        if loss.player not in self._players:
            raise unknown(f"player of a loss in {self._of}", loss.player, self._players)
        for name, value in {"loss": loss.value, **loss.log}.items():
            if not isinstance(value, Tensor) or value.dim():
                shown = f"a tensor of shape {tuple(value.shape)}" if isinstance(value, Tensor) else given(value)
                raise SpecError(f"{self._of} yields as {name} {shown}, not a scalar tensor")
        if not loss.value.requires_grad:
            raise SpecError(f"{self._of} yields a loss of '{loss.player}' that depends on no parameter")

    def _update(self, loss: Loss) -> None:
        """Update one player. Its EMA is updated before the optimiser steps, one step late, as in the authors' code."""
        optimizer = self._optimizers[loss.player]
        optimizer.zero_grad(set_to_none=True)
        share = len(self._part) / self.config.training.batch_size
        if self.method.guard is not None:
            self._rollback.check(loss, self._comm.all_reduce_sum(share * loss.value.detach().double()), self.step + 1)
        with self._comm.detect_lost_rank():
            self._ddp[loss.player](loss.value * (share * self._comm.size)).backward()
        norm = self._clip(self._parameters[loss.player])
        self._buffers.sync()
        self._emas[loss.player].update(self.step)
        for group in optimizer.param_groups:
            group["lr"] = self._rate(self.step, loss.player)
        optimizer.step()
        means = {name: self._comm.all_reduce_sum(share * value.detach().double()) for name, value in loss.log.items()}
        self._means.add({**means, f"{loss.player}_grad_norm": norm})

    def _close_epoch(self) -> dict[str, float]:
        means = self._means.means_and_reset()
        broken = [name for name, value in means.items() if not math.isfinite(value)]
        if broken:
            epoch = self.step // self.iterations_per_epoch
            raise Diverged(f"training diverged in epoch {epoch}: {broken[0]} is {means[broken[0]]}")
        return {**means, "learning_rate": self._rate(self.step - 1, next(iter(self._players)))}

    def _clip(self, parameters: list[nn.Parameter]) -> Tensor:
        """Clip the gradients if configured, and return their norm before clipping."""
        if (largest := self.config.training.clip_norm) is not None:
            return nn.utils.clip_grad_norm_(parameters, largest)
        return nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None])

    def _rate(self, step: int, player: str) -> float:
        return self.config.training.rate(step, self.iterations_per_epoch, player)
