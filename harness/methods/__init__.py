"""What training a model means, one method a module."""
