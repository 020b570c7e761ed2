"""The HybViT paper: its tables and figures, scales and evaluation protocols."""

from harness.registry.paper import Paper
from harness_papers.hybvit import (
    cost,
    figures,
    table1,
    table2,
    table3,
    table4,
    table5,
    table6,
    table7,
    table8,
    table9,
    table10,
    table11,
    table12,
    table13,
)
from harness_papers.hybvit.protocols import protocol
from harness_papers.hybvit.scales import LAPTOP
from harness_papers.hybvit.tolerances import TOLERANCES

TABLES = (
    table1, table2, table3, table4, table5, table6, table7, table8, table9, table10, table11, table12, table13,
)  # fmt: skip

PAPER = Paper(
    name="hybvit",
    title="Your ViT is Secretly a Hybrid Discriminative-Generative Diffusion Model",
    url="https://arxiv.org/abs/2208.07791",
    tables=tuple(module.TABLE for module in TABLES),
    figures=figures.FIGURES,
    optional=(table2.ALIGNED, table5.SCHEDULES, figures.FIGURE14),
    protocol=protocol,
    scales=(LAPTOP,),
    gpu_hours=cost.gpu_hours,
    tolerances=TOLERANCES,
)
