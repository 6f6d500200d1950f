"""Human words for every code and number the machinery produces.

HR reads these pages, so each finding has a short name, a sentence and what to do next; each score has a word beside
its number. Codes are fixed across the house; an unknown one is shown readably rather than hidden, because a code we
forgot must still reach somebody.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Words:
    """What a code is called, what it means, and what to do about it."""

    name: str
    meaning: str
    fix: str


CODES: Mapping[str, Words] = {
    # consent and roster
    "no_consent": Words(
        "No consent on file",
        "There is no recorded consent, so no photo was opened.",
        "Ask for consent, add it to the roster or the consent register, and run the batch again.",
    ),
    "consent_withdrawn": Words(
        "Consent withdrawn",
        "Consent was given and later withdrawn. No photo was opened.",
        "Nothing to do. If photos are still stored, use “Forget a person”.",
    ),
    "consent_other_purpose": Words(
        "Consent is for something else",
        "Consent exists, but not for headshots.",
        "Ask for consent for the purpose “headshot”; consent for another purpose does not count.",
    ),
    "opted_out": Words(
        "Opted out",
        "This person does not want a generated headshot.",
        "Nothing to do. A retouched real photo is possible if they agree to it.",
    ),
    "left_company": Words(
        "Has left the company",
        "The roster lists this person as a leaver.",
        "Nothing to do. Their stored photos fall under the retention schedule.",
    ),
    "on_leave": Words(
        "On leave",
        "The roster lists this person as on leave.",
        "Include them in a batch when they are back, or change their status in the roster.",
    ),
    "duplicate_id": Words(
        "Employee number used twice",
        "Two roster rows carry the same employee number.",
        "Correct the number in the HR system, export the roster again and re-run.",
    ),
    "bad_email": Words(
        "E-mail address looks wrong",
        "The e-mail address in the roster cannot be one.",
        "Correct it in the HR system; nothing else waits for it.",
    ),
    "missing_name": Words(
        "Name is missing",
        "The roster row has no name.",
        "Fill in the name in the HR system, export again and re-run.",
    ),
    "formula_cell": Words(
        "Cell holds a formula",
        "A roster cell starts like a spreadsheet formula. It was kept as text and never calculated.",
        "Replace the formula with its value, or confirm that the text is meant as it stands.",
    ),
    "not_on_roster": Words(
        "Photos without a person",
        "These photos match nobody on the roster.",
        "Add the person to the roster, or rename the folder to an employee number.",
    ),
    "ambiguous_photo": Words(
        "Photos match several people",
        "The folder or file name fits more than one person.",
        "Rename the folder to the employee number, which is never ambiguous.",
    ),
    # photos
    "no_photos": Words(
        "No photos yet",
        "Nothing was handed in for this person.",
        "Ask for 4 to 8 selfies: different days, daylight, facing the camera.",
    ),
    "too_few_photos": Words(
        "Few photos",
        "There are fewer usable photos than the full plan wants; a gentler plan for few photos is used.",
        "More photos from different days would make the likeness more certain.",
    ),
    "no_face": Words(
        "No face found",
        "No face can be seen in this photo.",
        "Send a photo with the face in view, unobstructed.",
    ),
    "several_faces": Words(
        "Several people",
        "More than one face is in this photo.",
        "Send a photo that shows only this person.",
    ),
    "blurred": Words(
        "Blurred", "The face is not sharp.", "Hold the phone still, clean the lens, and use more light."
    ),
    "dark": Words("Too dark", "The face is too dark to show detail.", "Face a window or step outside."),
    "overexposed": Words(
        "Too bright",
        "Parts of the face are burnt out.",
        "Step out of direct sun and switch the flash off.",
    ),
    "sunglasses": Words("Sunglasses", "The eyes are covered.", "Send a photo without sunglasses."),
    "near_duplicate": Words(
        "Near duplicate",
        "This is almost the same picture as another one.",
        "Photos from different days and places help more than a burst.",
    ),
    "other_person": Words(
        "Somebody else",
        "The face does not match the other photos in this folder.",
        "Check whose photo this is and move it to the right folder.",
    ),
    "same_face_two_names": Words(
        "Same face under two names",
        "The photos of two people show the same face.",
        "Find out which of the two they belong to, and ask the other for their own photos.",
    ),
    "small_face": Words(
        "Face is too small", "The face fills too little of the photo.", "Take it from an arm's length."
    ),
    "turned_away": Words(
        "Turned away", "The face is turned too far from the camera.", "Look straight into the camera."
    ),
    "truncated": Words("File is incomplete", "The photo file ends too early.", "Copy or export it again."),
    "not_a_picture": Words(
        "Not a picture", "The file is not a picture, whatever its name says.", "Send a JPEG, PNG, WebP or HEIC."
    ),
    "too_large": Words(
        "File is too large", "The picture is larger than is safe to open.", "Send it at the phone's normal size."
    ),
    "bomb": Words(
        "File is too large", "The picture unpacks to more than is safe to open.", "Send the original from the phone."
    ),
    "animated": Words("Animated picture", "This is a moving picture.", "Send a still photo."),
    # headshots
    "below_floor": Words(
        "Likeness below the floor",
        "No candidate is clearly this person, so none is proposed for delivery.",
        "Look at the candidates beside the selfies; ask for a redo or for better photos.",
    ),
    "likeness": Words(
        "Likeness is weak",
        "The face reader is not sure that this is the same person.",
        "Compare with the selfies. If in doubt: redo, or ask for more photos.",
    ),
    "looks_like_other": Words(
        "Looks like a colleague",
        "The picture resembles another person of this batch more than it should.",
        "Do not approve without a close look; ask for a redo.",
    ),
    "copied": Words(
        "Copies a selfie",
        "The picture repeats one of the selfies almost exactly.",
        "Redo for a picture that is new, or take the real-photo lane.",
    ),
    "no_face_rendered": Words("No face in the result", "No face can be found in the picture.", "Ask for a redo."),
    "background": Words(
        "Background is off", "The background differs visibly from the brand kit.", "Ask for a redo."
    ),
    "framing": Words("Framing is off", "Head size or eye line differs from the kit.", "Ask for a redo."),
    "halo": Words("Halo around the head", "A light or dark rim surrounds the person.", "Ask for a redo."),
    "holes": Words("Gaps in the cut-out", "The background shows through the person.", "Ask for a redo."),
    "skin_tone": Words(
        "Skin tone shifted",
        "The skin is lighter or darker than in this person's own photos.",
        "Do not approve: nobody's skin is to be changed. Ask for a redo.",
    ),
    "texture": Words(
        "Skin too smooth or too rough",
        "Skin texture differs from the selfies: somebody has been retouched who did not ask for it.",
        "Ask for a redo.",
    ),
    "glasses": Words(
        "Glasses differ", "Glasses appeared or vanished against what was asked for.", "Ask for a redo."
    ),
    "not_sharp": Words("Not sharp", "The face in the picture is soft.", "Ask for a redo."),
    "light": Words("Light is off", "The light falls differently from the rest of the team.", "Ask for a redo."),
    "noisy": Words("Very grainy", "The photo is too noisy to show detail.", "Take it in better light."),
    "little_variety": Words(
        "Photos are much alike",
        "The photos were taken in one place and light.",
        "One photo in other light or another place makes the result safer.",
    ),
    # runs
    "not_selected": Words(
        "Not in this selection",
        "This run was limited to some of the people; they were not among them.",
        "Run the batch for everybody.",
    ),
    "diverged": Words(
        "Fine-tuning did not settle",
        "Learning this person's face went wrong and was stopped. Nobody else was affected.",
        "Run the batch again; if it stays, ask for other photos.",
    ),
    "quarantined": Words(
        "Fine-tuning did not settle",
        "Learning this person's face went wrong and was stopped. Nobody else was affected.",
        "Run the batch again; if it stays, ask for other photos.",
    ),
    "failed": Words(
        "Could not be finished", "Something failed on our side.", "Run the batch again: finished work is kept."
    ),
}

STATES: Mapping[str, str] = {
    "review": "To review",
    "attention": "Needs a look",
    "approved": "Approved",
    "rejected": "Rejected",
    "redo": "Redo asked",
    "opted_out": "Opted out",
    "blocked": "Blocked",
    "failed": "Failed",
    "waiting": "In progress",
}

VERDICTS: Mapping[str, str] = {
    "approve": "Approved",
    "reject": "Rejected",
    "redo": "Redo asked",
    "opt_out": "Opted out",
}


def say(code: str) -> Words:
    """The words of a code; an unknown one made readable."""
    known = CODES.get(code)
    if known is not None:
        return known
    readable = code.replace("_", " ").strip() or "unnamed problem"
    return Words(readable[:1].upper() + readable[1:], "", "Look at the picture before you decide.")


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
    "device": "Computed on",
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
