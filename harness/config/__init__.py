"""What is computed: runs and evaluations as frozen, typed configurations with an identity. Imports no torch."""
