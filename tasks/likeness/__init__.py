"""Step 5: is it them, do they belong together, which one first."""
