"""The paper: its tables and its figure. The reported values are invented."""

from harness.config.changes import at_most, over, times
from harness.config.evaluations import Accuracy, Calibration, Evaluation, Generation, Likelihood, OutOfDistribution
from harness.config.methods import Diffusion
from harness.config.run import Run
from harness.config.samplers import Ancestral
from harness.registry.claims import bounded, close, improves
from harness.registry.exhibit import Figure, Table
from harness.registry.metrics import ACCURACY, AUROC_INTERP, BPD, ECE, FID, Metric
from harness.registry.paper import Paper
from harness.registry.row import Row, Value
from harness.registry.scale import Scale, Spread
from harness.registry.scale_rules import Rules, everywhere
from harness.registry.tolerances import Allowance, Tolerance
from outside_paper.diffusion import QuadraticDDIM, RectifiedFlow
from outside_paper.evaluations import BRIER, RMSE, TOKEN_BITS, Brier, Errors, Margin, Projection, TokenBits
from outside_paper.figures import PredictedAgainstTrue
from outside_paper.runs import BEST, CLASSIFIED, DENOISED, FLOWING, LAST, MIXED, PLAIN, TOKENS

TUMOURS = Table(
    number=1,
    title="Mixed rows of a table",
    metrics=(ACCURACY, BRIER, ECE),
    rows=(
        Row("Plain", PLAIN, (Value(97.1, sd=0.6, n=5), Value(0.055, sd=0.008, n=5), 2.1)),
        Row("Mixup (α=0.4)", MIXED, (Value(97.4, sd=0.5, n=5), Value(0.06, sd=0.009, n=5), 5.9)),
        Row("Gradient boosting", None, (96.4, 0.061, None), source="cited"),
    ),
    claims=(close(ACCURACY, "Plain", "Mixup (α=0.4)", within=5, says="Mixing costs no accuracy.", where="§3"),),
    best=(ACCURACY,),
)
PROGRESSION = Table(
    number=2,
    title="Early stopping",
    metrics=(RMSE,),
    rows=(Row("Last", LAST, (0.78,)), Row("Best on validation", BEST, (0.71,))),
    claims=(improves("Last", "Best on validation", metrics=(RMSE,), says="Stopping early helps.", where="§4"),),
)
WALKS = Table(
    number=3,
    title="Walks",
    metrics=(TOKEN_BITS,),
    rows=(Row("GRU", TOKENS, (1.19,)), Row("Entropy of the chain", None, (1.157,), source="cited")),
    claims=(bounded(TOKEN_BITS, "GRU", low=1.0, says="Nothing can be known beyond the chain.", where="§5"),),
)
DIGITS = Table(
    number=4,
    title="Digits",
    metrics=(ACCURACY, AUROC_INTERP, FID, BPD),
    rows=(
        Row("Perceptron", CLASSIFIED, (96.0, 0.8, None, None)),
        Row("Gaussian", DENOISED, (None, None, 3.1, 5.2), section="Diffusion"),
        Row("Rectified flow", FLOWING, (None, None, 2.9, 5.0), section="Diffusion"),
    ),
)
SCATTER = Figure(
    number=1,
    title="Predictions",
    metrics=(RMSE,),
    rows=(Row("Last", LAST, (None,)), Row("Best on validation", BEST, (None,))),
    plot=PredictedAgainstTrue(),
)

PROTOCOLS: dict[Metric, Evaluation] = {
    ACCURACY: Accuracy(),
    AUROC_INTERP: OutOfDistribution(score=Margin()),
    BPD: Likelihood(),
    BRIER: Brier(),
    ECE: Calibration(bins=10),
    RMSE: Errors(split="holdout"),
    TOKEN_BITS: TokenBits(),
}


def protocol(metric: Metric, run: Run) -> Evaluation:
    """Return the evaluation that measures a metric of a run."""
    if metric != FID:
        return PROTOCOLS[metric]
    method = run.config.method
    is_flow = isinstance(method, Diffusion) and isinstance(method.process, RectifiedFlow)
    sampler = Ancestral() if is_flow else QuadraticDDIM(steps=20)
    return Generation(samples=1000, sampler=sampler, features=Projection())


RULES = Rules(
    rules=(
        everywhere(
            width=over(4),
            epochs=over(10),
            learning_rate=times(10),
            timesteps=over(12),
            sampler_steps=over(5),
            samples=at_most(100),
        ),
    )
)

PAPER = Paper(
    name="outside",
    title="A paper from outside",
    url="https://example.org/outside",
    tables=(TUMOURS, PROGRESSION, WALKS, DIGITS),
    figures=(SCATTER,),
    protocol=protocol,
    scales=(
        Scale(
            "laptop",
            "A tenth of the epochs, a quarter of the width: numbers are not comparable; trends are.",
            comparable=False,
            rules=RULES,
            spread={
                ("tumours", "accuracy", "outside.mixup outside.mlp"): Spread(1.0, 10),
                ("progression", "outside.rmse", "outside.regression outside.mlp"): Spread(0.02, 10),
            },
        ),
    ),
    tolerances={
        "accuracy": Tolerance((Allowance("the spread between seeds", absolute=1.5),)),
        "outside.brier": Tolerance((Allowance("the spread between seeds", absolute=0.02),)),
        "outside.rmse": Tolerance((Allowance("the spread between seeds", relative=0.05),)),
    },
)
