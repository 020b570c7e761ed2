"""How a worker does its work. Nothing here decides a result beyond rounding, so none of it is in a run's identity."""

from typing import Literal

from harness.config.base import Config


class Execution(Config):
    """The choices of a worker; `auto` leaves them to what the machine has.

    `loader` names what keeps the pixels of a split, `compile` says whether networks are compiled, `tensorboard` whether
    the run is shown in TensorBoard too.
    """

    loader: Literal["auto", "resident", "ffcv", "torch"] = "auto"
    compile: Literal["auto", "on", "off"] = "auto"
    tensorboard: bool = False

    def arguments(self) -> list[str]:
        """Return the command-line options that say the same."""
        options = [f"--loader={self.loader}", f"--compile={self.compile}"]
        return options + (["--tensorboard"] if self.tensorboard else [])
