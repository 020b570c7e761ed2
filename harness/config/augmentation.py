"""Configurations of training augmentation: fixed operations, a policy, and further steps."""

from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field, NonNegativeInt, SerializeAsAny

from harness.config.base import Config
from harness.config.family import Family


class Policy(Family):
    """A set of geometric and colour operations, serialised as its name if it has no settings.

    `implementation` names a function `(policy, images, rows, stream)` that returns images of the same shape: images
    `(batch, channels, size, size)` in [-1, 1], their rows on the CPU, and a random stream.
    """

    role: ClassVar[str] = "augmentation policy"
    bare: ClassVar[bool] = True
    implementation: ClassVar[str]


class NoPolicy(Policy):
    """No operation."""

    kind: Literal["none"] = "none"
    implementation: ClassVar[str] = "harness.data.augment.augment:unchanged"


class DigitsPolicy(Policy):
    """Small rotations and shears that preserve the class of a digit."""

    kind: Literal["digits"] = "digits"
    implementation: ClassVar[str] = "harness.data.augment.augment:rotate_and_shear"


class AutoAugmentCIFAR10(Policy):
    """The AutoAugment policy of CIFAR-10 (Cubuk et al. 2019)."""

    kind: Literal["cifar10"] = "cifar10"
    implementation: ClassVar[str] = "harness.data.augment.autoaugment:published"


class AutoAugmentImageNet(Policy):
    """The AutoAugment policy of ImageNet (Cubuk et al. 2019)."""

    kind: Literal["imagenet"] = "imagenet"
    implementation: ClassVar[str] = "harness.data.augment.autoaugment:published"


class AutoAugmentSVHN(Policy):
    """The AutoAugment policy of SVHN (Cubuk et al. 2019)."""

    kind: Literal["svhn"] = "svhn"
    implementation: ClassVar[str] = "harness.data.augment.autoaugment:published"


class AugmentationStep(Family):
    """An additional augmentation step between erasing and mixing.

    `implementation` names a function `(step, images, rows, stream)` that returns images of the same shape: images
    `(batch, channels, size, size)` in [-1, 1], their rows on the device, and a random stream.
    """

    role: ClassVar[str] = "augmentation step"
    bare: ClassVar[bool] = True
    implementation: ClassVar[str]


AnyPolicy = Annotated[SerializeAsAny[Policy], BeforeValidator(Policy.read)]
AnyStep = Annotated[SerializeAsAny[AugmentationStep], BeforeValidator(AugmentationStep.read)]


class Augmentation(Config):
    """Augmentation of labelled images, applied in field order, except that `steps` precede `mix` (HybViT Appendix C.2).

    `erasing` is a probability per image, `mix` per batch. `flip` flips half of the images. `crop_padding` is in pixels.
    `policy` may be given by name, such as `cifar10`.
    """

    left_out: ClassVar[frozenset[str]] = frozenset({"steps"})

    flip: bool = False
    crop_padding: NonNegativeInt = 0
    policy: AnyPolicy = NoPolicy()
    erasing: float = Field(0.0, ge=0, le=1)
    mix: float = Field(0.0, ge=0, le=1)
    steps: tuple[AnyStep, ...] = ()
