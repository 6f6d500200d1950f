"""Step 7: what goes when, how it is erased, and the receipt that says so."""
