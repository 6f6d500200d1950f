"""Turns one line of the product wrong at a time and sees a test fail: `make mutants`."""
