"""An external distribution that is only on the path: a method whose torch code is in a helper package.

Neither the module of its kinds nor the helper has an entry point.
"""

FILES = {
    "mixup_paper-1.2.dist-info/METADATA": "Metadata-Version: 2.1\nName: mixup-paper\nVersion: 1.2\n",
    "mixup_paper-1.2.dist-info/entry_points.txt": "[harness.papers]\nmixup = mixup_paper.paper:PAPER\n",
    "mixup_paper/__init__.py": "",
    "mixup_paper/kinds.py": '''
from typing import ClassVar, Literal

from harness.config.methods import Classification


class Mixup(Classification):
    """Classification under another name."""

    kind: Literal["mixup.classification"] = "mixup.classification"
    implementation: ClassVar[str] = "mixup_nn.methods:Mixup"
''',
    "mixup_paper/paper.py": """
from harness.data.catalogue import DIGITS
from harness.config.evaluations import Accuracy, Calibration
from harness.registry.exhibit import Table
from harness.config.methods import Classification
from harness.registry.metrics import ACCURACY, ECE
from harness.config.networks import ViT
from harness.registry.paper import Paper
from harness.registry.row import Row
from harness.config.run import Run, RunConfig
from harness.registry.scale import Scale
from harness.config.training import Training
from mixup_paper.kinds import Mixup

TRAINING = Training(epochs=1, batch_size=256, passes_per_epoch=1, warmup_epochs=0)
CONFIG = RunConfig(
    data=DIGITS, network=ViT(dim=8, depth=1, heads=2, patch_size=4), method=Classification(), training=TRAINING
)
PLAIN, MIXUP = Run("plain", CONFIG), Run("mixup", CONFIG.but(method=Mixup()))
PROTOCOLS = {ACCURACY: Accuracy(), ECE: Calibration()}
ROWS = (Row("Plain", PLAIN, reported=(90.0,)), Row("Mixup", MIXUP, reported=(91.0,)))
PAPER = Paper(
    name="mixup",
    title="Mixup",
    url="https://example.org",
    tables=(
        Table(number=1, title="Accuracy", metrics=(ACCURACY,), rows=ROWS),
        Table(number=2, title="Calibration", metrics=(ECE,), rows=ROWS[1:]),
    ),
    protocol=lambda metric, run: PROTOCOLS[metric],
    scales=(Scale("laptop", "A toy scale.", comparable=False),),
)
""",
    "mixup_nn/__init__.py": "",
    "mixup_nn/methods.py": '''
from harness.methods.classification import Classification

SIGN = 1


class Mixup(Classification):
    """Gives the logits of its network a sign."""

    def logits(self, images):
        return SIGN * self.network.logits(images)
''',
}
METHODS = "mixup_nn/methods.py"


def lay(folder):
    """Write the distribution into a folder for the path, and return the folder."""
    for name, content in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content.lstrip())
    return folder


def edit(folder):
    """Change the computation of the method without changing its configuration."""
    path = folder / METHODS
    path.write_text(path.read_text().replace("SIGN = 1\n", "SIGN = -1\n"))
