"""Human words for every code that can be found about a person, their photos or the roster.

HR reads these pages, so each finding has a short name, a sentence and what to do next. Codes are fixed across the
house; an unknown one is shown readably rather than hidden, because a code we forgot must still reach somebody.
"""

from collections.abc import Mapping
from dataclasses import dataclass


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
    "forgotten": Words(
        "Was forgotten earlier",
        "Everything about the person with this number was deleted, so consent from before that day does not count.",
        "If they agree again, record the new consent with its date, which has to be later than that day.",
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
    "who_is_this": Words(
        "Who is this?",
        "Number, name and e-mail on the roster are not all those of one person we know.",
        "Answer under Questions at the desk, then run the batch again.",
    ),
    "roster_mistake": Words(
        "A mistake in the roster",
        "You said that this line of the roster is a mistake.",
        "Mend the line in the roster, and upload it again.",
    ),
    "not_here": Words(
        "Not on this roster",
        "People of the last roster are not on this one.",
        "Say under Questions at the desk whether they left or were left out.",
    ),
    # photos
    "no_photos": Words(
        "No photos yet",
        "Nothing was handed in for this person.",
        "Ask for 4 to 8 selfies: different days, daylight, facing the camera.",
    ),
    "same_photo_other_name": Words(
        "The same photos under another name",
        "The very same photos are kept for somebody else already, so it is not plain whose face they show.",
        "Say under Questions at the desk whom they show, and run the batch again; the answer can be taken back there.",
    ),
    "photos_replaced": Words(
        "Earlier photos replaced",
        "This upload brought usable photos of this person, so earlier ones are no longer used.",
        "Nothing to do. The earlier ones are deleted when their time is up.",
    ),
    "photos_kept": Words(
        "Earlier photos kept",
        "None of the new photos can be used, so the earlier ones stay in use.",
        "Ask for better photos if the earlier ones are out of date.",
    ),
    "too_few_photos": Words(
        "Few photos",
        "There are fewer usable photos than the full plan wants; a gentler plan for few photos is used.",
        "More photos from different days would make the likeness more certain.",
    ),
    "photographs": Words(
        "Photographs, and a base for drawings",
        "These are photographs of a real person, and the base in use can draw drawn people only.",
        "Use a base for real people, or give them the real-photo lane (a column `Headshot generation` with `no`).",
    ),
    "drawn": Words(
        "Looks drawn or smoothed",
        "The photos have less texture than any lens leaves, and the base in use learns from real photographs.",
        "Ask for photos without a beauty filter.",
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
    "blurred": Words("Blurred", "The face is not sharp.", "Hold the phone still, clean the lens, and use more light."),
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
    "unopenable": Words(
        "Cannot be opened safely",
        "The file breaks or holds up what opens photos.",
        "Send the photo again as JPEG, or another one.",
    ),
    "video": Words("A video", "This is a video and not a photo.", "Send a photo."),
    "animated": Words("Animated picture", "This is a moving picture.", "Send a still photo."),
    "noisy": Words("Very grainy", "The photo is too noisy to show detail.", "Take it in better light."),
    "little_detail": Words("Enlarged", "The photo shows less than its size promises.", "Send the original."),
    "compressed": Words("Crushed", "The photo was compressed until its detail was gone.", "Send the original."),
    "no_room": Words(
        "Photo ends at head or shoulders",
        "There is no room round the head, so the face is larger than the others'.",
        "Send one with more room above and beside the head.",
    ),
    "cut_off": Words(
        "Face is cut off", "Part of the face lies outside the photo.", "Send one with the whole head and the shoulders."
    ),
    "uneven_light": Words("Lit from one side", "One half of the face is in the dark.", "Face the window."),
    "no_colour": Words("Black and white", "The photo has no colour.", "Send one in colour, without a filter."),
    "rolled": Words("Head leans", "The head leans much.", "Hold the phone upright."),
    "turned_upright": Words("Turned", "The photo lay on its side or upside down.", "Nothing to do: it was turned."),
    "eyes_shut": Words("Eyes shut", "The eyes are shut.", "Send one with open eyes."),
    "covered": Words(
        "Face is covered", "A mask, a hand or a phone hides part of the face.", "Send one with nothing before the face."
    ),
    "little_variety": Words(
        "Photos are much alike",
        "The photos were taken in one place and light.",
        "One photo in other light or another place makes the result safer.",
    ),
    # runs
    "unknown_kit": Words(
        "No such brand kit",
        "The roster names a brand kit for this person that is not here.",
        "Write one of the kits' names into the roster, or leave the cell empty for the batch's kit.",
    ),
    "kit_broken": Words(
        "Their brand kit cannot be used",
        "The kit that was chosen for this person is broken or gone.",
        "Mend the kit (`rollcall kit list` says what is wrong), and run the batch again: finished work is kept.",
    ),
    "stopped": Words(
        "Stopped", "Somebody stopped this batch. What was made until then is kept.", "Carry the batch on at the desk."
    ),
    "cost": Words(
        "Waits for a second yes",
        "This run costs more than one person may order.",
        "Somebody else says yes or no at the desk.",
    ),
    "not_new": Words(
        "Has pictures already",
        "This batch was for those who are new; this person's pictures under this kit were taken before.",
        "Nothing to do. Run the drop for everybody to look at all of them in one batch.",
    ),
    "not_selected": Words(
        "Not in this selection",
        "This run was limited to some of the people; they were not among them.",
        "Run the batch for everybody.",
    ),
    "training_failed": Words(
        "Learning the face did not work",
        "Learning this person's face went wrong and was stopped. Nobody else was affected.",
        "Run the batch again; if it stays, ask for other photos.",
    ),
    "broke_down": Words(
        "Something broke on our side",
        "The work on this person's group ended in an error. It was nothing about them or their photos.",
        "Give whoever looks after Rollcall the word beside it, and run the batch again: finished work is kept.",
    ),
    "not_their_own": Words(
        "What was learned fitted somebody else",
        "What was learned of this person fitted somebody else's photos better than theirs, so it was thrown away.",
        "Run the batch again; if it stays, look whether the photos are really of this person.",
    ),
    "interrupted": Words(
        "Stopped before it was done",
        "The machine or the process that worked on this group ended without a word, twice.",
        "Run the batch again: finished work is kept.",
    ),
    "erasing": Words("Being forgotten", "This person's data is being erased.", "Nothing to do."),
    "failed": Words(
        "Could not be finished", "Something failed on our side.", "Run the batch again: finished work is kept."
    ),
}


def say(code: str) -> Words:
    """The words of a code; an unknown one made readable."""
    known = CODES.get(code)
    if known is not None:
        return known
    readable = code.replace("_", " ").strip() or "unnamed problem"
    return Words(readable[:1].upper() + readable[1:], "", "Look at the picture before you decide.")
