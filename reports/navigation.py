"""Where the desk's pages are: one line a page, in the order of HR's day. A new page adds its line here."""

from dataclasses import dataclass

from reports.roles import Role


@dataclass(frozen=True)
class NavigationEntry:
    """One entry of the desk's navigation. `key` is what the page's template calls itself (`here`)."""

    key: str
    address: str
    role: Role = "keeper"  # whom it is shown to; who may ask for it stands in `door.routes`


NAVIGATION: tuple[NavigationEntry, ...] = (
    NavigationEntry("home", "/", "viewer"),
    NavigationEntry("people", "/people"),
    NavigationEntry("upload", "/drops/new"),
    NavigationEntry("kits", "/kits"),
    NavigationEntry("retention", "/retention"),
    NavigationEntry("questions", "/questions"),
    NavigationEntry("verify", "/verify", "viewer"),
    NavigationEntry("service", "/service", "admin"),
)
