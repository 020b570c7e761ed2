"""An external paper: its configurations, which do not import torch."""
