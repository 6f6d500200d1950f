"""One folder per step of the work: plain modules, with one task.py on top where Prefect calls in."""
