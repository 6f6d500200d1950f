"""Says in every delivered file how it came about, in the words of the IPTC, and reads it back.

The mark is `Iptc4xmpExt:DigitalSourceType` in an XMP packet, with the system that made the picture (IPTC Photo
Metadata 2025.1). It is honest labelling, not protection: whoever encodes the file anew can lose it, so it is written
to each size separately and every written file is read again.

Which term (http://cv.iptc.org/newscodes/digitalsourcetype/, as of October 2024):
- generated pictures: `trainedAlgorithmicMedia`, “created using generative AI”: the person in them was drawn by a
  trained model, whatever was done to the background afterwards;
- the faithful lane: `algorithmicallyEnhanced`, “modification or correction by algorithm without changing the main
  content, initiated or configured by a human”. Nothing in it is generated: `compositeWithTrainedAlgorithmicMedia`
  (“edited using generative AI”) would claim that something was.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from PIL import Image

VOCABULARY = "http://cv.iptc.org/newscodes/digitalsourcetype/"
SOURCE_TYPES = {"generated": "trainedAlgorithmicMedia", "faithful": "algorithmicallyEnhanced"}
SYSTEM = "Rollcall"
_IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_XMP = "http://ns.adobe.com/xap/1.0/"


@dataclass(frozen=True)
class Mark:
    """What a file says about its origin."""

    source_type: str  # the last word of the URI
    system: str = SYSTEM
    version: str = ""  # of the system and of the base model; nothing about the person


def mark_for(lane: str, version: str) -> Mark:
    """The mark of a lane; an unknown lane counts as generated, the stronger statement."""
    return Mark(SOURCE_TYPES.get(lane, SOURCE_TYPES["generated"]), SYSTEM, version)


def xmp_packet(mark: Mark) -> bytes:
    """The packet. It names no person, no prompt and no date: a picture's metadata travel further than the picture."""
    ai = ""
    if mark.source_type == SOURCE_TYPES["generated"]:
        ai = (
            f"   <Iptc4xmpExt:AISystemUsed>{escape(mark.system)}</Iptc4xmpExt:AISystemUsed>\n"
            f"   <Iptc4xmpExt:AISystemVersionUsed>{escape(mark.version)}</Iptc4xmpExt:AISystemVersionUsed>\n"
        )
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
        ' <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
        '  <rdf:Description rdf:about=""\n'
        f'    xmlns:xmp="{_XMP}"\n'
        f'    xmlns:Iptc4xmpExt="{_IPTC}">\n'
        f"   <xmp:CreatorTool>{escape(f'{mark.system} {mark.version}'.strip())}</xmp:CreatorTool>\n"
        f"   <Iptc4xmpExt:DigitalSourceType>{VOCABULARY}{mark.source_type}</Iptc4xmpExt:DigitalSourceType>\n"
        f"{ai}"
        "  </rdf:Description>\n"
        " </rdf:RDF>\n"
        "</x:xmpmeta>\n"
        '<?xpacket end="r"?>'
    ).encode()


def read_mark(data: bytes) -> Mark | None:
    """What a JPEG, PNG or WebP says; None when it says nothing, or nothing that can be read."""
    with Image.open(io.BytesIO(data)) as image:
        image.load()  # PNG keeps text behind the pixels
        packet = image.info.get("xmp") or b""
    try:
        root = ElementTree.fromstring(packet.rstrip(b"\x00 "))
    except ElementTree.ParseError:
        return None
    uri = root.findtext(f".//{{{_IPTC}}}DigitalSourceType", "").strip()
    if not uri.startswith(VOCABULARY):
        return None
    system, _, version = root.findtext(f".//{{{_XMP}}}CreatorTool", "").partition(" ")
    return Mark(uri.removeprefix(VOCABULARY), system, version)
