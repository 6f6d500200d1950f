"""The logins of Prefect: people's, who look, run and cancel, and machines', which may do everything; and the desk's.

Both are made once per home and kept in a file that only its owner reads, so that browsers and workers on other machines
stay signed in over a restart. Either can be given by environment instead. Neither is ever written anywhere else.
"""

import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from tasks.failures import RollcallError
from tasks.vault.secrets_on_disk import create_secret
from tasks.vault.settings import Settings

FILE = "logins.json"
DESK = "desk-password"
# Signs after the colon. Guesses at the people's are counted (flows/door.py); the machines' is never refused to answer a
# flood of guesses, so it has to be one that nobody finds by guessing: 22 signs of base64 are 128 bits.
LEAST = {"people": 12, "machines": 22}
SETTINGS = {"people": "ROLLCALL_PEOPLE_LOGIN", "machines": "ROLLCALL_MACHINE_LOGIN"}


class BadLogin(RollcallError):
    """A login that was given, or its file, cannot be used; the sentence says which one and what it has to look like."""


@dataclass(frozen=True)
class Logins:
    """Each "name:secret", as Prefect takes it."""

    people: str
    machines: str

    def __repr__(self) -> str:
        return "Logins(...)"


def load_logins(settings: Settings) -> Logins:
    """The logins of this home, made on first use. Raises BadLogin."""
    kept = _kept(settings.home / FILE)
    found = Logins(settings.people_login or kept["people"], settings.machine_login or kept["machines"])
    for whose in SETTINGS:
        _check(whose, getattr(found, whose))
    if found.people == found.machines:
        raise BadLogin("The people's login and the machines' are the same: then everybody may do everything.")
    return found


def desk_password(settings: Settings) -> str:
    """The desk's password where nobody set one: made once per home and kept beside the logins, so that a restart locks
    nobody out."""
    path = settings.home / DESK
    if not path.exists():
        create_secret(path, f"{secrets.token_urlsafe(9)}\n".encode())
    return path.read_text(encoding="utf-8").strip()


def _kept(path: Path) -> dict[str, str]:
    if not path.exists():
        made = {"people": f"hr:{secrets.token_urlsafe(16)}", "machines": f"rollcall:{secrets.token_urlsafe(32)}"}
        create_secret(path, json.dumps(made, indent=1).encode() + b"\n")
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        return {whose: str(kept[whose]) for whose in SETTINGS}
    except (ValueError, KeyError, TypeError) as broken:
        raise BadLogin(f"{path} holds no logins: remove it, and new ones are made.") from broken


def _check(whose: str, login: str) -> None:
    name, colon, secret = login.partition(":")
    if not (name and colon and login.isascii() and login.isprintable() and " " not in login):
        raise BadLogin(f"{SETTINGS[whose]} has to be name:secret, in plain letters, digits and signs, without spaces.")
    if len(secret) < LEAST[whose]:
        raise BadLogin(f"{SETTINGS[whose]}: the secret after the colon needs {LEAST[whose]} signs or more.")
