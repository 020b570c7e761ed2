"""The papers that this repository reproduces, one package each."""
