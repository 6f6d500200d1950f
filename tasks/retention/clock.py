"""What time it is, as far as deleting faces is concerned: a clock that was set wrong must not delete early.

The wall clock is compared with the machine's own count of seconds since it booted. Within one boot the count says how
much time really passed, whatever was done to the clock. After a reboot nothing can be compared: when the wall clock
then claims that much more time passed than between two sweeps, it is believed only up to two days ago, until it has
run for a day without being corrected. An outage of a month is caught up in one run all the same, but for those days.
"""

import json
import time
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tasks.vault.files import replace_file

_TOLERANCE = timedelta(minutes=5)  # drift and leap seconds between two sweeps
_BETWEEN_SWEEPS = timedelta(hours=36)  # a longer gap after a reboot is doubted
_DOUBT = timedelta(hours=48)  # how wrong a doubted clock is taken to be
_PROBATION = timedelta(hours=24)  # by the monotonic clock: a doubted clock that ran on for a day is believed again


@dataclass(frozen=True)
class Sighting:
    """One look at the clocks."""

    wall: datetime
    ticks: float  # seconds since boot, sleep included
    boot: str  # which boot


@dataclass(frozen=True)
class ClockMemory:
    """What is remembered between sweeps: the time that was believed, and how it was come by."""

    believed: datetime
    ticks: float
    boot: str
    doubted_since: float | None = None  # ticks when a doubt began
    behind: bool = False  # after a reboot the clock was behind what had been believed: it will be put right


def look_at_clocks() -> Sighting:
    """This machine's clocks, now."""
    boot = Path("/proc/sys/kernel/random/boot_id")
    name = boot.read_text().strip() if boot.exists() else "unknown"
    return Sighting(datetime.now(UTC), time.clock_gettime(time.CLOCK_BOOTTIME), name)


def believe(seen: Sighting, memory: ClockMemory | None) -> tuple[datetime, ClockMemory]:
    """The time to act on, and what to remember. It never runs backwards."""
    if memory is None:
        return seen.wall, ClockMemory(seen.wall, seen.ticks, seen.boot)
    if seen.boot == memory.boot and seen.ticks >= memory.ticks:
        return _same_boot(seen, memory)
    if seen.wall - memory.believed > _BETWEEN_SWEEPS:
        now = max(memory.believed, seen.wall - _DOUBT)
        return now, ClockMemory(now, seen.ticks, seen.boot, doubted_since=seen.ticks)
    now = max(memory.believed, seen.wall)
    return now, ClockMemory(now, seen.ticks, seen.boot, behind=seen.wall < memory.believed - _TOLERANCE)


def _same_boot(seen: Sighting, memory: ClockMemory) -> tuple[datetime, ClockMemory]:
    passed = memory.believed + timedelta(seconds=seen.ticks - memory.ticks)
    if memory.behind and seen.wall >= passed:
        return seen.wall, ClockMemory(seen.wall, seen.ticks, seen.boot)
    if memory.doubted_since is None:
        # Small corrections are followed, jumps are not.
        now = seen.wall if abs(seen.wall - passed) <= _TOLERANCE else passed
        now = max(now, memory.believed)
        return now, replace(memory, believed=now, ticks=seen.ticks)
    if seen.wall < passed + _DOUBT - _TOLERANCE:  # the clock was corrected: the doubt was right
        now = max(memory.believed, min(passed, seen.wall))
        return now, ClockMemory(now, seen.ticks, seen.boot)
    if seen.ticks - memory.doubted_since >= _PROBATION.total_seconds():
        return seen.wall, ClockMemory(seen.wall, seen.ticks, seen.boot)
    return passed, replace(memory, believed=passed, ticks=seen.ticks)


def read_clock(memory_file: Path, seen: Sighting | None = None) -> datetime:
    """The time to act on; what was seen is remembered in this file (`<home>/audit/clock.json`)."""
    now, memory = believe(seen or look_at_clocks(), _remembered(memory_file))
    try:
        replace_file(memory_file, json.dumps({**asdict(memory), "believed": memory.believed.isoformat()}).encode())
    except OSError:
        # A full disk or a read-only home. Forgetting is what frees a full disk: it goes on with what is believed now,
        # and the next look compares with an older memory, which only makes it more careful.
        return now
    return now


def _remembered(memory_file: Path) -> ClockMemory | None:
    """What was remembered; of a damaged file only when it was written, in a boot that nobody knows."""
    if not memory_file.exists():
        return None
    try:
        stored = json.loads(memory_file.read_text())
        return ClockMemory(**{**stored, "believed": datetime.fromisoformat(stored["believed"])})
    except (ValueError, TypeError, KeyError):
        written = datetime.fromtimestamp(memory_file.stat().st_mtime, UTC)
        return ClockMemory(written, 0.0, "damaged")
