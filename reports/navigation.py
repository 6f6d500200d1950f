"""Where the desk's pages are: one line a page, in the order of HR's day. A new page adds its line here."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """One entry of the desk's navigation. `key` is what the page's template calls itself (`here`)."""

    key: str
    address: str


NAVIGATION: tuple[Place, ...] = (
    Place("home", "/"),
    Place("upload", "/drops/new"),
    Place("questions", "/questions"),
    Place("verify", "/verify"),
)
