"""The origin is in the file, in the IPTC's words, where any reader of XMP looks for it."""

import io

import numpy as np
import pytest
from PIL import Image

from tasks.disclosure.source import Origin, origin_of, read_origin, xmp_packet
from tasks.vision.images import encode

PICTURE = np.random.default_rng(0).integers(0, 255, (40, 30, 3), dtype=np.uint8)


@pytest.mark.parametrize("format", ["jpeg", "png", "webp"])
@pytest.mark.parametrize(("lane", "word"), [("generated", "trainedAlgorithmicMedia"), ("faithful", "composite")])
def test_each_lane_says_what_it_is(format: str, lane: str, word: str) -> None:
    origin = origin_of(lane, "0.1.0 embedded")
    data = encode(PICTURE, format, xmp=xmp_packet(origin))  # type: ignore[arg-type]
    assert read_origin(data) == Origin(word, "Rollcall", "0.1.0 embedded")
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        found = image.info["xmp"].decode()
    assert f">http://cv.iptc.org/newscodes/digitalsourcetype/{word}</Iptc4xmpExt:DigitalSourceType>" in found
    assert 'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"' in found
    assert ("AISystemUsed" in found) is (lane == "generated")


def test_an_unknown_lane_is_called_generated() -> None:
    assert origin_of("something new", "1").source_type == "trainedAlgorithmicMedia"


def test_no_mark_is_none_and_markup_stays_text() -> None:
    assert read_origin(encode(PICTURE, "png")) is None
    origin = Origin("trainedAlgorithmicMedia", "Rollcall", '1 </rdf:RDF> & "x"')
    assert read_origin(encode(PICTURE, "jpeg", xmp=xmp_packet(origin))) == origin


def test_encoding_anew_loses_it_so_every_size_gets_its_own() -> None:
    data = encode(PICTURE, "jpeg", xmp=xmp_packet(origin_of("generated", "1")))
    with Image.open(io.BytesIO(data)) as image:
        again = io.BytesIO()
        image.convert("RGB").save(again, "PNG")
    assert read_origin(again.getvalue()) is None
