"""One table of findings: every code about a photo is in it, in the pages' words, and in the documentation as it is."""

from __future__ import annotations

import pytest

from tasks.selfies.components import COMPONENTS, LEFT_ALONE, findings_table, left_alone_table
from tasks.selfies.findings import SEVERITIES, in_words
from tasks.sentences import names
from tasks.shipped import SHIPPED

# What is wrong with a file, or with a set, is no quality of a face.
NOT_OF_A_FACE = {
    "not_a_picture", "truncated", "too_large", "unopenable", "video", "animated", "other_person", "no_photos",
}  # fmt: skip


def test_every_code_about_a_photo_has_its_place_and_its_words() -> None:
    codes = {code.partition("/")[0] for code, severity in SEVERITIES.items() if severity == "reject"}
    assert codes - NOT_OF_A_FACE <= set(COMPONENTS)
    assert set(COMPONENTS) <= {code.partition("/")[0] for code in SEVERITIES}
    assert set(COMPONENTS) <= set(names("code"))


STANDARD = (
    "UnifiedQualityScore", "BackgroundUniformity", "IlluminationUniformity", "LuminanceMean", "LuminanceVariance",
    "UnderExposurePrevention", "OverExposurePrevention", "DynamicRange", "Sharpness", "CompressionArtifacts",
    "NaturalColour", "SingleFacePresent", "EyesOpen", "MouthClosed", "EyesVisible", "MouthOcclusionPrevention",
    "FaceOcclusionPrevention", "InterEyeDistance", "HeadSize", "Leftward", "Rightward", "Upward", "DownwardCrop",
    "HeadPoseYaw", "HeadPosePitch", "HeadPoseRoll", "ExpressionNeutrality", "NoHeadCoverings",
)  # fmt: skip


@pytest.mark.parametrize("name", STANDARD)
def test_each_component_of_the_standard_is_measured_or_left_alone_with_a_reason(name: str) -> None:
    measured = any(name in component.theirs for component in COMPONENTS.values())
    left = any(name in names for names in LEFT_ALONE)
    assert measured != left, "in one of the two tables, and only in one"


def test_a_head_covering_is_never_a_finding() -> None:
    words = " ".join(
        in_words(code, to, measured=1, limit=2) for code in SEVERITIES for to in ("hr", "them") if code != "forgotten"
    ).lower()
    for word in ("turban", "scarf", "headscarf", " hat", "veil"):
        assert word not in words


def test_the_documentation_holds_the_tables_as_they_are() -> None:
    page = (SHIPPED / "docs" / "photos.md").read_text("utf-8")
    assert findings_table() in page
    assert left_alone_table() in page
