"""The configuration of a lab, which determines its files and daemons."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

MEMORY_MB = 8000


class Shape(BaseModel):
    """The user's settings of a lab: simulated nodes, CPUs and GPUs, accounting, authentication and limits."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    nodes: int = Field(default=4, ge=1, le=64)
    cpus_per_node: int = Field(default=8, ge=1, le=256)
    gpus_per_node: int = Field(default=0, ge=0, le=16)
    accounting: bool = True
    auth: Literal["munge", "none"] = "munge"
    max_array_size: int = Field(default=1001, ge=2, le=4_000_001)
    grace_seconds: int = Field(default=5, ge=0, le=3600)

    @property
    def ports(self) -> int:
        """The number of ports: one each for slurmctld, the nodes and slurmdbd."""
        return self.nodes + 2


class Configuration(Shape):
    """A shape with the values chosen when a lab starts."""

    first_port: int
    first_job: int
    user: str
    host: str

    @property
    def node_names(self) -> tuple[str, ...]:
        """The names of the nodes."""
        return tuple(f"node{i + 1}" for i in range(self.nodes))

    @property
    def controller_port(self) -> int:
        """The port of slurmctld."""
        return self.first_port

    @property
    def accounting_port(self) -> int:
        """The port of slurmdbd."""
        return self.first_port + self.nodes + 1

    def node_port(self, name: str) -> int:
        """Return the port of a node's slurmd."""
        return self.first_port + 1 + self.node_names.index(name)
