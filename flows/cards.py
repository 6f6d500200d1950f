"""The graphics cards of this machine, and one worker for each; found without importing torch."""

import os
import subprocess

VISIBLE = "CUDA_VISIBLE_DEVICES"


def graphics_cards() -> list[str]:
    """What this process may use, as CUDA calls them; a scheduler that gives some of a machine's cards says so."""
    if (given := os.environ.get(VISIBLE)) is not None:
        return [card.strip() for card in given.split(",") if card.strip() not in {"", "-1"}]
    try:
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=20, check=False)
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return []
    return [str(number) for number in range(listed.stdout.count("GPU "))]


def cards_gib() -> list[float]:
    """The memory of each graphics card of this machine; empty where there is none."""
    asked = ["nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    try:
        listed = subprocess.run(asked, capture_output=True, text=True, timeout=20, check=False)
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return []
    return [float(line) / 1024 for line in listed.stdout.split() if line.strip().isdigit()]


def card_workers(wanted: int | None) -> list[tuple[str, dict[str, str]]]:
    """Names and environments of the workers that learn and draw: one per graphics card, and where there is none, one
    on the processor. `wanted`: so many, where somebody says; on the control machine of many it may be none.
    """
    cards = graphics_cards()
    count = max(len(cards), 1) if wanted is None else wanted
    return [(f"gpu-{place}", {VISIBLE: cards[place % len(cards)]} if cards else {}) for place in range(count)]
