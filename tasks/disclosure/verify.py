"""What a file says about how its picture was made: credentials, source type and mark together, in one sentence.

Works on any JPEG, PNG or WebP and needs nothing of ours. Only the mark wants a key: without it nobody can look for one,
and the sentence says so instead of saying that there is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from tasks.disclosure.credentials import MIME, Credentials, from_inside
from tasks.disclosure.finding import Copy, FoundMark, find_mark
from tasks.disclosure.pattern import MarkKey, lane_of
from tasks.disclosure.source import SOURCE_TYPES, Origin
from tasks.sandbox import Fallen, Limits, the_sandbox
from tasks.sentences import say_date, tell
from tasks.vision.photos import open_picture

READER = "tasks.disclosure.credentials"


class DisclosureVerdict(IntEnum):
    """The exit code of `rollcall verify`."""

    DISCLOSED = 0  # it says how it was made, and is what was signed or at least contradicts nothing
    CHANGED = 1  # it is not what was signed, or its parts contradict one another
    SILENT = 2  # nothing was found


_MADE = {  # source type → end of a key of the language
    SOURCE_TYPES["generated"]: "generated",
    SOURCE_TYPES["faithful"]: "faithful",
    "algorithmicallyEnhanced": "enhanced",
    "compositeWithTrainedAlgorithmicMedia": "edited",
    "digitalCapture": "photograph",
    "computationalCapture": "photograph",
}


@dataclass(frozen=True)
class Disclosure:
    """Everything that one file says. `mark` is None when there was no key to look with."""

    credentials: Credentials | None
    origin: Origin | None
    mark: FoundMark | None
    lane: str | None  # of the mark

    @property
    def verdict(self) -> DisclosureVerdict:
        if self.credentials is not None and (self.credentials.changed or not self.credentials.valid):
            return DisclosureVerdict.CHANGED
        if len(self._claims()) > 1:
            return DisclosureVerdict.CHANGED
        return DisclosureVerdict.DISCLOSED if self._claims() else DisclosureVerdict.SILENT

    def _claims(self) -> set[str]:
        """The source types that credentials, metadata and mark speak of: one, or something is wrong."""
        said = {self.origin.source_type if self.origin else "", SOURCE_TYPES[self.lane] if self.lane else ""}
        if self.credentials is not None and not self.credentials.changed:
            said.add(self.credentials.source_type)
        return said - {""}

    def sentences(self) -> tuple[str, ...]:
        """What it is, who says so and when, whether it was changed, and what the mark says; for people."""
        return (self._what_it_is(), self._who_says_so(), self._what_the_mark_says())

    def _what_it_is(self) -> str:
        claims = self._claims()
        if not claims:
            return tell("disclosed.silent")
        if len(claims) > 1:
            return tell("disclosed.contradicts")
        (source,) = claims
        return tell("disclosed.picture_is", made=_made(source))

    def _who_says_so(self) -> str:
        signed = self.credentials
        if signed is None:
            return tell("disclosed.unsigned")
        if signed.changed:
            return tell("disclosed.changed", signer=signed.signer or tell("disclosed.somebody"))
        if signed.faults:
            return tell("disclosed.not_valid", faults=", ".join(signed.faults))
        known = "disclosed.signed" if signed.trusted else "disclosed.signed_by_a_stranger"
        return tell(known, signer=signed.signer, when=_when(signed.signed_at))

    def _what_the_mark_says(self) -> str:
        if self.mark is None:
            return tell("disclosed.no_key")
        if self.mark.verdict == "none" or self.lane is None:
            return tell("disclosed.no_mark")
        sure = "disclosed.carries" if self.mark.verdict == "marked" else "disclosed.probably_carries"
        return tell(sure, made=_made(SOURCE_TYPES[self.lane]))


def _made(source: str) -> str:
    """How a picture of this source type was made, in words; the type itself where there are none for it."""
    return tell(f"disclosed.{_MADE[source]}") if source in _MADE else tell("disclosed.marked_as", source=source)


def _when(moment: datetime | None) -> str:
    return tell("disclosed.stamped", day=say_date(moment)) if moment else tell("disclosed.no_stamp")


# The reader's library takes 60 MiB and milliseconds; a manifest may hold pictures and other manifests.
LIMITS = Limits(memory=1024 * 2**20, cpu=8.0)
_UNREADABLE = Credentials("", None, "", "", changed=True, trusted=False, faults=("unreadable",))


def credentials_of(data: bytes, form: str, anchors: bytes) -> Credentials | None:
    """A stranger's file's credentials, read in the sandbox."""
    options = {"form": form, "anchors": anchors.decode()}
    try:
        return from_inside(the_sandbox().open(f"{READER}:read_inside", data, LIMITS, options).value)
    except (Fallen, ValueError, TypeError, KeyError):
        return _UNREADABLE


def _origin(data: bytes) -> Origin | None:
    try:
        said = the_sandbox().open("tasks.disclosure.source:read_inside", data, LIMITS).value
        return Origin(*(str(word) for word in said)) if said else None
    except (Fallen, TypeError):
        return None


def examine(data: bytes, keys: Sequence[MarkKey] = (), anchors: bytes = b"") -> Disclosure:
    """Reads one file's bytes. `Refused` when it is no picture that we open."""
    decoded = open_picture(data)
    form, copy = decoded.format.lower(), Copy(decoded.picture)
    credentials = credentials_of(data, form, anchors) if form in MIME else None
    mark, lane = None, None
    for key in keys:
        found = find_mark(copy, key)
        ours = lane_of(key, found.payload) if found.payload is not None and found.verdict != "none" else None
        if mark is None or ours is not None:
            mark, lane = found, ours
        if ours is not None:
            break
    return Disclosure(credentials, _origin(data) if form in MIME else None, mark, lane)
