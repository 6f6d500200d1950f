"""What can be found about a person's photos: a code, a measured number, a limit, and a sentence they can act on.

One table holds the words, so that the command line, the return file for HR and the records say the same thing. The
sentences speak to the employee; HR can send them on as they are. No sentence contains a name, a file or a number that
identifies anybody.
"""

# ruff: noqa: E501  (one sentence, one line: they are read and compared side by side)
from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from tasks.roster.consents import CONSENT_SENTENCES

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

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


# What is wrong with the roster itself brings its own sentence (RosterProblem.as_finding).
# code, or code/which sentence → (severity, sentence). {measured} and {limit} are filled in.
WORDS: dict[str, tuple[Severity, str]] = {
    **{code: ("block", sentence) for code, sentence in CONSENT_SENTENCES.items()},
    "erasing": ("block", "Your data are being deleted; nothing new is made."),
    # which photos
    "no_photos": ("block", "There is no photo of you. Put at least {limit} photos into a folder named with your employee number."),
    "no_photos/unusable": ("block", "None of your {measured} photos can be used; see what is wrong with each, and send {limit} new ones."),
    "no_photos/unclear": ("block", "There are {measured} photos that may be yours or a colleague's with your name. HR has to say whose they are."),
    "too_few_photos": ("warn", "{measured} of your photos can be used; with {limit} the result is safer. Send more if you can."),
    "photos_replaced": ("warn", "The photos of this upload replace {measured} earlier ones of yours."),
    "photos_kept": ("warn", "None of the new photos can be used; your {measured} earlier ones stay in use."),
    "not_on_roster": ("warn", "{measured} files belong to nobody on the roster: pick whose they are, or name their folders by employee number."),
    "ambiguous_photo": ("warn", "{measured} files fit more than one person: pick whose they are, or name their folders by employee number."),
    # one photo
    "not_a_picture": ("reject", "This file is not a photo we can read. Send a JPEG, PNG or HEIC."),
    "truncated": ("reject", "This file is damaged or was cut off while sending. Send it again."),
    "too_large": ("reject", "This file is too large ({measured}; at most {limit}). Send it as JPEG in the usual size of your phone."),
    "unopenable": ("reject", "This file cannot be opened safely ({measured}). Send the photo again as JPEG, or another one."),
    "video": ("reject", "This is a video. Send a photo."),
    "animated": ("reject", "This is a moving picture. Send a still photo."),
    "no_face": ("reject", "We cannot find a face in this photo. Take one with your whole face in view."),
    "several_faces": ("reject", "There is more than one face in this photo. Send one with only you in it."),
    "small_face": ("reject", "Your face is too small ({measured} px between the eyes; at least {limit}). Come closer."),
    "blurred": ("reject", "This photo is blurred ({measured}; at least {limit}). Hold the phone still and wipe the lens."),
    "noisy": ("reject", "This photo is very grainy. Take it in better light."),
    "dark": ("reject", "This photo is too dark. Face a window or switch a light on."),
    "overexposed": ("reject", "Your face is too bright in this photo. Step out of the direct light."),
    "sunglasses": ("reject", "We cannot see your eyes. Take the sunglasses off; ordinary glasses are fine."),
    "turned_away": ("reject", "You are turned too far to the side ({measured}; at most {limit}). Look towards the camera."),
    "turned_away/far": ("reject", "You are turned too far to the side for us to see both eyes. Look towards the camera."),
    "near_duplicate": ("reject", "This photo is nearly the same as another of yours; it counts once. Send a different one."),
    # the set
    "other_person": ("reject", "This face does not look like the one in your other photos ({measured}; at least {limit}). Is it you?"),
    "other_person/set": ("block", "Your photos seem to show two people ({measured}; at least {limit}). Tell HR which ones are you."),
    "little_variety": ("warn", "Your photos are much alike. One in other light or another place makes the result safer."),
    "same_face_two_names": ("block", "The same face lies under two names ({measured}; at most {limit}). HR has to say whose photos these are."),
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
    usual, sentence = WORDS[code]
    shown, bound = _plain(measured), _plain(limit)
    return Finding(
        code.partition("/")[0], shown, bound, sentence.format(measured=shown, limit=bound), severity or usual, photo
    )


def _plain(value: float | str) -> float | str:
    if isinstance(value, (str, int)):
        return value
    return round(value) if abs(value) >= 10 else float(f"{value:.2g}")
