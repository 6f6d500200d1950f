"""A worker of one pool, in a process that began as all of ours do: `python -m flows.worker --pool gpu --limit 1`.

`rollcall up` and `rollcall worker` start them, with the environment that they need. Those of `desk` and `keep` are
Prefect's own; those of `gpu` keep their base open between two groups of people (`flows.gpu_worker`).
"""

import argparse
import os
import runpy
import sys
from pathlib import Path

from flows.environment import HEARTBEAT_S
from tasks.vault.process import begin_process, end_with_parent, for_children


def main() -> None:
    """Works until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pool", required=True, choices=["desk", "keep", "gpu"])
    parser.add_argument("--name", help="what the pages call it; the pool's name when left out")
    parser.add_argument("--limit", type=int, default=1, help="runs at a time")
    options = parser.parse_args()
    begin_process()
    end_with_parent()
    os.environ.setdefault("PREFECT_FLOWS_HEARTBEAT_FREQUENCY", str(HEARTBEAT_S))
    if options.pool == "gpu":
        from flows.gpu_worker import begin  # Prefect is imported by whoever needs it

        begin(options.name or options.pool)
        return
    os.environ.update(for_children(dict(os.environ)))
    # The job template's command is `python -m flows.engine` on every machine: that python has to be this one.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    sys.argv = [
        "prefect", "worker", "start", "--type", "process", "--pool", options.pool,
        "--name", options.name or options.pool, "--limit", str(options.limit), "--no-create-pool-if-not-found",
    ]  # fmt: skip
    runpy.run_module("prefect", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
