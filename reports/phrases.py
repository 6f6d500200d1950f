"""Small phrases: states, verdicts, labels of facts, numbers and durations as people say them."""

from collections.abc import Mapping
from typing import Any

STATES: Mapping[str, str] = {
    "review": "To review",
    "attention": "Needs a look",
    "approved": "Approved",
    "rejected": "Rejected",
    "redo": "Redo asked",
    "opted_out": "Opted out",
    "blocked": "Blocked",
    "failed": "Failed",
    "waiting": "Not taken yet",
}

VERDICTS: Mapping[str, str] = {
    "approve": "Approved",
    "reject": "Rejected",
    "redo": "Redo asked",
    "opt_out": "Opted out",
}


# What a reviewer may ask for with a redo: each changes something in the next pictures (`tasks/headshots/wishes.py`).
REASONS: Mapping[str, str] = {
    "clothes": "Other clothes",
    "glasses": "Glasses as in their photos",
    "smile": "A smile",
    "serious": "No smile",
    "room": "More room round the head",
    "looser": "Looser: less tied to their photos, nothing learned anew",
    "not_like_them": "Not like them: learn the face for longer",
}


def state_name(state: str) -> str:
    """A seat's or picture's state in words."""
    return STATES.get(state, state.replace("_", " ").capitalize())


def label(key: str) -> str:
    """A fact's key as a label: `gpu_memory_gib` becomes `Gpu memory gib`."""
    return FACTS.get(key, key.replace("_", " ").strip()[:1].upper() + key.replace("_", " ").strip()[1:])


FACTS: Mapping[str, str] = {
    "base": "Base model",
    "base_fingerprint": "Base fingerprint",
    "kit": "Brand kit",
    "kit_digest": "Brand kit digest",
    "quality": "Quality",
    "versions": "Versions",
    "seconds": "Time",
    "people": "People",
    "eyes": "Face reader",
    "judges": "Likeness is judged by",
    "device": "Computed on",
    "work": "What this run did",
    "trained": "Faces learned",
    "rendered": "Pictures taken",
    "delivered": "Delivered",
    "drawn": "What the base drew",
    "like_them": "Above the likeness floor",
    "copies": "One of the selfies over again",
    "started_at": "Started",
    "finished_at": "Finished",
}


def plain(value: Any) -> str:
    """A fact's value for people: numbers without noise, durations left to the caller, nothing for nothing."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
    if isinstance(value, list | tuple):
        return ", ".join(plain(item) for item in value)
    return str(value)


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds < 1:
        return "under a second"
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
