"""Where the small copy of a stored picture lies: beside it, by name, so that no record has to say so.

A photo's copy is a photo: of the same kind, sealed with the same key, and it goes when the photos go. A headshot's
copies are thumbnails of it, and go with it.
"""

_SMALL, _LARGE = ".page.webp", ".large.webp"


def small_photo(key: str) -> str:
    """Of a photo, in the size of pages."""
    return key.rpartition(".")[0] + _SMALL


def thumb_name(name: str) -> str:
    """The file name of a headshot's thumbnail; `Headshot.thumb_key` holds the whole key."""
    return name + _SMALL


def large_picture(thumb_key: str) -> str | None:
    """Of a headshot, as large as pages show it; None for thumbnails from before there was one."""
    return thumb_key.removesuffix(_SMALL) + _LARGE if thumb_key.endswith(_SMALL) else None
