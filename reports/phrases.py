"""Small phrases: states, labels of facts, numbers and durations as people say them."""

from collections.abc import Mapping
from typing import Any

from tasks.sentences import names, tell, tell_if_known


def states() -> Mapping[str, str]:
    """Every state that somebody on a wall can have, in words."""
    return {state: tell(f"state.{state}") for state in names("state")}


def state_name(state: str) -> str:
    """A seat's or picture's state in words."""
    return tell_if_known(f"state.{state}", state.replace("_", " ").capitalize())


def wish_name(reason: str) -> str:
    """What a reviewer asked for with a redo; each changes something in the next pictures."""
    return tell_if_known(f"wish.{reason}", reason)


def label(key: str) -> str:
    """A fact's key as a label: `gpu_memory_gib` becomes `Gpu memory gib`."""
    readable = key.replace("_", " ").strip()
    return tell_if_known(f"fact.{key}", readable[:1].upper() + readable[1:])


def plain(value: Any) -> str:
    """A fact's value for people: numbers without noise, durations left to the caller, nothing for nothing."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return tell("phrase.yes" if value else "phrase.no")
    if isinstance(value, float):
        return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
    if isinstance(value, list | tuple):
        return ", ".join(plain(item) for item in value)
    return str(value)


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds < 1:
        return tell("phrase.instant")
    if seconds < 90:
        return tell("phrase.seconds", number=f"{seconds:.0f}")
    if seconds < 5400:
        return tell("phrase.minutes", number=f"{seconds / 60:.0f}")
    return tell("phrase.hours", number=f"{seconds / 3600:.1f}")
