"""Of a photo's own credentials only that they were valid, and who signed, is carried over, in the photo's own lane."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.disclosure.chain import ORGANISATION, SigningChain, make_chain
from tasks.disclosure.credentials import sign
from tasks.disclosure.of_photos import UNKNOWN, photo_signer, sentence
from tasks.disclosure.source import Origin, origin_of
from tasks.selfies.look import look_at
from tasks.vision.faces import Eyes
from tasks.vision.images import Picture, encode
from tasks.vision.open_eyes import open_eyes
from tests.disclosure.test_credentials import NOW


@pytest.fixture(scope="module")
def chain() -> SigningChain:
    return make_chain(NOW)


@pytest.fixture(scope="module")
def camera(masters: list[Picture], chain: SigningChain) -> bytes:
    """A photo as a camera signs it; its manifest says more than anybody needs to know."""
    private = Origin("digitalCapture", "Camera of Hannah Arendt", "Berlin 52.5 N", "Taken at home by Hannah Arendt.")
    return sign(encode(masters[0], "jpeg"), "jpeg", private, chain)


def test_who_signed_is_told_by_name_only_where_the_company_trusts_the_root(camera: bytes, chain: SigningChain) -> None:
    assert photo_signer(camera, chain.anchors) == ORGANISATION
    assert photo_signer(camera, b"") == UNKNOWN
    assert photo_signer(camera, make_chain(NOW).anchors) == UNKNOWN


def test_a_photo_that_was_changed_or_is_not_signed_or_is_no_photo_says_nothing(
    camera: bytes, chain: SigningChain, masters: list[Picture]
) -> None:
    changed = bytearray(camera)
    changed[-2000] ^= 1
    assert photo_signer(bytes(changed), chain.anchors) == ""
    assert photo_signer(encode(masters[0], "jpeg"), chain.anchors) == ""
    assert photo_signer(b"jumb" * 100, chain.anchors) == ""


def test_nothing_else_of_the_manifest_is_kept(camera: bytes, chain: SigningChain) -> None:
    eyes: Eyes = open_eyes()
    look, kept = look_at(camera, eyes, keep=True, roots=chain.anchors)
    assert look.signed_by == ORGANISATION
    assert kept is not None
    assert [word for word in (b"jumb", b"c2pa", b"Hannah", b"Berlin") if word in kept.file + kept.small] == []
    assert look_at(camera, eyes)[0].signed_by == ""  # a check keeps nothing, and looks for nothing


def test_the_sentence_is_the_faithful_lane_s_and_stands_in_the_signed_manifest(chain: SigningChain) -> None:
    said = sentence("Leica Camera AG")
    assert (origin_of("faithful", "1", said).photo, origin_of("generated", "1", said).photo) == (said, "")
    assert sentence("") == ""
    picture = encode(np.full((64, 64, 3), 90, np.uint8), "jpeg")
    assert said.encode() in sign(picture, "jpeg", origin_of("faithful", "1", said), chain)
    assert b"photograph that had" not in sign(picture, "jpeg", origin_of("faithful", "1"), chain)
