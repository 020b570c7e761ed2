"""Image augmentation of the paper: a policy and a step."""

from typing import ClassVar, Literal

from pydantic import Field, NonNegativeFloat

from harness.config.augmentation import AugmentationStep, Policy


class Contrast(Policy):
    """Reduces the contrast by up to a fraction `strength`."""

    kind: Literal["outside.contrast"] = "outside.contrast"
    implementation: ClassVar[str] = "outside_paper.nn.augmentation:contrast"

    strength: float = Field(0.2, ge=0, le=1)


class Jitter(AugmentationStep):
    """Adds Gaussian noise of standard deviation `sd`, for images in [-1, 1]."""

    kind: Literal["outside.jitter"] = "outside.jitter"
    implementation: ClassVar[str] = "outside_paper.nn.augmentation:jitter"

    sd: NonNegativeFloat = 0.1
