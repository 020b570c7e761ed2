"""Small datasets of images that ship with installed packages, which stand in for the paper's at laptop scale."""
