"""AutoAugment image by image with Pillow: the reference of the batched operations for values and timing."""

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

GREY = 128


def picture(array):
    """Return an image `(channels, size, size)` uint8 as Pillow's."""
    return Image.fromarray(array[0] if len(array) == 1 else np.ascontiguousarray(array.transpose(1, 2, 0)))


def array(image):
    """Return Pillow's image as `(channels, size, size)` uint8."""
    pixels = np.array(image)
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


def _affine(image, coefficients, resample):
    fill = GREY if image.mode == "L" else (GREY,) * 3
    return image.transform(image.size, Image.Transform.AFFINE, coefficients, resample, fillcolor=fill)


def _rotate(image, degrees):
    turned = image.convert("RGBA").rotate(degrees)
    return Image.composite(turned, Image.new("RGBA", turned.size, (GREY,) * 4), turned).convert(image.mode)


NEAREST, BICUBIC = Image.Resampling.NEAREST, Image.Resampling.BICUBIC
OPERATIONS = {
    "shear_x": lambda image, m: _affine(image, (1, m, 0, 0, 1, 0), BICUBIC),
    "shear_y": lambda image, m: _affine(image, (1, 0, 0, m, 1, 0), BICUBIC),
    "translate_x": lambda image, m: _affine(image, (1, 0, m * image.size[0], 0, 1, 0), NEAREST),
    "translate_y": lambda image, m: _affine(image, (1, 0, 0, 0, 1, m * image.size[1]), NEAREST),
    "rotate": _rotate,
    "colour": lambda image, m: ImageEnhance.Color(image).enhance(1 + m),
    "contrast": lambda image, m: ImageEnhance.Contrast(image).enhance(1 + m),
    "sharpness": lambda image, m: ImageEnhance.Sharpness(image).enhance(1 + m),
    "brightness": lambda image, m: ImageEnhance.Brightness(image).enhance(1 + m),
    "posterize": lambda image, m: ImageOps.posterize(image, int(m)),
    "solarize": ImageOps.solarize,
    "autocontrast": lambda image, m: ImageOps.autocontrast(image),
    "equalize": lambda image, m: ImageOps.equalize(image),
    "invert": lambda image, m: ImageOps.invert(image),
}


def apply(image, steps):
    """Apply a list of (operation, signed magnitude) to an array `(channels, size, size)` uint8."""
    drawn = picture(image)
    for operation, magnitude in steps:
        drawn = OPERATIONS[operation](drawn, magnitude)
    return array(drawn)
