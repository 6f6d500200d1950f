"""Trains the small embedded base from scratch, only on people that `synthetic` has drawn."""
