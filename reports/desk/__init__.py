"""The review desk: a server, and a module for each of its pages and for what stands behind them."""
