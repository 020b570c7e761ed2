"""The paper as the harness sees it: its tables and figures, scales and evaluation protocols."""

from experiments.hybvit import (
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
from experiments.hybvit.protocols import protocol
from experiments.hybvit.scales import LAPTOP
from harness.spec.paper import Paper, Tolerance

TABLES = (
    table1, table2, table3, table4, table5, table6, table7, table8, table9, table10, table11, table12, table13,
)  # fmt: skip

TOLERANCES = {
    "accuracy": Tolerance("the authors' log ends 0.3 above their table; 0.2 for another seed", absolute=0.5),
    "inception_score": Tolerance("spread over seeds is not reported; the log varies by this much", absolute=0.25),
    "bpd": Tolerance("one noise draw an image and step", absolute=0.03),
    "fid": Tolerance("spread over seeds is not reported; 10,000 samples carry a bias of 2.5", relative=0.1),
    "parameters_m": Tolerance("printed with one decimal, twice cut or rounded up", absolute=0.1),
    **{
        f"auroc_{name}": Tolerance("two decimals; another seed of training", absolute=0.03)
        for name in ("svhn", "interp", "cifar100", "celeba")
    },
    **{
        metric.key: Tolerance("1,000 images: two standard errors at 50 %, and another seed of training", absolute=5)
        for metric in (*table12.UNDER_LINF, *table12.UNDER_L2)
    },
}
"""Times have none: they depend on the GPU, and only their ratios are claimed."""

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
