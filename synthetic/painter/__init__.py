"""Draws people who do not exist: who they are, how they are photographed, and the truth about every pixel."""
