"""A drawn company and bases that learn next to nothing, for whoever measures the machinery and not the pictures."""

import csv
import re
import shutil
from pathlib import Path

from benchmarks.machines import ROOT
from benchmarks.random_bases import write_random_base
from benchmarks.two_names import selfies
from tasks.vision.images import encode

HEADER = ("Employee ID", "Legal Name", "Work Email", "Department", "Status")
LEAVERS = 60  # without consent: who is forgotten while others are photographed


def draw_drop(folder: Path, people: int, photos: int) -> None:
    """A roster of drawn people with consent and photos, and `LEAVERS` without either.

    Each has a face of their own: a shared one is found under two names, and everybody with it waits for an answer.
    """
    numbers = [f"S{place:05}" for place in range(people + LEAVERS)]
    with (folder / "roster.csv").open("w", newline="", encoding="utf-8") as file:
        rows = [(n, f"Person Nr{n}", f"{n.lower()}@scale.example", "Scale", "Active") for n in numbers]
        csv.writer(file).writerows([HEADER, *rows])
    with (folder / "consents.csv").open("w", newline="", encoding="utf-8") as file:
        head = ("Employee ID", "Purpose", "Consent text version", "Given at", "Withdrawn at", "Source")
        given = [(n, "headshot", "1", "2026-01-02", "", "form") for n in numbers[:people]]
        csv.writer(file).writerows([head, *given])
    for place, number in enumerate(numbers[:people]):
        own = folder / "selfies" / number
        own.mkdir(parents=True)
        for shot, picture in enumerate(selfies(place, photos)):
            (own / f"{shot}.jpg").write_bytes(encode(picture, "jpeg"))
        if place % 100 == 99:
            print(f"  {place + 1} of {people} people drawn", flush=True)


def small_base(folder: Path, steps: int) -> Path:
    """The embedded base under a card that learns for so many steps."""
    folder.mkdir()
    card = (ROOT / "base_models" / "embedded.toml").read_text()
    quick = re.sub(r"^(draft|standard|best) = \d+", rf"\1 = {steps}", card, flags=re.MULTILINE)
    (folder / "embedded.toml").write_text(re.sub(r"^batch = \d+", "batch = 1", quick, flags=re.MULTILINE))
    (folder / "embedded").symlink_to(ROOT / "base_models" / "embedded")
    return folder


def tiny_base(folder: Path, steps: int) -> Path:
    """A base of the embedded one's kind with random weights, a hundredth of its size, under its name."""
    folder.mkdir()
    card = write_random_base(folder, "embedded", "sd-v")
    text = re.sub(r"^steps = \d+", "steps = 4", card.read_text(), flags=re.MULTILINE)
    # Fast enough that the adapter of one person is not taken for another's after so few steps.
    text = re.sub(r"^learning_rate = .+", "learning_rate = 1e-2", text, flags=re.MULTILINE)
    per_quality = "".join(f"{quality} = {steps}\n" for quality in ("draft", "standard", "best"))
    card.write_text(text.replace("[training]\n", "[training]\nbatch = 1\n") + f"[training.steps]\n{per_quality}")
    return folder


def small_kits(folder: Path, width: int | None = None) -> Path:
    """The kits, with one picture a person and no extra round; finished at `width` px, their own when left out."""
    shutil.copytree(ROOT / "brand_kits", folder)
    for path in folder.glob("*/kit.toml"):
        text = re.sub(r"^per_person = \d+", "per_person = 1", path.read_text(), flags=re.MULTILINE)
        text = re.sub(r"^extra_rounds = .*\n", "", text, flags=re.MULTILINE)
        text = text.replace("[candidates]\n", "[candidates]\nextra_rounds = 0\n")
        framing = text.index("[framing]")
        small = re.sub(r"^width = \d+", f"width = {width}", text[framing:], count=1, flags=re.MULTILINE)
        path.write_text(text[:framing] + small if width else text)
    return folder
