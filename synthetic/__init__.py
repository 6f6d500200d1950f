"""Draws people who do not exist, and trains the embedded models on them."""
