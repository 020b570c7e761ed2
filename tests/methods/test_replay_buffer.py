"""The replay buffer: which chains a step continues or restarts, and agreement between ranks."""

import torch

from harness.methods.base import Step
from harness.methods.replay_buffer import ReplayBuffer
from harness.randomness import Stream

SHAPE = (1, 2, 2)


def buffer_of(size, reinitialised=0.05):
    buffer = ReplayBuffer(size, SHAPE, reinitialised)
    buffer.images.copy_(torch.arange(size).reshape(-1, 1, 1, 1).expand(size, *SHAPE))
    return buffer


def step_of(number, batch_size=8, all_reduce_sum=lambda tensor: tensor):
    return Step({}, Stream("run", number), batch_size, all_reduce_sum)


def test_a_step_continues_different_chains_and_over_many_steps_all_of_them():
    buffer = buffer_of(40)
    seen = [buffer.slots(step_of(number)) for number in range(100)]
    assert all(len(set(slots.tolist())) == 8 for slots in seen)
    counts = torch.cat(seen).bincount(minlength=40)
    assert counts.min() > 5
    assert counts.max() < 45


def test_chains_begin_in_their_slots_or_restart():
    buffer, fresh = buffer_of(40, reinitialised=0.25), torch.full((8, *SHAPE), -7.0)
    anew = 0
    for number in range(200):
        step = step_of(number)
        begun = buffer.begin(step, torch.arange(8), fresh)[:, 0, 0, 0]
        is_fresh = begun == -7
        assert torch.equal(begun[~is_fresh], buffer.slots(step)[~is_fresh].float())
        anew += int(is_fresh.sum())
    assert abs(anew / 1600 - 0.25) < 0.04


def test_what_has_ended_is_found_where_it_belongs():
    buffer, step = buffer_of(40, reinitialised=0.0), step_of(3)
    ends = 100 + torch.arange(8.0).reshape(-1, 1, 1, 1).expand(8, *SHAPE)
    others = [slot for slot in range(40) if slot not in buffer.slots(step).tolist()]
    buffer.keep(step, torch.arange(8), ends)
    assert torch.equal(buffer.images[buffer.slots(step)], ends)
    assert torch.equal(buffer.images[others][:, 0, 0, 0], torch.tensor(others).float())
    assert torch.equal(buffer.begin(step, torch.tensor([5]), ends[:1]), ends[5:6])


def test_every_rank_ends_with_the_buffer_of_one_rank_alone():
    ends = torch.rand(8, *SHAPE, generator=torch.Generator().manual_seed(0))
    parts = [torch.arange(3), torch.arange(3, 8)]
    shares = [step_of(1).gather_rows(ends[rows], rows) for rows in parts]
    alone = buffer_of(40)
    alone.keep(step_of(1), torch.arange(8), ends)
    for rank, rows in enumerate(parts):
        together = buffer_of(40)
        together.keep(step_of(1, all_reduce_sum=lambda own, rank=rank: own + shares[1 - rank]), rows, ends[rows])
        assert torch.equal(together.images, alone.images)


def test_the_buffer_is_part_of_the_state():
    assert set(buffer_of(3).state_dict()) == {"images"}
