"""Signs of life in the records: the newest of each run, by the database's clock where it has one."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tasks.vault import life_signs
from tasks.vault.database import open_database, prepare
from tasks.vault.life_signs import end_sign, give_sign, giving_signs, signs

NOW = datetime(2026, 11, 29, 9, tzinfo=UTC)


def test_the_newest_sign_of_each_run_counts_until_it_has_ended(records: sa.Engine) -> None:
    give_sign(records, "a", NOW)
    give_sign(records, "b", NOW)
    give_sign(records, "a", NOW + timedelta(seconds=10))
    assert signs(records, NOW) == {"a": NOW + timedelta(seconds=10), "b": NOW}
    end_sign(records, "a")
    assert signs(records, NOW) == {"b": NOW}


@pytest.mark.postgres
def test_on_postgresql_no_machines_clock_matters(postgres_url: str) -> None:
    """Given by a machine that is ten minutes late, read by one that is a year ahead: it was given just now."""
    records = open_database(postgres_url)
    prepare(records)
    give_sign(records, "a", datetime.now(UTC) - timedelta(minutes=10))
    give_sign(records, "a", datetime.now(UTC) - timedelta(minutes=10))
    ahead = datetime.now(UTC) + timedelta(days=365)
    assert timedelta() <= ahead - signs(records, ahead)["a"] < timedelta(minutes=1)
    records.dispose()


def test_records_that_were_away_are_told_again(records: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    told, tries = threading.Event(), list[int]()
    whole = give_sign

    def away_at_first(*given: Any) -> None:
        tries.append(1)
        if len(tries) == 1:
            raise sa.exc.OperationalError("INSERT", {}, Exception("away"))
        whole(*given)
        told.set()

    monkeypatch.setattr(life_signs, "give_sign", away_at_first)
    with giving_signs(records, "a", every=0.01):
        assert told.wait(10)
        assert "a" in signs(records, NOW)
    assert signs(records, NOW) == {}
