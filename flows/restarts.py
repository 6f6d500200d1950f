"""When a child that fell over is started again: soon, later, later still, and at last not at all. Pure."""

from collections.abc import Sequence

BACK_OFF_S = (1.0, 5.0, 30.0)  # a hiccup is over in a second; what falls at once again is not hurried
MOST, WITHIN_S = 5, 600.0  # who falls five times in ten minutes needs somebody, not another start


def next_start(deaths: Sequence[float], now: float) -> float | None:
    """When to start a child that died at these times (seconds, the last one just now); None to give up.

    Five deaths within ten minutes are not bad luck; a death long ago is forgotten.
    """
    lately = [death for death in deaths if now - death < WITHIN_S]
    if len(lately) >= MOST:
        return None
    return now + BACK_OFF_S[min(len(lately), len(BACK_OFF_S)) - 1]
