"""What the paper computes with: imported by workers alone."""
