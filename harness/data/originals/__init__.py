"""The real datasets as their authors publish them: what the archives are, and how each is read without trusting it."""
