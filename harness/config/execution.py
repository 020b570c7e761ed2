"""Execution options of a worker. They affect results by rounding only, so they are not part of a run's id."""

from typing import Literal

from harness.config.base import Config


class Execution(Config):
    """Options of a worker; `auto` chooses by the hardware and packages of the machine.

    `loader` is the data loader, `compile` whether to compile networks, `tensorboard` whether to write event files for
    TensorBoard.
    """

    loader: Literal["auto", "resident", "ffcv", "torch"] = "auto"
    compile: Literal["auto", "on", "off"] = "auto"
    tensorboard: bool = False

    def arguments(self) -> list[str]:
        """Return the options as command-line arguments."""
        options = [f"--loader={self.loader}", f"--compile={self.compile}"]
        return options + (["--tensorboard"] if self.tensorboard else [])
