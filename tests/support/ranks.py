"""Several ranks as processes of this machine: forks of a server that imports torch once."""

import multiprocessing
import os
import socket
from multiprocessing import forkserver
from pathlib import Path

from surroundings import FIXED, taken_on

PRELOADED = [
    *(
        "harness.worker.run_worker",
        "harness.launch.forks.client",
        "harness.launch.forking",
        "torch._dynamo",
        "torch.profiler",
        "scipy.linalg",
        "scipy.stats",
        "rich.progress",
        "ranks",
    ),
    *("warm", "harness.cli.main", "harness.launch.local", "toy_paper", "harness_papers.hybvit.paper"),
]


def server():
    """Return the context of the running fork server, which has read import-time settings as a new process would."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    with taken_on(os.environ | FIXED):
        forkserver.ensure_running()
    return context


def start(size, work, *arguments):
    """Start `work(world, *arguments)`, a module-level function, on several ranks; return their processes."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    context = server()
    processes = [
        context.Process(target=_rank, args=(rank, size, port, work, arguments), daemon=True) for rank in range(size)
    ]
    for process in processes:
        process.start()
    return processes


def run(size, work, *arguments):
    """Run several ranks to their end."""
    processes = start(size, work, *arguments)
    for process in processes:
        process.join(240)
        assert process.exitcode == 0, f"a rank of {size} ended with {process.exitcode}"


def _rank(rank, size, port, work, arguments):
    import torch

    from harness.training.distributed import join

    torch.set_num_threads(1)
    with join(rank, size, f"tcp://127.0.0.1:{port}", torch.device("cpu")) as comm:
        work(comm, *arguments)


def train(comm, config, data_root, first, steps, folder: Path, change=0.0):
    """Train from the state in `folder` after `first` steps, or from the beginning.

    Every rank saves its curve and its final state. `change` perturbs the initial weights, relative to their size.
    """
    import numpy as np
    import torch
    from safetensors.torch import load_file, save_file

    from harness.data.loaders import ResidentLoader
    from harness.data.prepared.dataset import open_dataset
    from harness.methods.base import build_method
    from harness.training.loop import Trainer

    cpu = torch.device("cpu")
    loader = ResidentLoader(open_dataset(config.data, data_root).split("train"), cpu)
    method = build_method(config, cpu)
    with torch.no_grad():
        for weight in method.parameters():
            weight += change * weight * torch.randn(weight.shape, generator=torch.Generator().manual_seed(0))
    trainer = Trainer(config, method, loader, cpu, comm=comm)
    if first:
        trainer.load_state(first, load_file(folder / f"{first}.safetensors"))

    def logged():
        return {name: value for name, value in trainer.state().items() if name.startswith("meters.")}

    curve, before = [], logged()
    for _ in range(first, steps):
        trainer.train_step()
        sums = logged()
        curve.append([(value - before.get(name, 0))[0].item() for name, value in sorted(sums.items())])
        before = sums
    folder.mkdir(exist_ok=True)
    np.save(folder / f"curve-{comm.rank}.npy", np.array(curve))
    save_file({k: v.contiguous().clone() for k, v in trainer.state().items()}, folder / f"rank-{comm.rank}.safetensors")
    if comm.is_main:
        os.replace(folder / "rank-0.safetensors", folder / f"{steps}.safetensors")
    trainer.close()


def select(comm, config, data_root, folder: Path):
    """Train with validation after each epoch; every rank saves its state, and rank 0 the values."""
    import json

    import torch
    from safetensors.torch import save_file

    from harness.data.loaders import ResidentLoader
    from harness.data.prepared.dataset import open_dataset
    from harness.methods.base import build_method
    from harness.training.loop import Hooks, Trainer
    from harness.worker.validation import Validator

    cpu = torch.device("cpu")
    data = open_dataset(config.data, data_root)
    loaders = {split: ResidentLoader(data.split(split), cpu) for split in ("train", *config.validated_splits)}
    trainer = Trainer(config, build_method(config, cpu), loaders["train"], cpu, comm=comm)
    validator = Validator(config, {split: loaders[split] for split in config.validated_splits}, cpu, comm)
    values = []

    def after_epoch(step, means):
        values.append(validator.validate(trainer.ema_weights()))
        trainer.update_best(values[-1][config.deciding_value])

    trainer.run(Hooks(lambda step: None, after_epoch, lambda: False))
    folder.mkdir(exist_ok=True)
    save_file(trainer.state(), folder / f"{comm.rank}.safetensors")
    (folder / f"{comm.rank}.json").write_text(json.dumps(values))


def normalised(module, batch, elements):
    """Return output, gradients, second gradients and statistics of a function of the normalised batch, by name.

    The function is a mean over `elements` elements, of which a rank may have a part.
    """
    import torch

    batch = batch.clone().requires_grad_()
    output = module(batch)
    (first,) = torch.autograd.grad(output.pow(3).sum() / elements, batch, create_graph=True)
    (second,) = torch.autograd.grad(first.square().sum(), batch)
    found = {"output": output, "first": first, "second": second}
    if trained := dict(module.named_parameters()):
        gradients = torch.autograd.grad(module(batch).pow(3).sum() / elements, list(trained.values()))
        found |= dict(zip(trained, gradients, strict=True))
    return {name: value.detach().clone() for name, value in (found | dict(module.named_buffers())).items()}


def normalise(comm, module, batch, folder: Path):
    """Normalise a rank's rows of a batch; every rank saves its results."""
    from copy import deepcopy

    from safetensors.torch import save_file

    from harness.models.batch_norm import normalise_over_ranks

    module = deepcopy(module)  # shared memory: the module that was sent is the same on all ranks
    normalise_over_ranks(module, comm.all_gather_tensor)
    rows = comm.shard(len(batch))
    save_file(normalised(module, batch[rows.start : rows.stop], batch.numel()), folder / f"{comm.rank}.safetensors")


def evaluate(comm, config, weights, evaluations, data_root, folder: Path):
    """Evaluate a model with the given weights; rank 0 saves the records as JSON, next to the artefacts."""
    import torch
    from safetensors.torch import load_file

    from harness.data.loaders import ResidentLoader
    from harness.data.prepared.dataset import open_dataset
    from harness.evaluation.base import Subject
    from harness.evaluation.run import measure
    from harness.methods.base import build_method

    cpu = torch.device("cpu")
    model = build_method(config, cpu).eval()
    model.load_state_dict(load_file(weights))
    for evaluation in evaluations:
        artefacts = folder / evaluation.id
        comm.on_first_rank(lambda at=artefacts: at.mkdir(parents=True))
        record = measure(
            evaluation,
            Subject(
                config=config,
                model=model,
                weights_sha256="0" * 64,
                data=open_dataset(config.data, data_root),
                data_root=data_root,
                device=cpu,
                compiled=False,
                artefacts=artefacts,
                cache=folder.parent / "cache",
                report=lambda done, total: None,
                open_data=lambda data: open_dataset(data, data_root),
                open_loader=lambda data, split: ResidentLoader(data.split(split), cpu),
                comm=comm,
            ),
        )
        if comm.is_main:
            record.save(folder / f"{evaluation.id}.json")


def sum_forever(comm, started: Path):
    """Call all-reduce until another rank is lost; every rank marks its start and the loss."""
    import torch

    from harness.training.distributed import LostRank

    try:
        while True:
            comm.all_reduce_sum(torch.ones(3))
            (started / f"{comm.rank}").touch()
    except LostRank:
        (started / f"lost-{comm.rank}").touch()
        os._exit(76)


def step_with_a_bad_row(comm, config, data_root, bad, bound, folder: Path):
    """Take one step in which only the last row of the global batch has a (bad) loss.

    Every rank notes whether the divergence guard has stopped it.
    """
    import torch

    from harness.data.loaders import ResidentLoader
    from harness.data.prepared.dataset import open_dataset
    from harness.methods.base import DivergenceGuard, Loss, Method
    from harness.training.loop import Diverged, Trainer

    class Uneven(Method):
        guard = DivergenceGuard(bound, restarts=1)

        def __init__(self):
            super().__init__()
            self.network = torch.nn.Linear(1, 1)
            torch.nn.init.ones_(self.network.weight)

        def augmentations(self):
            return {"clean": None}

        def players(self):
            return {"network": self.network}

        def initialise(self, stream):
            pass

        def training_step(self, step):
            of_rows = torch.where(step.batches["clean"].rows == step.batch_size - 1, bad, 0.0)
            yield Loss("network", (of_rows * self.network.weight.sum() + 0 * self.network.bias.sum()).mean())

    cpu = torch.device("cpu")
    loader = ResidentLoader(open_dataset(config.data, data_root).split("train"), cpu)
    trainer, stopped = Trainer(config, Uneven(), loader, cpu, comm=comm), ""
    try:
        trainer.train_step()
    except Diverged as error:
        stopped = str(error)
    trainer.close()
    (folder / str(comm.rank)).write_text(stopped)
