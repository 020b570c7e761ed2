"""The noise between seeds at the laptop scale, measured with seeds 3 and 4 of all runs (docs/scales.md)."""

from harness.registry.scale import Spread

MEASURED: dict[tuple[str, str], dict[str, tuple[float, int]]] = {
    ("digits", "accuracy"): {
        "classification jem_wide_resnet": (1.18, 1),
        "classification vit": (0.417, 2),
        "classification wide_resnet": (0.196, 1),
        "hybrid vit": (0.638, 11),
        "jem jem_wide_resnet": (0.196, 1),
        "jem++ jem_wide_resnet": (0.196, 1),
        "vera jem_wide_resnet": (0.589, 1),
    },
    ("digits", "auroc_celeba"): {
        "classification vit": (0.0169, 2),
        "classification wide_resnet": (0.00362, 1),
        "hybrid vit": (0.00576, 2),
        "jem jem_wide_resnet": (0.000337, 2),
        "jem++ jem_wide_resnet": (0.00873, 2),
        "vera jem_wide_resnet": (0.0104, 1),
    },
    ("digits", "auroc_cifar100"): {
        "classification vit": (0.00723, 2),
        "classification wide_resnet": (0.0168, 1),
        "hybrid vit": (0.016, 2),
        "jem jem_wide_resnet": (0.0172, 2),
        "jem++ jem_wide_resnet": (0.0261, 2),
        "vera jem_wide_resnet": (0.00947, 1),
    },
    ("digits", "auroc_interp"): {
        "classification vit": (0.0478, 2),
        "classification wide_resnet": (0.0154, 1),
        "hybrid vit": (0.00838, 2),
        "jem jem_wide_resnet": (0.026, 2),
        "jem++ jem_wide_resnet": (0.0195, 2),
        "vera jem_wide_resnet": (0.0338, 1),
    },
    ("digits", "auroc_svhn"): {
        "classification vit": (0.0124, 2),
        "classification wide_resnet": (0.0559, 1),
        "hybrid vit": (0.00499, 2),
        "jem jem_wide_resnet": (0.00198, 2),
        "jem++ jem_wide_resnet": (0.0456, 2),
        "vera jem_wide_resnet": (0.00288, 1),
    },
    ("digits", "bpd"): {"denoising vit": (0.0408, 1), "hybrid vit": (0.000987, 1)},
    ("digits", "confidence_gap"): {
        "classification jem_wide_resnet": (1.57, 1),
        "classification vit": (1, 2),
        "classification wide_resnet": (0.164, 1),
        "hybrid vit": (1.08, 2),
        "jem jem_wide_resnet": (0.105, 1),
    },
    ("digits", "ece"): {
        "classification jem_wide_resnet": (0.434, 1),
        "classification vit": (0.761, 2),
        "classification wide_resnet": (0.332, 1),
        "hybrid vit": (0.705, 2),
        "jem jem_wide_resnet": (0.142, 1),
    },
    ("digits", "fid"): {
        "denoising unet": (0.0178, 1),
        "denoising vit": (0.0768, 3),
        "hybrid vit": (0.0476, 11),
        "jem jem_wide_resnet": (0.21, 1),
        "jem++ jem_wide_resnet": (0.247, 1),
        "vera jem_wide_resnet": (0.187, 1),
    },
    ("digits", "inception_score"): {
        "denoising unet": (0.187, 1),
        "denoising vit": (0.175, 3),
        "hybrid vit": (0.0773, 11),
        "jem jem_wide_resnet": (0.077, 1),
        "jem++ jem_wide_resnet": (0.164, 1),
        "vera jem_wide_resnet": (0.321, 1),
    },
    ("digits", "robust_l2_100"): {
        "classification vit": (2.55, 2),
        "classification wide_resnet": (2.83, 1),
        "hybrid vit": (2.92, 2),
    },
    ("digits", "robust_l2_150"): {
        "classification vit": (3.35, 2),
        "classification wide_resnet": (4.24, 1),
        "hybrid vit": (3.81, 2),
    },
    ("digits", "robust_l2_200"): {
        "classification vit": (4.74, 2),
        "classification wide_resnet": (1.41, 1),
        "hybrid vit": (7.02, 2),
    },
    ("digits", "robust_l2_250"): {"classification vit": (2, 2), "hybrid vit": (0.5, 2)},
    ("digits", "robust_l2_300"): {
        "classification vit": (0.5, 2),
        "classification wide_resnet": (0.707, 1),
        "hybrid vit": (0.5, 2),
    },
    ("digits", "robust_l2_50"): {
        "classification vit": (2.83, 2),
        "classification wide_resnet": (3.54, 1),
        "hybrid vit": (1.41, 2),
    },
    ("digits", "robust_linf_1"): {"classification vit": (1, 2), "hybrid vit": (1.58, 2)},
    ("digits", "robust_linf_12"): {
        "classification vit": (1.58, 2),
        "classification wide_resnet": (4.24, 1),
        "hybrid vit": (0.5, 2),
    },
    ("digits", "robust_linf_16"): {
        "classification vit": (2.06, 2),
        "classification wide_resnet": (3.54, 1),
        "hybrid vit": (3.2, 2),
    },
    ("digits", "robust_linf_2"): {
        "classification vit": (0.5, 2),
        "classification wide_resnet": (0.707, 1),
        "hybrid vit": (1.58, 2),
    },
    ("digits", "robust_linf_22"): {
        "classification vit": (2.06, 2),
        "classification wide_resnet": (2.83, 1),
        "hybrid vit": (1.41, 2),
    },
    ("digits", "robust_linf_30"): {
        "classification vit": (2.06, 2),
        "classification wide_resnet": (1.41, 1),
        "hybrid vit": (3.35, 2),
    },
    ("digits", "robust_linf_4"): {
        "classification vit": (1.12, 2),
        "classification wide_resnet": (0.707, 1),
        "hybrid vit": (0.707, 2),
    },
    ("digits", "robust_linf_8"): {
        "classification vit": (0.707, 2),
        "classification wide_resnet": (2.83, 1),
        "hybrid vit": (2.06, 2),
    },
    ("mosaics", "accuracy"): {"classification vit": (17.4, 1), "hybrid vit": (3.42, 1)},
    ("mosaics", "fid"): {"denoising vit": (0.0595, 1), "hybrid vit": (0.0529, 1)},
    ("mosaics", "inception_score"): {"denoising vit": (1.51, 1), "hybrid vit": (0.333, 1)},
    ("pairs", "accuracy"): {
        "classification vit": (0.471, 1),
        "classification wide_resnet": (1.06, 1),
        "hybrid vit": (0.471, 1),
    },
    ("pairs", "fid"): {"denoising vit": (0.0426, 1), "hybrid vit": (0.0526, 1)},
    ("pairs", "inception_score"): {"denoising vit": (0.624, 1), "hybrid vit": (0.772, 1)},
    ("photos16", "fid"): {"denoising vit": (0.136, 1)},
    ("scenes", "accuracy"): {
        "classification vit": (1.24, 2),
        "classification wide_resnet": (1.57, 1),
        "hybrid vit": (2.67, 5),
    },
    ("scenes", "fid"): {"denoising vit": (0.128, 4), "hybrid vit": (0.173, 5)},
    ("scenes", "inception_score"): {"denoising vit": (0.0586, 4), "hybrid vit": (0.0634, 5)},
    ("triples", "accuracy"): {
        "classification vit": (9.55, 1),
        "classification wide_resnet": (3.04, 1),
        "hybrid vit": (0.0707, 1),
    },
    ("triples", "fid"): {"denoising vit": (0.0375, 1), "hybrid vit": (0.123, 1)},
    ("triples", "inception_score"): {"denoising vit": (0.492, 1), "hybrid vit": (1.81, 1)},
}
"""The standard deviation and its degrees of freedom, by dataset and metric, for each kind of model.

In the metric's unit, or relative to its value for Fréchet distances. Values without any spread are not listed, nor
times, since they depend on the load.
"""
SEED_SPREAD = {
    (data, metric, kind): Spread(sd, df)
    for (data, metric), kinds in MEASURED.items()
    for kind, (sd, df) in kinds.items()
}
