"""What is carried over of the credentials that a photo came with: that they were valid, and who signed; nothing else.

A photo's own manifest may hold names, places, a thumbnail and other photos. What is kept of a photo is rebuilt from its
pixels, so none of that is; but that a camera vouched for it is worth saying of a picture that is still that photograph.
A name counts only where its certificate leads to a root that the company trusts: anybody can sign as anybody.
"""

from __future__ import annotations

from tasks.disclosure.credentials import MIME
from tasks.disclosure.verify import credentials_of
from tasks.sentences import tell
from tasks.vision.glance import Refused, glance

UNKNOWN = "a signer not known here"
MOST = 60  # characters of a signer's name
_SIGN = b"jumb"  # of a manifest, in every format


def photo_signer(data: bytes, roots: bytes) -> str:
    """Who signed this photo's valid credentials; UNKNOWN when `roots` (PEM) do not lead to them, "" without any. The
    manifest is read in the sandbox."""
    if _SIGN not in data:
        return ""
    try:
        form = glance(data).format.lower()
    except Refused:
        return ""
    found = credentials_of(data, form, roots) if form in MIME else None
    if found is None or not found.valid or found.changed:
        return ""
    name = "".join(sign for sign in found.signer if sign.isprintable()).strip()[:MOST]
    return name if found.trusted and name else UNKNOWN


def sentence(signer: str) -> str:
    """What a picture made of such a photo says."""
    return tell("disclosed.made_from", signer=signer) if signer else ""
