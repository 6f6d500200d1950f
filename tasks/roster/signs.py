"""What of a cell nobody sees: direction marks, soft hyphens, odd spaces. Two cells that look alike are made alike here.

Copied out of a mail, a PDF or a chat, a number brings signs with it that no eye finds and that every comparison trips
over. What is taken away here changes nothing that a person could read.
"""

from __future__ import annotations

import re
import unicodedata

# Format signs (direction marks, soft hyphens, zero-width spaces) and variation selectors, as behind ✔ on phones.
_UNSEEN = re.compile("[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e"
                     "\u2060-\u206f\ufe00-\ufe0f\ufeff\u0000-\u0008\u000e-\u001f\u007f-\u009f]")  # fmt: skip
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—−﹣－", "-"))
# Capitals that Greek and Cyrillic share with Latin by shape: A-17 typed on another keyboard is still A-17.
_TWINS = str.maketrans("АВЕКМНОРСТХІЈЅΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEKMHOPCTXIJSABEZHIKMNOPTYX")


def visible(text: str) -> str:
    """The cell as it looks: no unseen signs, every odd space or line break one plain space, nothing around it.

    Composed letters (NFC), so that é is é whichever machine wrote it; no letter is changed into another.
    """
    if not (text.isascii() and text.isprintable()):  # most cells of most rosters are
        text = _UNSEEN.sub("", unicodedata.normalize("NFC", text))
    return " ".join(text.split())


def plain_number(text: str) -> str:
    """An employee number in the form that is compared: as visible, full-width signs and look-alike letters made plain.

    `００４１７`, `004\u200e17` and `00417` are one number; 417 and 00417 are two, and so are a7 and A7.
    """
    plain = visible(unicodedata.normalize("NFKC", visible(text))).translate(_DASHES)
    return plain.translate(_TWINS) if re.search(r"[A-Za-z0-9]", plain) else plain
