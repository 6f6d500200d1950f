"""What each ingredient of the training recipe does to likeness: `python -m benchmarks.recipe`."""
