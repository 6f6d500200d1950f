"""What a worker saves that keeps its base open between two groups of people, against a process for every group.

    python -m benchmarks.opening --groups 4
    python -m benchmarks.opening --groups 4 --base NAME --bases FOLDER

Both do what a group needs before its first step: the code is imported, the base and the eyes are opened. Once in a
process of its own for each group, as Prefect's workers do, and once in one process for all, as `flows.gpu_worker` does.
The first process of all is not counted: it fills the disk's cache for both.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

from tasks.vault.settings import Settings

# Run in a process of its own: seconds from the first line to each group's models.
_OPEN = """
import json, sys, time
began = time.perf_counter()
from pathlib import Path
import flows.cohort
from tasks.vision.loaded import the_base, the_eyes
imported = time.perf_counter() - began
base, bases, eyes, models, groups = sys.argv[1:]
took = []
for _ in range(int(groups)):
    began = time.perf_counter()
    the_base(base, Path(bases)), the_eyes(eyes, Path(models))
    took.append(time.perf_counter() - began)
print(json.dumps({"imported": imported, "opened": took}))
"""


def in_processes(settings: Settings, groups: list[int]) -> tuple[float, list[dict[str, list[float]]]]:
    """A process for each entry, which opens for so many groups; seconds by the clock, and what each told."""
    began, told = time.perf_counter(), []
    for count in groups:
        words = [settings.base, str(settings.bases), settings.eyes, str(settings.models), str(count)]
        command = [sys.executable, "-c", _OPEN, *words]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1])
        told.append(json.loads(done.stdout.splitlines()[-1]))
    return time.perf_counter() - began, told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--groups", type=int, default=4)
    parser.add_argument("--base")
    parser.add_argument("--bases", type=Path)
    options = parser.parse_args()
    given = {name: value for name in ("base", "bases") if (value := getattr(options, name)) is not None}
    settings = Settings(**given)
    in_processes(settings, [1])
    apart, told = in_processes(settings, [1] * options.groups)
    together, _ = in_processes(settings, [options.groups])
    saved = (apart - together) / (options.groups - 1)
    opened = statistics.median(one["opened"][0] for one in told)
    print(f"| before the first step of {options.groups} groups, base {settings.base} | seconds |\n|---|---|")
    print(f"| a process for each group | {apart:.1f} |")
    print(f"| - of it opening base and eyes, usual, a group | {opened:.1f} |")
    print(f"| one process for all | {together:.1f} |")
    print(f"| times as fast | {apart / together:.1f} |")
    print(f"| saved for every group after a worker's first | {saved:.1f} |")


if __name__ == "__main__":
    main()
