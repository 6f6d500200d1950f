"""Two logins per home: made once, nobody else's to read, never equal, never guessable where nothing counts guesses."""

import stat
from pathlib import Path

import pytest

from flows.logins import DESK, FILE, BadLogin, desk_password, load_logins
from flows.supervisor import Addresses, welcome
from tasks.vault.settings import Settings


def test_they_are_made_once_and_are_the_owners_alone(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    made = load_logins(settings)
    assert load_logins(settings) == made
    assert stat.S_IMODE((tmp_path / "home" / FILE).stat().st_mode) == 0o600
    assert len(made.machines.split(":")[1]) >= 40
    assert made.people.split(":")[1] not in repr(made)
    assert load_logins(Settings(home=tmp_path / "other")) != made


def test_either_can_be_given_and_is_then_written_nowhere(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, people_login="hr:a-long-enough-one", machine_login=f"m:{'x' * 22}")
    found = load_logins(settings)
    assert (found.people, found.machines) == ("hr:a-long-enough-one", f"m:{'x' * 22}")
    assert "long-enough" not in (tmp_path / FILE).read_text()
    assert "long-enough" not in repr(settings)


def test_the_desks_password_survives_a_restart_and_is_the_owners_alone(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    made = desk_password(settings)
    assert desk_password(settings) == made
    assert len(made) >= 12
    assert stat.S_IMODE((tmp_path / "home" / DESK).stat().st_mode) == 0o600


def test_secrets_are_said_on_a_terminal_only_and_prefects_login_is_its_alone_where_people_have_roles(
    tmp_path: Path,
) -> None:
    settings, where = Settings(home=tmp_path), Addresses("127.0.0.1", "127.0.0.1", 4200, 4201)
    logins, password = load_logins(settings), desk_password(settings)
    people = logins.people
    shown, quiet = (welcome(settings, where, logins, password, show=show) for show in (True, False))
    assert people in shown
    assert password in shown
    assert people not in quiet
    assert password not in quiet
    assert str(tmp_path / DESK) in quiet
    roles = settings.model_copy(update={"oidc_issuer": "https://id.example"})
    said = welcome(roles, where, logins, password, show=True)
    assert people not in said
    assert password not in said
    assert "for IT only" in said


@pytest.mark.parametrize(
    "given",
    [
        {"people_login": "hr"}, {"people_login": "hr:short"}, {"people_login": ":no-name-before-it"},
        {"people_login": "hr:with a space in it"}, {"people_login": "hr:mit-Umläuten-darin"},
        {"machine_login": f"m:{'x' * 21}"},
        {"people_login": f"m:{'x' * 22}", "machine_login": f"m:{'x' * 22}"},
    ],
)  # fmt: skip
def test_what_cannot_be_a_login_is_refused_without_being_repeated(tmp_path: Path, given: dict[str, str]) -> None:
    with pytest.raises(BadLogin) as refused:
        load_logins(Settings(home=tmp_path, **given))  # type: ignore[arg-type]
    assert not any(login.split(":")[-1] in str(refused.value) for login in given.values() if len(login) > 5)


def test_a_damaged_file_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("{")
    with pytest.raises(BadLogin, match="remove it"):
        load_logins(Settings(home=tmp_path))
