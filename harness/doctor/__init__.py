"""What this machine can run: each thing looked at once, in words for people and facts for programs."""
