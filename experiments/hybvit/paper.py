"""The paper as the harness sees it: its tables, scales and evaluation protocols."""

from experiments.hybvit import cost, table1, table4, table5, table6, table10
from experiments.hybvit.scales import LAPTOP
from harness.spec.evaluations import Accuracy, Evaluation, Generation, Likelihood
from harness.spec.metrics import ACCURACY, BPD, FID, INCEPTION_SCORE, Metric
from harness.spec.paper import Paper, Tolerance
from harness.spec.run import Run

GENERATION = Generation(samples=10_000, features="inception", reference="train", score_splits=10)

PROTOCOLS: dict[Metric, Evaluation] = {
    ACCURACY: Accuracy(),
    INCEPTION_SCORE: GENERATION,
    FID: GENERATION,
    BPD: Likelihood(),
}

TOLERANCES = {
    "accuracy": Tolerance("the authors' log ends 0.3 above their table; 0.2 for another seed", absolute=0.5),
    "inception_score": Tolerance("spread over seeds is not reported; the log varies by this much", absolute=0.25),
    "bpd": Tolerance("one noise draw an image and step", absolute=0.03),
    "fid": Tolerance("spread over seeds is not reported; 10,000 samples carry a bias of 2.5", relative=0.1),
}


def protocol(metric: Metric, run: Run) -> Evaluation:
    """Return how the authors' code measures a metric (docs/deviations.md)."""
    return PROTOCOLS[metric]


PAPER = Paper(
    name="hybvit",
    title="Your ViT is Secretly a Hybrid Discriminative-Generative Diffusion Model",
    url="https://arxiv.org/abs/2208.07791",
    tables=tuple(table.TABLE for table in (table1, table4, table5, table6, table10)),
    protocol=protocol,
    scales=(LAPTOP,),
    gpu_hours=cost.gpu_hours,
    tolerances=TOLERANCES,
)
