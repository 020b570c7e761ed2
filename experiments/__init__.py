"""The papers reproduced in this repository, one package each."""
