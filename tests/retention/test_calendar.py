"""What goes when: who is forgotten wholly comes by their day, who stays has none, and who is held is not among them."""

from datetime import timedelta
from types import ModuleType
from typing import Any

from tasks.retention.calendar import next_forgettings
from tasks.retention.holds import REASONS, hold_person, with_holds
from tasks.retention.rules import load_rules
from tasks.vault.store import Vault


def test_only_those_who_go_until_then_the_next_first(vault: Vault, company: dict[str, Any], kit: ModuleType) -> None:
    day = timedelta(days=1)
    kit.withdraw(vault, "p2", kit.NOW - day)
    kit.withdraw(vault, "p1", kit.NOW)

    def going(days: int) -> list[str]:
        return [one.person for one in next_forgettings(vault, with_holds(vault, load_rules()), kit.NOW + days * day)]

    due = {one.person: one.due_at for one in next_forgettings(vault, load_rules(), kit.NOW + 30 * day)}
    assert due["p1"] == due["p2"] + day
    assert going(30) == ["p2", "p1"], "and nobody who stays"
    assert going((due["p2"] - kit.NOW).days) == ["p2"]
    hold_person(vault, "p2", REASONS[0], None, "Hannah", kit.NOW)
    assert going(30) == ["p1"]
