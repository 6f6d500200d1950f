"""Says in a file how its picture came about, in the words of the IPTC, and reads it back.

`Iptc4xmpExt:DigitalSourceType` in an XMP packet, with the system that made the picture (IPTC Photo Metadata 2025.1).
It is honest labelling, not protection: whoever encodes the file anew can lose it, so it is written to each size
separately and every written file is read again.

Which term (http://cv.iptc.org/newscodes/digitalsourcetype/, as of October 2024), the same in XMP and in the signed
credentials:
- generated pictures: `trainedAlgorithmicMedia`, “created using generative AI”: the person in them was drawn by a
  trained model, whatever was done to the background afterwards;
- the faithful lane: `composite`, “mix or composite of several elements, any of which may or may not be generative AI”:
  a photograph of the person before a backdrop that never stood behind them. Nothing in it is generated, so
  `compositeWithTrainedAlgorithmicMedia` (“edited using generative AI”) would claim too much, and
  `algorithmicallyEnhanced` (“without changing the main content”) too little.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.etree import ElementTree
from xml.sax.saxutils import escape

VOCABULARY = "http://cv.iptc.org/newscodes/digitalsourcetype/"
SOURCE_TYPES = {"generated": "trainedAlgorithmicMedia", "faithful": "composite"}
SYSTEM = "Rollcall"
_IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_XMP = "http://ns.adobe.com/xap/1.0/"
_PACKET = re.compile(rb"<x:xmpmeta\b.*?</x:xmpmeta>", re.DOTALL)
MOST_BYTES = 64 * 1024  # of a packet; a JPEG's segment holds no more


@dataclass(frozen=True)
class Origin:
    """What a file says about its origin."""

    source_type: str  # the last word of the URI
    system: str = SYSTEM
    version: str = ""  # of the system and of the base model; nothing about the person
    photo: str = ""  # a sentence on the photograph that it was made from; in the signed credentials only


def origin_of(lane: str, version: str, photo: str = "") -> Origin:
    """The origin of a lane's pictures; an unknown lane counts as generated, the stronger statement. What is said of the
    `photo` counts for the faithful lane alone: a generated picture is no photograph any more."""
    said = photo if lane == "faithful" else ""
    return Origin(SOURCE_TYPES.get(lane, SOURCE_TYPES["generated"]), SYSTEM, version, said)


def xmp_packet(origin: Origin) -> bytes:
    """The packet. It names no person, no prompt and no date: a picture's metadata travel further than the picture."""
    ai = ""
    if origin.source_type == SOURCE_TYPES["generated"]:
        ai = (
            f"   <Iptc4xmpExt:AISystemUsed>{escape(origin.system)}</Iptc4xmpExt:AISystemUsed>\n"
            f"   <Iptc4xmpExt:AISystemVersionUsed>{escape(origin.version)}</Iptc4xmpExt:AISystemVersionUsed>\n"
        )
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
        ' <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
        '  <rdf:Description rdf:about=""\n'
        f'    xmlns:xmp="{_XMP}"\n'
        f'    xmlns:Iptc4xmpExt="{_IPTC}">\n'
        f"   <xmp:CreatorTool>{escape(f'{origin.system} {origin.version}'.strip())}</xmp:CreatorTool>\n"
        f"   <Iptc4xmpExt:DigitalSourceType>{VOCABULARY}{origin.source_type}</Iptc4xmpExt:DigitalSourceType>\n"
        f"{ai}"
        "  </rdf:Description>\n"
        " </rdf:RDF>\n"
        "</x:xmpmeta>\n"
        '<?xpacket end="r"?>'
    ).encode()


def read_origin(data: bytes) -> Origin | None:
    """What a JPEG, PNG or WebP says; None when it says nothing, or nothing that can be read. No pixel is decoded."""
    packet = _PACKET.search(data)
    if packet is None or len(packet[0]) > MOST_BYTES or b"<!" in packet[0]:  # no packet of anybody's needs a doctype
        return None
    try:
        root = ElementTree.fromstring(packet[0])
    except ElementTree.ParseError:
        return None
    uri = root.findtext(f".//{{{_IPTC}}}DigitalSourceType", "").strip()
    if not uri.startswith(VOCABULARY):
        return None
    system, _, version = root.findtext(f".//{{{_XMP}}}CreatorTool", "").partition(" ")
    return Origin(uri.removeprefix(VOCABULARY), system, version)


def read_inside(data: bytes) -> tuple[list[str] | None, list[bytes]]:
    """The same for a stranger's file: runs in the sandbox."""
    origin = read_origin(data)
    return ([origin.source_type, origin.system, origin.version] if origin else None), []
