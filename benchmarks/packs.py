"""What delivering costs: people x packs, as a ratio to plain resizing and saving of the same files.

    python -m benchmarks.packs                                   # 40 people x 6 packs, and what 2,000 come to
    python -m benchmarks.packs --people 2000                     # all of it

People are made up (pictures of a finished headshot's size, marked as photography keeps them), the vault is real:
records, keys, encrypted blobs. Delivering is everything that a delivery does: leave for each person, decrypting,
looking for the mark, cropping, encoding, signing, writing durably, reading back, manifest and hand-over page. Plain
is: the same pictures decoded, resized and saved by the same library in the same sizes, formats and qualities, one
process per core. Both are measured at two sizes; what is said of more people is scaled by the growth between the two,
and says so. Seconds are by the clock and, in brackets, of processors: the latter hardly depend on what else the
machine does.
"""

from __future__ import annotations

import argparse
import io
import os
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from PIL import Image

from tasks.delivery.handing_over import DeliveryOrder, hand_over
from tasks.delivery.pack import Pack, sort_packs
from tasks.delivery.places import open_destination
from tasks.delivery.sizes import SUFFIX
from tasks.disclosure.installation import mark_key, marked
from tasks.headshots.kit import load_kit
from tasks.vault.records import Batch, Consent, Decision, Employee, Headshot, Seat, Showing
from tasks.vault.settings import Settings
from tasks.vault.store import Vault, open_vault
from tasks.vision.images import Picture, encode

PACKS = ("entra", "active-directory", "google-workspace", "slack", "linkedin", "workday")
SAMPLES = Path(__file__).resolve().parents[1] / "samples" / "northwind" / "selfies"
GOAL = 2.0  # times plain resizing and saving


def faces(count: int) -> list[Picture]:
    """Some smooth pictures of a finished headshot's size."""
    paths = sorted(SAMPLES.glob("*/*.jpg"))[::3][:count]
    return [
        np.asarray(Image.open(path).convert("RGB").resize((1024, 1024), Image.Resampling.LANCZOS)) for path in paths
    ]


def fill(vault: Vault, people: int, kit: str) -> list[bytes]:
    """People with an approved picture each; the pictures' files, as plain saving reads them."""
    now, key = datetime.now(UTC), mark_key(vault.keys)
    drawn = [encode(marked(picture, key, "generated"), "png") for picture in faces(8)]
    with vault.session() as session:
        session.add(
            Batch(id="b1", order_key="b1", created_at=now, drop="/d", kit=kit, quality="draft", base="embedded")
        )
        for n in range(people):
            one, email = f"p{n:015x}", f"person{n}@corp.example"
            session.add(
                Employee(id=one, number=str(n), name=f"Person {n}", email=email, state="active", updated_at=now)
            )
            session.add(Seat(batch_id="b1", employee_id=one, state="done", position=n))
            session.add(Consent(id=f"c{n}", employee_id=one, given_at=now))
    for n in range(people):
        one = f"p{n:015x}"
        blob = vault.write(vault.permit(one, now=now), "headshots", "h.png", drawn[n % len(drawn)], now=now)
        with vault.session() as session:
            session.add(
                Headshot(
                    digest=f"h{n}", employee_id=one, kit=kit, kit_digest="k", shot=0, seed=n, finished_key=blob,
                    state="approved", created_at=now,
                )
            )  # fmt: skip
            session.add(Showing(batch_id="b1", headshot_digest=f"h{n}", employee_id=one, choice=1))
            session.add(
                Decision(
                    id=f"d{n}", employee_id=one, headshot_digest=f"h{n}", batch_id="b1", kit=kit, consent_id=f"c{n}",
                    verdict="approve", by="r", at=now,
                )
            )  # fmt: skip
    return drawn


def save_plainly(work: tuple[list[bytes], int, int, str, tuple[Pack, ...]]) -> tuple[int, float]:
    """One process's share of decoding, resizing and saving: how many files, and processor seconds."""
    drawn, first, last, folder, packs = work
    files, began = 0, time.process_time()
    for n in range(first, last):
        with Image.open(io.BytesIO(drawn[n % len(drawn)])) as image:
            picture = image.convert("RGB")
        for pack in packs:
            for output in pack.files:
                small = picture.resize((output.width, output.height), Image.Resampling.BOX)
                path = Path(folder) / pack.name / f"{n}.{SUFFIX[output.format]}"
                path.parent.mkdir(exist_ok=True)
                small.save(path, quality=output.quality, subsampling=0, optimize=True)
                files += 1
    return files, time.process_time() - began


@dataclass(frozen=True)
class Taken:
    """Seconds by the clock and of processors, for so many people and files."""

    people: int
    files: int
    delivering: tuple[float, float]
    again: float
    plain: tuple[float, float]


def measure(people: int, packs: Sequence[Pack], processes: int) -> Taken:
    """Both ways, on a vault of this many people."""
    with tempfile.TemporaryDirectory() as home, open_vault(Settings(home=Path(home) / "home")) as vault:
        kit = load_kit("northwind", vault.settings.kits)
        drawn = fill(vault, people, kit.name)
        order = DeliveryOrder("b1", kit, tuple(packs))
        spent = []
        for _ in range(2):
            began, worked = time.perf_counter(), time.process_time()
            manifest = hand_over(
                vault, order, lambda: open_destination(f"{home}/out"), lambda: datetime.now(UTC), workers=processes
            )
            spent.append((time.perf_counter() - began, time.process_time() - worked))
        plain = Path(home) / "plain"
        plain.mkdir()
        edges = [round(people * n / processes) for n in range(processes + 1)]
        shares = [(drawn, a, b, str(plain), tuple(packs)) for a, b in pairwise(edges)]
        with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
            list(pool.map(save_plainly, [(drawn, 0, 1, str(plain), tuple(packs))] * processes))  # started, and warm
            began = time.perf_counter()
            saved = list(pool.map(save_plainly, shares))
            clock = time.perf_counter() - began
        files = sum(count for count, _ in saved)
        assert len(manifest.own) == files
    return Taken(people, files, spent[0], spent[1][0], (clock, sum(worked for _, worked in saved)))


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--people", type=int, default=40)
    words.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1))
    words.add_argument("--packs", nargs="+", default=list(PACKS))
    asked = words.parse_args()
    sound, _ = sort_packs(None)
    packs = [sound[name] for name in asked.packs]
    some = [measure(number, packs, asked.processes) for number in (max(2, asked.people // 4), asked.people)]
    print(f"{asked.processes} at once; packs: {', '.join(asked.packs)}")
    print(f"{'people':>7}{'files':>8}{'delivering':>20}{'plain':>18}{'ratio':>14}{'a second run':>14}")
    for one in some:
        (clock, worked), (plain, plainly) = one.delivering, one.plain
        print(
            f"{one.people:>7}{one.files:>8}{clock:>9.1f} s ({worked:5.1f}){plain:>8.1f} s ({plainly:5.1f})"
            f"{clock / plain:>6.2f} ({worked / plainly:.2f}){one.again:>11.1f} s"
        )
    few, many = some
    more = many.people - few.people
    grown = [(b - a) / more for a, b in zip(few.delivering + few.plain, many.delivering + many.plain, strict=True)]
    print(
        f"each further person: {grown[0]:.3f} s ({grown[1]:.3f}), plain {grown[2]:.3f} s ({grown[3]:.3f}): "
        f"a ratio of {grown[0] / grown[2]:.2f} ({grown[1] / grown[3]:.2f}), goal {GOAL}"
    )
    if asked.people < 2000:
        left = 2000 - many.people
        print(
            f"scaled by that growth, not measured: 2,000 people take {(many.delivering[0] + left * grown[0]) / 60:.1f} "
            f"minutes, plain {(many.plain[0] + left * grown[2]) / 60:.1f}"
        )


if __name__ == "__main__":
    main()
