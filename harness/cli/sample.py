"""`harness sample`: draws samples of a run, during or after its training."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.paths import PathType
from harness.cli.settings import Settings

if TYPE_CHECKING:
    from harness.config.methods import Method
    from harness.config.samplers import Sampler


@click.command("sample")
@click.argument("run")
@click.option("--sampler", "sampler_text", metavar="NAME[:STEPS]",
              help="ancestral, ddim, dpm_solver or a paper's own; fast samplers with a number of steps.  "
                   "[default: dpm_solver for a Gaussian diffusion, else ancestral]")  # fmt: skip
@click.option("--count", type=click.IntRange(1, 1000), default=64, show_default=True, help="Samples to draw.")
@click.option("--out", type=PathType(dir_okay=False), help="PNG to write.  [default: in the run]")
@click.option("--device", help="Torch device.  [default: cuda if there is one, else cpu]")
@click.pass_obj
def sample_command(
    settings: Settings, run: str, sampler_text: str | None, count: int, out: Path | None, device: str | None
) -> None:
    """Draw samples of a run. Uses its final weights, or its newest checkpoint while it trains.

    RUN is the beginning of a run's id. Tables and figures use the paper's full chain; the faster samplers are for
    previews, and the picture names the sampler.

    \b
    Examples:
      python -m harness sample d45a09
      python -m harness sample d45a09 --sampler ddim:50 --count 100
      python -m harness sample d45a09 --sampler ancestral
    """
    directory, sampler = settings.results.find(run), _read_sampler(sampler_text) if sampler_text else None

    from harness.config.dataset import Images
    from harness.data.pictures import as_pictures
    from harness.errors import SpecError

    planned = directory.run()
    data, sampler = planned.config.data, sampler or _default_sampler(planned.config.method)
    if not isinstance(data, Images):
        raise SpecError(f"{planned.name} ({planned.id}) has no pictures: dataset '{data.name}' holds {data.kind}")

    from harness.report.figures.images import write_mosaic
    from harness.training.device import prepare_device
    from harness.worker.preview import preview

    samples, step = preview(directory, sampler, count, prepare_device(device))
    images = as_pictures(samples, data.levels)
    if images is None:
        raise SpecError(f"{planned.name} ({planned.id}) has no pictures: its samples have {data.channels} channels")
    how = sampler.label or "ancestral, all steps"
    heading = (
        f"{planned.name} ({planned.id}) on {data.name}, step {step:,} of {planned.iterations:,}: EMA weights; {how}"
    )
    path = out or directory.previews / f"step-{step:09d}-{_file_name(sampler)}.png"
    write_mosaic(images, heading, path)
    settings.echo(f"{heading}\nwrote {path}")


def _default_sampler(method: "Method") -> "Sampler":
    """Return a fast sampler if the method's process has one, else its full chain."""
    from harness.config.processes import GaussianProcess
    from harness.config.samplers import Ancestral, DPMSolver

    if isinstance(process := getattr(method, "process", None), GaussianProcess):
        return DPMSolver(steps=min(DPMSolver().steps, process.sampler_steps))
    return Ancestral()


def _read_sampler(text: str) -> "Sampler":
    """Parse a sampler such as `ddim:50`.

    Raises `SpecError` for an unknown name or an impossible number of steps.
    """
    from harness.config.samplers import Sampler
    from harness.errors import SpecError

    name, _, steps = text.partition(":")
    if "steps" not in Sampler.of_kind(name).model_fields and steps:
        raise SpecError(f"sampler '{name}' uses all steps: write it without ':{steps}'")
    sampler: Sampler = Sampler.read({"kind": name, "steps": steps} if steps else {"kind": name})
    return sampler


def _file_name(sampler: "Sampler") -> str:
    """Return the kind with its settings, `ddim-50-0`, or with their hash if they are not all numbers."""
    settings = [value for name, value in sampler.model_dump(mode="json").items() if name != "kind"]
    numbers = all(isinstance(value, int | float) for value in settings)
    described = [f"{value:g}" for value in settings] if numbers else [sampler.digest[:8]]
    return "-".join([sampler.kind, *described])
