"""Letters without their accents: the one folding under every comparison of names, headers, files and search words.

Only the marks of Latin, Greek and Cyrillic letters go. Those of other scripts are letters of their own: が is not か,
and who is called the one is not who is called the other.
"""

import unicodedata

_MARKS = range(0x300, 0x370)  # Unicode's block of combining accents


def without_accents(text: str) -> str:
    """`Müller` → `Muller`, and signs of width or position as the plain sign; case is kept."""
    if text.isascii():
        return text
    apart = unicodedata.normalize("NFKD", text)
    return unicodedata.normalize("NFC", "".join(sign for sign in apart if ord(sign) not in _MARKS))
