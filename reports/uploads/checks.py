"""Uploads that are being checked in the background: one at a time, and small ones beside a big one.

What a check found lives in this process only, since faces' vectors are never written; which checks were asked for and
are not done is noted, so that a restart goes on with them. A check can be stopped, and begun again.
"""

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from tasks.headshots.kit import frames_of
from tasks.roster.drop import DropFault
from tasks.roster.open_drop import upload_in
from tasks.roster.rows import UnreadableTable
from tasks.selfies.check import CheckReport, check_upload
from tasks.selfies.keep import photos_in_use
from tasks.selfies.two_people import known_two_people
from tasks.sentences import tell
from tasks.vault.files import replace_file
from tasks.vault.seat_kits import kit_names
from tasks.vault.settings import Settings
from tasks.vault.store import open_vault
from tasks.vision.diffusion_card import load_base_card
from tasks.vision.faces import Eyes, EyesMissing
from tasks.vision.open_eyes import open_eyes
from tasks.vision.worlds import BaseWorld

KEPT = 30  # results remembered; older ones are checked again when somebody asks
SMALL = 300  # files: an upload of so many waits for no larger one
NOTED = "checks.json"  # in the home: which uploads are to be checked, by their opaque ids

Progress = Callable[[str, int, int], None]
Look = Callable[[str, datetime, Progress], CheckReport]


class _Stopped(Exception):
    """Somebody asked this check to end."""


@dataclass
class Check:
    """One upload being looked at: `done` of `total` photos; then a report, or what stopped it in words."""

    done: int = 0
    total: int = 0
    report: CheckReport | None = None
    failed: str = ""
    files: int = 0  # in the upload
    began: float | None = None  # by a clock that only goes forward; None while it waits
    stopped: bool = False

    @property
    def over(self) -> bool:
        return self.report is not None or bool(self.failed) or self.stopped

    def seconds_left(self) -> float | None:
        """As fast as so far; None where nothing has been seen yet."""
        if self.began is None or not self.done:
            return None
        return (self.total - self.done) * (time.monotonic() - self.began) / self.done


@dataclass
class Checks:
    """The desk's checks. Two lanes: the first takes whoever has waited longest, the second small uploads only."""

    settings: Settings
    look: Look | None = None  # for tests of the order
    _known: dict[str, Check] = field(default_factory=dict)
    _waiting: dict[str, datetime] = field(default_factory=dict)
    _busy: set[str] = field(default_factory=set)  # lanes at work
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, identity: str, now: datetime) -> Check:
        """The check of this upload, begun if nobody asked before."""
        with self._lock:
            check = self._known.get(identity)
            if check is None:
                check = self._known[identity] = Check(files=self._files(identity))
                for old in [one for one, known in self._known.items() if known.over][:-KEPT]:
                    del self._known[old]
                self._waiting[identity] = now
                self._note()
                self._start_lanes()
        return check

    def forget(self, identity: str) -> None:
        """The upload has changed or is gone: the next who asks begins a new check."""
        with self._lock:
            check = self._known.pop(identity, None)
            self._waiting.pop(identity, None)
            if check is not None and not check.over:
                check.stopped = True
            self._note()

    def stop(self, identity: str) -> None:
        """End a check that waits or is at work; it is not begun again unless somebody asks."""
        with self._lock:
            check = self._known.get(identity)
            if check is not None and not check.over:
                check.stopped = True
                self._waiting.pop(identity, None)
                self._note()

    def before(self, identity: str) -> Check | None:
        """The upload that is looked at while this one waits; None when it does not wait."""
        with self._lock:
            if identity not in self._waiting:
                return None
            at_work = [one for one in self._known.values() if one.began is not None and not one.over]
            return max(at_work, key=lambda one: one.total - one.done, default=None)

    def go_on(self, now: datetime) -> int:
        """Begin again what was not done when this desk ended; how many."""
        try:
            noted = json.loads((self.settings.home / NOTED).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return 0
        there = [one for one in map(str, noted) if one.replace("-", "").isalnum() and self._folder(one).is_dir()]
        for identity in there:
            self.of(identity, now)
        return len(there)

    def _folder(self, identity: str) -> Path:
        return self.settings.uploads / identity

    def _files(self, identity: str) -> int:
        """How many there are, without opening one."""
        return sum(1 for path in self._folder(identity).rglob("*") if path.is_file())

    def _note(self) -> None:
        """Which are not done. In the order in which they were asked for."""
        left = [one for one, check in self._known.items() if not check.over]
        if self.settings.home.is_dir():
            replace_file(self.settings.home / NOTED, json.dumps(left).encode())

    def _start_lanes(self) -> None:
        for lane in ("any", "small"):
            if lane not in self._busy and self._fitting(lane) is not None:
                self._busy.add(lane)
                threading.Thread(target=self._work, args=(lane,), name=f"check-{lane}", daemon=True).start()

    def _fitting(self, lane: str) -> str | None:
        return next((one for one in self._waiting if lane == "any" or self._known[one].files <= SMALL), None)

    def _work(self, lane: str) -> None:
        while True:
            with self._lock:
                identity = self._fitting(lane)
                if identity is None:
                    self._busy.discard(lane)
                    return
                now, check = self._waiting.pop(identity), self._known[identity]
                check.began = time.monotonic()
            self._run(identity, check, now)
            with self._lock:
                self._note()

    def _run(self, identity: str, check: Check, now: datetime) -> None:
        def progress(what: str, done: int, total: int) -> None:
            check.done, check.total = done, total
            if check.stopped:
                raise _Stopped

        try:
            check.report = (self.look or self._look)(identity, now, progress)
        except _Stopped:
            check.report = None
        except (DropFault, UnreadableTable) as fault:
            check.failed = getattr(fault, "fix", "") or tell("check.unreadable")
        except Exception as fault:  # a thread has nobody above it: whatever it was, the page must say so
            check.failed = tell("check.stopped", fault=type(fault).__name__)

    def _look(self, identity: str, now: datetime, progress: Progress) -> CheckReport:
        with open_vault(self.settings) as vault:
            upload, known = upload_in(self._folder(identity), vault), known_two_people(vault)
            kept: Mapping[str, int] = photos_in_use(vault)
        return check_upload(
            upload, eyes_at_hand(self.settings), now=now, on_progress=progress, kept=kept, two_people=known,
            base=self._base(), kits=kit_names(self.settings.kits), frames=frames_of(self.settings.kits),
        )  # fmt: skip

    def _base(self) -> BaseWorld:
        card = load_base_card(self.settings.base, self.settings.bases)
        return BaseWorld(card.world, self.settings.mixed_worlds, card.render_size)


def eyes_at_hand(settings: Settings) -> Eyes | None:
    """The eyes, or None where they are not installed: roster, consent and matching are worth a check by themselves."""
    try:
        return open_eyes(settings.eyes, settings.models)
    except (EyesMissing, OSError):
        return None
