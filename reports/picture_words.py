"""Human words for what can be wrong with a headshot, as judged against its person's selfies and the brand kit."""

from collections.abc import Mapping

from reports.words import Words, say

REDO = "Ask for a redo."

FLAGS: Mapping[str, Words] = {
    "wrong_person": Words(
        "More like a colleague",
        "The face is more like somebody else in the company than like this person.",
        "Do not approve it. Ask for a redo, or for other photos.",
    ),
    "margin": Words(
        "Nearly as like a colleague",
        "Somebody else in the company is nearly as like.",
        "Look closely beside the selfies; twins and look-alikes are fine when it is them.",
    ),
    "likeness": Words(
        "Likeness is weak",
        "The face reader is not sure that this is the same person.",
        "Compare with the selfies. If in doubt: redo, or ask for more photos.",
    ),
    "likeness_unsure": Words(
        "Not sure it is them",
        "The face reader is less sure than it should be that this is the same person.",
        "Compare with the selfies. Approve it if it is them to you; if in doubt: redo.",
    ),
    "one_photo": Words(
        "One photo only",
        "How like a picture is to somebody cannot be said from one photo.",
        "Ask somebody who knows them, or ask them for more photos and run again.",
    ),
    "relative_likeness": Words(
        "Less alike than their selfies",
        "The picture is less like the selfies than the selfies are among themselves.",
        "Compare with the selfies. If it does not look like them to you either: redo.",
    ),
    "copied": Words(
        "Copies a selfie",
        "The face is one of the selfies over again, not a new picture.",
        "Redo for a picture that is new, or use the real-photo lane.",
    ),
    "no_face": Words(
        "No face in the result", "No face was found in the finished picture.", "Ask for a redo, or for other photos."
    ),
    "background": Words("Background is off", "The background differs visibly from the brand kit.", REDO),
    "halo": Words("Rim around the person", "The edge round the person differs from the backdrop.", REDO),
    "holes": Words("Gaps in the background", "Something other than the backdrop shows behind the person.", REDO),
    "remnant": Words(
        "A piece of the old background",
        "Something beside the person has the colours of the room that the photo was taken in.",
        "Look at the edge. If it shows: ask for a photo before a plain wall.",
    ),
    "enlarged": Words(
        "Too little detail", "The face in the photo is small and was enlarged much.", "Ask for a larger photo."
    ),
    "no_room": Words(
        "Photo ends at head or shoulders",
        "There is no room round the head in the photo, so the face is larger than the others'.",
        "Approve it if the set bears it, or ask for a photo with more room above and beside them.",
    ),
    "no_colour": Words(
        "Black and white", "The photo that this picture is made of has no colour.", "Ask for a photo in colour."
    ),
    "sunglasses": Words(
        "Sunglasses", "The eyes cannot be seen in the photo that this picture is made of.", "Ask for another photo."
    ),
    "eye_line": Words("Eye line is off", "The eyes are not on the kit's line.", REDO),
    "centre": Words("Off centre", "The face is not in the middle.", REDO),
    "inter_eye": Words("Face size is off", "The face is larger or smaller than the kit asks.", REDO),
    "head_height": Words("Head size is off", "The head is higher or lower than the kit asks.", REDO),
    "roll": Words("Head leans", "The head leans more than the kit allows.", REDO),
    "skin_tone": Words(
        "Skin tone shifted",
        "The skin is lighter or darker than in this person's own photos.",
        "Do not approve: nobody's skin is to be changed. Ask for a redo.",
    ),
    "smoothed": Words(
        "Skin was smoothed",
        "Fine skin detail was lost: somebody has been retouched who did not ask for it.",
        REDO,
    ),
    "roughened": Words("Skin was roughened", "The skin shows more texture than in the selfies.", REDO),
    "finished_skin": Words(
        "Finishing changed the skin",
        "The skin is lighter, darker or tinted beside the very picture that was finished.",
        "Do not approve: nobody's skin is to be changed. Ask for a redo.",
    ),
    "finished_texture": Words(
        "Finishing changed fine detail",
        "The face lost or gained detail beside the very picture that was finished.",
        "Do not approve: nobody is to be retouched. Ask for a redo.",
    ),
    "light": Words("Light falls differently", "The light falls otherwise than on the rest of the team.", REDO),
    "needs_new_photos": Words(
        "Needs new photos",
        "New pictures were taken and the face was learned once more for longer, and still they are not like this "
        "person: the photos handed in do not show enough.",
        "Ask for five or more recent photos from different days, and run again. Or approve one if it is them to you.",
    ),
    "glasses": Words(
        "Glasses differ", "Glasses appeared or vanished against the selfies, or against what was asked for.", REDO
    ),
    "hair_colour": Words(
        "Hair colour differs",
        "Hair or head covering has another colour than in this person's own photos.",
        "Compare with the newest selfies. If the hair was not dyed since: redo.",
    ),
    "hair_outline": Words(
        "Hair differs",
        "Hair or head covering is higher, lower, wider or narrower than in this person's own photos.",
        "Compare with the selfies. Hair that was lost, cut or added: redo.",
    ),
}


def say_flag(code: str) -> Words:
    """The words of a picture's flag; other codes in the words they have for people and photos."""
    return FLAGS.get(code) or say(code)
