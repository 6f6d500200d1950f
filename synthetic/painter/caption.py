"""The one grammar in which pictures are described and asked for:

    "{shot} of {who}, {background} background, {light}, {clothes}[, smiling]"

shot is "studio headshot" or "selfie photo"; who is "a person" or a description. Every word that can occur is in
`vocabulary()`, from which the embedded base's tokenizer is built.
"""

from synthetic.painter.grooming import STYLES
from synthetic.painter.identity import Identity
from synthetic.painter.palette import BACKDROP, CLOTH, HAIR, SCENES

STUDIO_LIGHTS = ("softbox light", "softbox light from the left", "softbox light from the right", "rembrandt light")
SELFIE_LIGHTS = (
    "window light from the left",
    "window light from the right",
    "overhead light",
    "soft daylight",
    "warm lamp light",
    "flash",
)
GARMENT_WORDS = {
    "crew": "t-shirt",
    "vneck": "v-neck top",
    "suit": "suit",
    "shirt": "shirt",
    "turtleneck": "turtleneck",
    "hoodie": "hoodie",
    "blazer": "blazer",
}
SHOTS = {"studio": "studio headshot", "selfie": "selfie photo"}


def describe(person: Identity) -> str:
    """ "a woman with long brown hair and glasses": the words that carry identity."""
    noun = "woman" if person.feminine else "man"
    if person.years >= 52:
        noun = f"older {noun}"
    article = "an" if noun[0] in "aeiou" else "a"
    features: list[str] = []
    if person.cover == "none":
        if person.style in ("bald", "balding"):
            features.append(f"a {person.style} head")
        elif person.style == "locs":
            features.append(f"{person.hair} locs")
        else:
            features.append(f"{person.style} {person.hair} hair")
    if person.beard == "moustache":
        features.append("a moustache")
    elif person.beard != "none":
        features.append(f"a {person.beard} beard")
    if person.glasses:
        features.append("glasses")
    if person.hearing_aid and person.cover == "none":
        features.append("a hearing aid")
    text = f"{article} {noun}"
    if person.cover != "none":
        text += f" in a {person.cover_colour} {'headscarf' if person.cover == 'hijab' else 'turban'}"
    if features:
        text += " with " + " and ".join(features)
    return text


def caption(kind: str, who: str, background: str, light: str, clothes: str, smiling: bool) -> str:
    plain = "plain " if kind == "studio" else ""
    return f"{SHOTS[kind]} of {who}, {plain}{background} background, {light}, {clothes}{', smiling' if smiling else ''}"


def vocabulary() -> tuple[str, ...]:
    """Every word of the grammar, sorted; commas are separate tokens."""
    phrases = [
        *SHOTS.values(),
        "of a an person woman man older with in and head locs hair beard moustache glasses hearing aid",
        "headscarf turban stubble full goatee long grey white plain background smiling tie",
        *STUDIO_LIGHTS,
        *SELFIE_LIGHTS,
        *GARMENT_WORDS.values(),
        *BACKDROP,
        *SCENES,
        *CLOTH,
        *HAIR,
        *STYLES,
    ]
    return tuple(sorted({word for phrase in phrases for word in phrase.split()}))
