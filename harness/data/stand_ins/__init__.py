"""Small image datasets made from installed packages, as stand-ins for the paper's at laptop scale."""
