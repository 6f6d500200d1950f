"""What can be found about a person's photos: a code, a measured number, a limit, and two sentences.

One table holds the words (`tasks/language/`), so that the command line, the pages, the table to send back and the
records say the same thing. Pages speak to HR ("There is no photo of them"); the table to send back speaks to the
employee ("There is no photo of you").
No sentence contains a name, a file or a number that identifies anybody, and none a raw measurement: those are details.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from tasks.sentences import tell

Severity = Literal["block", "reject", "warn"]  # the person waits; this photo is not used; only worth knowing


@dataclass(frozen=True)
class Finding:
    """One observation. `photo` counts a person's photos from 1; None means the person or the whole set."""

    code: str
    measured: float | str
    limit: float | str
    sentence: str
    severity: Severity
    photo: int | None = None
    to_employee: str = ""  # the same said to the person themselves; empty where only HR can do something about it

    @property
    def details(self) -> str:
        """What was measured, for whoever wants to know; empty where that is no figure."""
        if self.measured == "" or (isinstance(self.measured, str) and self.limit == ""):
            return ""
        return f"measured {self.measured}" + (f", limit {self.limit}" if self.limit != "" else "")

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


# What follows from each finding, by its code, or code/which sentence; the sentences are in `tasks/language/`. What is
# wrong with the roster itself brings its own (RosterProblem.as_finding).
SEVERITIES: Mapping[str, Severity] = {
    **dict.fromkeys((
        "no_consent", "consent_withdrawn", "consent_other_purpose", "erasing", "no_photos", "no_photos/unusable",
        "no_photos/unclear", "photographs", "same_photo_other_name", "other_person/set", "same_face_two_names/picture",
        "same_face_two_names",
    ), "block"),
    **dict.fromkeys((
        "not_a_picture", "truncated", "too_large", "unopenable", "video", "animated", "no_face", "several_faces",
        "small_face", "little_detail", "blurred", "noisy", "dark", "overexposed", "compressed", "cut_off",
        "uneven_light", "no_colour", "sunglasses", "turned_away", "turned_away/far", "near_duplicate", "other_person",
    ), "reject"),
    **dict.fromkeys((
        "photos_replaced", "photos_kept", "photographs/anyway", "drawn", "too_few_photos/1", "too_few_photos/2",
        "too_few_photos/3", "too_few_photos/own", "not_on_roster", "ambiguous_photo", "no_room",
        "no_room/above", "no_room/beside", "no_room/below", "no_room/some", "sunglasses/tinted", "small_face/usable",
        "rolled", "turned_upright", "eyes_shut", "covered", "other_person/which", "little_variety",
    ), "warn"),
}  # fmt: skip


def finding(
    code: str,
    measured: float | str = "",
    limit: float | str = "",
    *,
    severity: Severity | None = None,
    photo: int | None = None,
) -> Finding:
    """A finding in the words of the table; figures are rounded as a person would say them. What follows a slash in
    `code` only chooses the sentence."""
    shown, bound = _plain(measured), _plain(limit)
    said, told = (in_words(code, to, measured=shown, limit=bound) for to in ("hr", "them"))
    return Finding(code.partition("/")[0], shown, bound, said, severity or SEVERITIES[code], photo, told)


def in_words(code: str, to: Literal["hr", "them"], **counts: float | str) -> str:
    """What is said of a finding to HR, who acts, or to the person themselves."""
    return tell(f"finding.{code.replace('/', '-')}.to_{to}", **counts)


def _plain(value: float | str) -> float | str:
    if isinstance(value, (str, int)):
        return value
    return round(value) if abs(value) >= 10 else float(f"{value:.2g}")
