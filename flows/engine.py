"""What a worker starts for each flow run: Prefect's engine, in a process that began as all of ours do.

It is the fixed command of every pool's job template (`flows.prefect_api`), so nobody who creates a run chooses another.
"""

import os
import runpy
import sys

from flows.life import noted
from tasks.vault.database import open_database
from tasks.vault.process import begin_process, end_with_parent
from tasks.vault.settings import load_settings


def main() -> None:
    """Runs the flow run that the environment names, and ends with the worker that started it."""
    begin_process()
    end_with_parent()
    sys.argv = ["prefect.engine"]
    settings = load_settings()
    with noted(settings.home, os.environ["PREFECT__FLOW_RUN_ID"], open_database(settings.records_url)):
        runpy.run_module("prefect.engine", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
