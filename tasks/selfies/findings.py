"""What can be found about a person's photos: a code, a measured number, a limit, and two sentences.

One table holds the words, so that the command line, the pages, the table to send back and the records say the same thing.
Pages speak to HR ("There is no photo of them"); the table to send back speaks to the employee ("There is no photo of you").
No sentence contains a name, a file or a number that identifies anybody, and none a raw measurement: those are details.
"""

# ruff: noqa: E501  (one sentence, one line: they are read and compared side by side)
from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from tasks.roster.consents import CONSENT_SENTENCES, CONSENT_TO_EMPLOYEE

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


# What is wrong with the roster itself brings its own sentence (RosterProblem.as_finding).
# code, or code/which sentence → (severity, to HR, to the employee). {measured} and {limit} are filled in: counts only.
WORDS: dict[str, tuple[Severity, str, str]] = {
    **{code: ("block", CONSENT_SENTENCES[code], to_them) for code, to_them in CONSENT_TO_EMPLOYEE.items()},
    "erasing": ("block", "Their data are being deleted; nothing new is made.", "Your data are being deleted; nothing new is made."),
    # which photos
    "no_photos": ("block", "There is no photo of them. Put at least {limit} into a folder named with their employee number.", "There is no photo of you. Send at least {limit}: different days, daylight, facing the camera."),
    "no_photos/unusable": ("block", "None of their {measured} photos can be used; what is wrong with each stands below. Ask for {limit} new ones.", "None of your {measured} photos can be used; see what is wrong with each, and send {limit} new ones."),
    "no_photos/unclear": ("block", "There are {measured} photos that may be theirs or a colleague's with their name. Say whose they are.", "There are {measured} photos that may be yours or a colleague's with your name. HR has to say whose they are."),
    "photos_replaced": ("warn", "The photos of this upload replace {measured} earlier ones of theirs.", "The photos of this upload replace {measured} earlier ones of yours."),
    "photos_kept": ("warn", "None of their new photos can be used; their {measured} earlier ones stay in use.", "None of the new photos can be used; your {measured} earlier ones stay in use."),
    "photographs": ("block", "These are photographs of a real person, and the base in use can draw drawn people only: minutes would go into smears. Use a base for real people (IT: `rollcall models list`), or the real-photo lane (a column `Headshot generation` with `no`), which finishes their own best photo and needs no base.", ""),
    "photographs/anyway": ("warn", "These are photographs of a real person, and the base in use can draw drawn people only. The real-photo lane (a column `Headshot generation` with `no`) needs no base.", ""),
    "drawn": ("warn", "Their photos look drawn or much smoothed, and the base in use learns from real photographs. Ask for unfiltered ones.", "Your photos look drawn or much smoothed. Send photos without a beauty filter."),
    "too_few_photos/1": ("warn", "One of their photos can be used; {limit} are wanted. With one nothing tells a photo of somebody else, likeness cannot be held against how alike their own photos are, and skin, glasses and hair are not judged: somebody who knows them has to look at every picture.", "One of your photos can be used; {limit} are wanted. With one alone we cannot tell whether a picture is like you. Send more if you can."),
    "too_few_photos/2": ("warn", "Two of their photos can be used; {limit} are wanted. With two a photo of somebody else is noticed, but not which of them it is; likeness rests on one comparison, and texture, glasses and hair are not judged.", "Two of your photos can be used; {limit} are wanted. With two we can hardly tell whether a picture is like you. Send more if you can."),
    "too_few_photos/3": ("warn", "Three of their photos can be used; {limit} are wanted. With three everything can be judged that three agree on, and a single odd photo weighs a third: a gentler plan is learned.", "Three of your photos can be used; with {limit} the result is safer. Send more if you can."),
    "too_few_photos/own": ("warn", "{measured} of their photos can be used. That is enough for the real-photo lane; with {limit} there is a choice.", "{measured} of your photos can be used. That is enough; with {limit} there is a choice."),
    "same_photo_other_name": ("block", "{measured} of their photos are kept under another name already. HR has to say whom they show (Questions at the desk).", ""),
    "not_on_roster": ("warn", "{measured} files belong to nobody on the roster: pick whose they are, or name their folders by employee number.", ""),
    "ambiguous_photo": ("warn", "{measured} files fit more than one person: pick whose they are, or name their folders by employee number.", ""),
    # one photo
    "not_a_picture": ("reject", "This file is not a photo we can read. Ask for a JPEG, PNG or HEIC.", "This file is not a photo we can read. Send a JPEG, PNG or HEIC."),
    "truncated": ("reject", "This file is damaged or was cut off while sending. Ask for it again.", "This file is damaged or was cut off while sending. Send it again."),
    "too_large": ("reject", "This file is too large ({measured}; at most {limit}). Ask for it as JPEG in the phone's usual size.", "This file is too large ({measured}; at most {limit}). Send it as JPEG in the usual size of your phone."),
    "unopenable": ("reject", "This file cannot be opened safely ({measured}). Ask for the photo as JPEG, or for another one.", "This file cannot be opened safely ({measured}). Send the photo again as JPEG, or another one."),
    "video": ("reject", "This is a video. Ask for a photo.", "This is a video. Send a photo."),
    "animated": ("reject", "This is a moving picture. Ask for a still photo.", "This is a moving picture. Send a still photo."),
    "no_face": ("reject", "No face can be found in this photo.", "We cannot find a face in this photo. Take one with your whole face in view."),
    "several_faces": ("reject", "There is more than one face in this photo.", "There is more than one face in this photo. Send one with only you in it."),
    "small_face": ("reject", "Their face is too small in this photo.", "Your face is too small in this photo. Come closer."),
    "no_room": ("warn", "The photo ends at their head or shoulders, so their face will be larger than the others'. Ask for one with more room above and beside them.", "Your photo ends at your head or shoulders. Send one with more room above and beside you."),
    "small_face/usable": ("warn", "Their face is small in this photo; a larger one makes a better picture.", "Your face is small in this photo; a larger one makes a better picture."),
    "little_detail": ("reject", "This photo was enlarged: it shows less than its size promises. Ask for the original.", "This photo was enlarged or is a copy of a small one. Send the original from your phone."),
    "blurred": ("reject", "This photo is blurred.", "This photo is blurred. Hold the phone still and wipe the lens."),
    "noisy": ("reject", "This photo is very grainy.", "This photo is very grainy. Take it in better light."),
    "dark": ("reject", "This photo is too dark.", "This photo is too dark. Face a window or switch a light on."),
    "overexposed": ("reject", "Their face is too bright in this photo.", "Your face is too bright in this photo. Step out of the direct light."),
    "compressed": ("reject", "This photo was compressed until its detail was gone. Ask for the original.", "This photo was compressed until its detail was gone, as messengers do. Send the original from your phone."),
    "cut_off": ("reject", "Part of their face lies outside this photo.", "Part of your face lies outside this photo. Send one with your whole head and shoulders in it."),
    "uneven_light": ("reject", "One half of their face is in the dark in this photo.", "One half of your face is in the dark. Face the window instead of standing beside it."),
    "no_colour": ("reject", "This photo is black and white.", "This photo is black and white. Send one in colour, without a filter."),
    "rolled": ("warn", "Their head leans much in this photo.", "Your head leans much in this photo. Hold the phone upright."),
    "turned_upright": ("warn", "This photo lay on its side or upside down and was turned.", "This photo lay on its side or upside down; we have turned it."),
    "eyes_shut": ("warn", "Their eyes look shut in this photo.", "Your eyes look shut in this photo. Send one with your eyes open."),
    "covered": ("warn", "Part of their face may be covered in this photo: a mask, a hand or a phone.", "Part of your face may be covered in this photo. Take masks off, and keep hands and phone away from your face."),
    "sunglasses": ("reject", "Their eyes cannot be seen: sunglasses. Ordinary glasses are fine.", "We cannot see your eyes. Take the sunglasses off; ordinary glasses are fine."),
    "turned_away": ("reject", "They are turned too far to the side.", "You are turned too far to the side. Look towards the camera."),
    "turned_away/far": ("reject", "They are turned too far to the side for both eyes to be seen.", "You are turned too far to the side for us to see both eyes. Look towards the camera."),
    "near_duplicate": ("reject", "This photo is nearly the same as another of theirs; it counts once.", "This photo is nearly the same as another of yours; it counts once. Send a different one."),
    # the set
    "other_person": ("reject", "This face does not look like the one in their other photos. Is it them?", "This face does not look like the one in your other photos. Is it you?"),
    "other_person/which": ("warn", "It cannot be told which of their photos are theirs: this is one of those in doubt. Look at them, or ask.", "We cannot tell which of your photos show you: is this one you?"),
    "other_person/set": ("block", "Their photos seem to show two people. Find out which ones are them.", "Your photos seem to show two people. Tell HR which ones are you."),
    "little_variety": ("warn", "Their photos are much alike. One in other light or another place makes the result safer.", "Your photos are much alike. One in other light or another place makes the result safer."),
    "same_face_two_names/picture": ("block", "The very same photo lies under two names. Say whose it is.", "The very same photo lies under two names. HR has to say whose it is."),
    "same_face_two_names": ("block", "The same face lies under two names. Say whose photos these are.", "The same face lies under two names. HR has to say whose photos these are."),
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
    usual, to_hr, to_employee = WORDS[code]
    shown, bound = _plain(measured), _plain(limit)
    said, told = (sentence.format(measured=shown, limit=bound) for sentence in (to_hr, to_employee))
    return Finding(code.partition("/")[0], shown, bound, said, severity or usual, photo, told)


def _plain(value: float | str) -> float | str:
    if isinstance(value, (str, int)):
        return value
    return round(value) if abs(value) >= 10 else float(f"{value:.2g}")
