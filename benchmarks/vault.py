"""What encryption costs: sealing and opening blobs of the sizes Rollcall stores, and writing them through the vault.

    python -m benchmarks.vault

Prints one table. The comparison is the same vault with `encrypt` off.
"""

import os
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from tasks.vault.consent import Permit
from tasks.vault.records import Consent, Employee
from tasks.vault.sealing import seal, unseal
from tasks.vault.settings import Settings
from tasks.vault.store import Vault, open_vault

NOW = datetime(2026, 11, 2, tzinfo=UTC)
SIZES = (("thumbnail", 20_000), ("selfie", 600_000), ("adapter", 3_000_000), ("large adapter", 50_000_000))


def best(work: Callable[[], object], times: int) -> float:
    """The quickest of some tries, in seconds of this process: the machine may be busy with other things."""
    found = []
    for _ in range(times):
        begun = time.process_time()
        work()
        found.append(time.process_time() - begun)
    return min(found)


def line(name: str, size: int, vaults: list[Vault], permits: list[Permit]) -> str:
    """One line of the table: seal, open, write with keys, write without."""
    data, key = os.urandom(size), os.urandom(32)
    sealed = b"".join(seal(key, name, data))
    times = max(3, min(200, 50_000_000 // size))
    columns = [
        best(lambda: b"".join(seal(key, name, data)), times),
        best(lambda: unseal(key, name, sealed), times),
        best(lambda: vaults[0].write(permits[0], "selfies", "x", data), 5),
        best(lambda: vaults[1].write(permits[1], "selfies", "x", data), 5),
    ]
    cells = " | ".join(f"{1000 * seconds:.2f} ms" for seconds in columns)
    return f"| {name} | {size / 1e6:g} MB | {cells} |"


def main() -> None:
    print("| blob | size | seal | open | write, encrypted | write, plain |\n|---|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        vaults = [open_vault(Settings(home=Path(folder) / str(on), encrypt=on)) for on in (True, False)]
        permits = []
        for vault in vaults:
            with vault.session() as session:
                session.add(Employee(id="p1", number="1", updated_at=NOW))
                session.add(Consent(id="c1", employee_id="p1", given_at=NOW))
            permits.append(vault.permit("p1", now=NOW))
        for name, size in SIZES:
            print(line(name, size, vaults, permits))
        for vault in vaults:
            vault.close()


if __name__ == "__main__":
    main()
