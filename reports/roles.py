"""What the people of a company may do at the desk: four roles, each for everybody or for some departments.

The company writes them into one TOML file by the groups that its provider names, or by e-mail:

    [[grant]]
    role = "reviewer"               # viewer | reviewer | keeper | admin: each may what those before it may
    groups = ["headshots-sales"]
    departments = ["Sales"]         # as the roster writes them; everybody's, where this line is missing

The file is read again when it has changed, and asked at every request: who is taken out of it may nothing more.
"""

import logging
import threading
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tasks.failures import RollcallError

Role = Literal["viewer", "reviewer", "keeper", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)


class BadRoles(RollcallError):
    """The file cannot be used; the sentence says where and why."""


@dataclass(frozen=True)
class Grant:
    """One role. `departments`: folded names; None is the whole company."""

    role: Role
    departments: frozenset[str] | None = None

    def covers(self, role: Role) -> bool:
        return ROLES.index(self.role) >= ROLES.index(role)


EVERYTHING = (Grant("admin"),)


def folded(department: str) -> str:
    """A department's name as it is compared: without regard to case and spaces at its ends."""
    return " ".join(department.split()).casefold()


def departments_of(grants: Iterable[Grant], role: Role) -> frozenset[str] | None:
    """For which departments these grants give a role; None is the whole company, an empty set is nobody."""
    fitting = [grant.departments for grant in grants if grant.covers(role)]
    if any(departments is None for departments in fitting):
        return None
    return frozenset().union(*(departments for departments in fitting if departments is not None))


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid")

    role: Role
    groups: list[str] = []
    people: list[str] = []
    departments: list[str] | None = Field(None, min_length=1)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    grant: list[_Line] = Field(min_length=1)


class Roles:
    """The company's file."""

    def __init__(self, path: Path) -> None:
        """Raises BadRoles."""
        self._path = path
        self._lock = threading.Lock()
        self._stamp, self._lines = self._read()

    def grants(self, groups: Iterable[str], email: str) -> tuple[Grant, ...]:
        """What somebody in these groups, with this address, may do; nothing when the file does not know them."""
        with self._lock:
            self._look_again()
            lines = self._lines
        of, address = set(groups), email.casefold()
        return tuple(
            Grant(line.role, None if line.departments is None else frozenset(map(folded, line.departments)))
            for line in lines
            if of & set(line.groups) or (address and address in {person.casefold() for person in line.people})
        )

    def lines(self) -> list[tuple[Role, tuple[str, ...], tuple[str, ...]]]:
        """The file as it counts now: a role, its groups and people, and its departments (none: the whole company)."""
        with self._lock:
            self._look_again()
            return [(line.role, (*line.groups, *line.people), tuple(line.departments or ())) for line in self._lines]

    def _look_again(self) -> None:
        """A file that was broken by an edit changes nothing: what it said before goes on."""
        try:
            if self._stamp_of() != self._stamp:
                self._stamp, self._lines = self._read()
        except (BadRoles, OSError) as wrong:
            logging.getLogger(__name__).warning("the roles stay what they were: %s", wrong)

    def _stamp_of(self) -> tuple[int, int]:
        found = self._path.stat()
        return found.st_mtime_ns, found.st_size

    def _read(self) -> tuple[tuple[int, int], list[_Line]]:
        try:
            return self._stamp_of(), _File(**tomllib.loads(self._path.read_text(encoding="utf-8"))).grant
        except OSError as wrong:
            raise BadRoles(f"ROLLCALL_ROLES names {self._path}, which cannot be read ({wrong.strerror}).") from wrong
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
            raise BadRoles(f"{self._path}: {wrong}") from wrong
        except ValidationError as wrong:
            where = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in wrong.errors())
            raise BadRoles(f"{self._path}: {where}") from wrong
