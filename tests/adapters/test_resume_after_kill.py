"""A cohort whose process is killed without warning, and started again, ends with the same adapters."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tasks.adapters.examples import LearningPerson
from tasks.adapters.plan import TrainingPlan
from tasks.adapters.training import train_cohort
from tasks.vault.records import Consent, Employee
from tasks.vault.settings import Settings
from tasks.vault.store import open_vault
from tasks.vision.diffusion import FrozenBase

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)

PROGRAM = """
import json, sys
from datetime import UTC, datetime
from pathlib import Path
import numpy as np
import torch
from safetensors.torch import save_file
from tasks.adapters.examples import LearningPerson
from tasks.adapters.plan import TrainingPlan
from tasks.adapters.shelf import VaultShelf
from tasks.adapters.training import train_cohort
from tasks.vault.settings import Settings
from tasks.vault.store import open_vault
from tasks.vision.diffusion import load_base_card, open_base

bases, people, plan, out = Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3]), Path(sys.argv[4])
plan["targets"] = tuple(plan["targets"])
torch.set_num_threads(1)
base = open_base(load_base_card("tiny", bases), device="cpu")
stored = np.load(people)
group = [
    LearningPerson(f"p{i}", list(stored["pictures"][i]), list(map(str, stored["captions"][i])), int(stored["seeds"][i]))
    for i in range(len(stored["seeds"]))
]
vault = open_vault(Settings(home=out / "home"))
shelf = VaultShelf(vault, [vault.permit(one.id, now=datetime.now(UTC)) for one in group])
trained = train_cohort(base, group, TrainingPlan(**plan), slots=2, shelf=shelf, checkpoint_every=3)
for one in trained:
    save_file(one.weights, out / f"{one.person_id}.safetensors")
"""


@pytest.mark.slow
def test_kill_nine_in_the_middle_changes_nobodys_adapter(
    bases: Path, base: FrozenBase, plan: TrainingPlan, person: Callable[..., LearningPerson], tmp_path: Path
) -> None:
    import json
    from dataclasses import replace

    import numpy as np

    plan = replace(plan, steps=60)
    people = [person(number) for number in range(2)]
    np.savez(
        tmp_path / "people.npz",
        pictures=np.stack([np.stack(one.portraits) for one in people]),
        captions=np.array([one.captions for one in people]),
        seeds=np.array([one.seed for one in people]),
    )
    arguments = [str(bases), str(tmp_path / "people.npz"), json.dumps(asdict(plan)), str(tmp_path)]
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM, *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    with open_vault(Settings(home=tmp_path / "home")) as vault, vault.session() as session:
        for one in people:
            session.add(Employee(id=one.id, number=one.id, updated_at=NOW))
            session.add(Consent(id=f"c{one.id}", employee_id=one.id, given_at=NOW))
    state = tmp_path / "home" / "blobs" / "people" / "p1" / "checkpoints"
    first = subprocess.Popen(command, env=environment)
    while not (state.is_dir() and list(state.glob("*.safetensors"))):
        assert first.poll() is None, "ended before its first checkpoint"
        time.sleep(0.02)
    first.send_signal(signal.SIGKILL)
    assert first.wait() == -signal.SIGKILL
    assert not (tmp_path / "p0.safetensors").exists()
    subprocess.run(command, env=environment, check=True, timeout=250)
    for one in train_cohort(base, people, plan, slots=2):
        resumed = load_file(tmp_path / f"{one.person_id}.safetensors")
        assert one.weights is not None
        apart = sum(float((resumed[name] - tensor).square().sum()) for name, tensor in one.weights.items())
        assert apart**0.5 < 1e-5 * float(torch.cat([tensor.flatten() for tensor in one.weights.values()]).norm())
