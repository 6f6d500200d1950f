"""What is found about a photo, by the names of ISO/IEC 29794-5 (face image quality): theirs, ours, how measured, limit.

`docs/photos.md` holds this table, and a test compares. What the standard names and we leave alone stands there too,
with the reason: head coverings are never a finding.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from tasks.selfies.findings import SEVERITIES, in_words
from tasks.vision.faces import QualityLimits
from tasks.vision.worlds import DRAWING


@dataclass(frozen=True)
class Component:
    """One finding's place in the standard."""

    theirs: str  # the standard's name, or what goes beyond it
    measured: str
    limit: str  # names of `QualityLimits`, or a constant's words


COMPONENTS: dict[str, Component] = {
    "no_face": Component("SingleFacePresent", "faces above the finder's score", "score"),
    "several_faces": Component("SingleFacePresent", "area of another face over the main one's", "second_face_warn"),
    "small_face": Component("InterEyeDistance", "px between the eyes, by what will be made", "inter_eye_px"),
    "little_detail": Component("Sharpness", "largest eye distance at which neighbouring pixels differ", "detail_px"),
    "blurred": Component(
        "Sharpness", "second differences, the lesser direction, over the face's variance", "sharpness"
    ),
    "noisy": Component("beyond: noise", "second differences both ways on the calmer cheek", "grain"),
    "compressed": Component("CompressionArtifacts", "the file's own table; steps at its 8 px grid", "table"),
    "dark": Component("UnderExposurePrevention", "face lost in black; never how dark skin is", "dark_share"),
    "overexposed": Component("OverExposurePrevention", "face at the upper end of a channel", "clipped_share"),
    "uneven_light": Component("IlluminationUniformity", "overlap of the lightness of both halves", "halves"),
    "no_colour": Component("NaturalColour", "chroma of the cheeks", "chroma"),
    "sunglasses": Component("EyesVisible", "lightness of the eyes over the cheeks'; structure in them", "eye_contrast"),
    "eyes_shut": Component("EyesOpen", "how shut both lids are, 0 to 1 (face_landmarker)", "lids_warn"),
    "covered": Component(
        "MouthOcclusionPrevention, FaceOcclusionPrevention",
        "how far 478 points move in a second look (face_landmarker)",
        "unsteady",
    ),
    "cut_off": Component("Leftward-, Rightward-, Upward-, DownwardCrop", "face beyond the photo's edge", "beyond"),
    "no_room": Component(
        "HeadSize, and the kit's frame", "share of the kit's frame on each side where the photo cuts the person", "room"
    ),
    "turned_away": Component("HeadPoseYaw", "nose off the middle of the eyes", "yaw"),
    "rolled": Component("HeadPoseRoll", "angle of the eyes", "roll"),
    "turned_upright": Component("HeadPoseRoll", "the finder's score, four ways up", "turn_margin"),
    "drawn": Component("beyond: NaturalColour", "texture, where the base draws real people", f"texture = {DRAWING}"),
    "near_duplicate": Component("beyond: the same photo twice", "bits of a perceptual hash", "duplicate_bits"),
}

# Named by the standard, and left alone on purpose.
LEFT_ALONE = {
    "NoHeadCoverings": "A turban, a scarf or a hat is never a finding.",
    "ExpressionNeutrality, MouthClosed": "Smiles are wanted.",
    "BackgroundUniformity": "Part of the one number per photo, never a finding: rooms are what people have.",
    "HeadPosePitch": "Not measured: five points do not tell it from a long or short face.",
    "UnifiedQualityScore": "The one number per photo is ours: it compares one person's photos, never people.",
    "DynamicRange, LuminanceMean, LuminanceVariance": "They measure skin as much as light.",
}


def findings_table() -> str:
    """The table of docs/photos.md: one row a code."""
    limits = QualityLimits()
    known = {field.name for field in fields(limits)}
    lines = ["| finding | ISO/IEC 29794-5 | how measured | limit | what happens | what the person is told |"]
    lines.append("|---|---|---|---|---|---|")
    for code, part in COMPONENTS.items():
        severity, to_them = SEVERITIES[code], in_words(code, "them", measured="", limit="")
        limit = f"{part.limit} = {getattr(limits, part.limit):g}" if part.limit in known else part.limit
        happens = {"reject": "not used", "warn": "remark", "block": "waits"}[severity]
        lines.append(f"| `{code}` | {part.theirs} | {part.measured} | `{limit}` | {happens} | {to_them} |")
    return "\n".join(lines)


def left_alone_table() -> str:
    """What the standard names and is no finding here."""
    rows = [f"| {name} | {why} |" for name, why in LEFT_ALONE.items()]
    return "\n".join(["| ISO/IEC 29794-5 | why it is left alone |", "|---|---|", *rows])
