"""How often a password may be tried: a few times at once, then one more every two minutes, counted before it is read.

Who came in before is counted by the browser, not by the address, so that strangers at the same address (an office, a
proxy) lock nobody out who is known. When tries come from everywhere, everybody's next one takes longer and nobody's is
refused: the limit over all addresses is there to slow guessing down, not to close the desk. Time is an argument.
"""

from __future__ import annotations

import ipaddress
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta

TRIES = 5  # at once, from one address or one known browser
WINDOW = timedelta(minutes=10)  # in which they all come back, one after the other
CROWD = 50  # wrong tries within the window, from wherever, beyond which everybody waits
LONGEST = 8.0  # seconds that a crowd costs at most


@dataclass
class Tries:
    """The count of one desk. Safe to use from several threads."""

    _spent: dict[str, tuple[float, datetime]] = field(default_factory=dict)  # who → tries not given back, and when
    _wrong: list[datetime] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, who: str, now: datetime) -> int:
        """Takes one try. 0 when there was one; otherwise the seconds until there is."""
        with self._lock:
            spent = self._left_over(who, now)
            if spent > TRIES - 1:
                return max(1, round((spent - TRIES + 1) * WINDOW.total_seconds() / TRIES))
            self._spent[who] = (spent + 1, now)
            return 0

    def wait(self, who: str, now: datetime) -> int:
        """The same without taking one."""
        with self._lock:
            spent = self._left_over(who, now)
        return max(1, round((spent - TRIES + 1) * WINDOW.total_seconds() / TRIES)) if spent > TRIES - 1 else 0

    def was_right(self, who: str) -> None:
        """What was taken is given back, with everything before it."""
        with self._lock:
            self._spent.pop(who, None)

    def was_wrong(self, now: datetime) -> None:
        with self._lock:
            self._wrong = [*(at for at in self._wrong if now - at < WINDOW), now][-10_000:]
            for who in [who for who in self._spent if not self._left_over(who, now)]:
                del self._spent[who]

    def delay(self, now: datetime) -> float:
        """Seconds that the next try has to wait because of all the wrong ones, from wherever they came."""
        with self._lock:
            crowd = sum(now - at < WINDOW for at in self._wrong) - CROWD
        return min(LONGEST, 0.25 * 2 ** (crowd / 10)) if crowd >= 0 else 0.0

    def _left_over(self, who: str, now: datetime) -> float:
        spent, at = self._spent.get(who, (0.0, now))
        return max(0.0, spent - (now - at) / WINDOW * TRIES)


def counted_as(address: str) -> str:
    """Who an address is: of IPv6 the network, since every customer has 2^64 addresses in it."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    mapped = getattr(parsed, "ipv4_mapped", None)
    if parsed.version == 4 or mapped:
        return str(mapped or parsed)
    return str(ipaddress.ip_network((parsed, 64), strict=False))
