"""Every alert asks for something that `/metrics` tells: a rule about a name that nobody exports never fires."""

import re
from datetime import UTC, datetime
from pathlib import Path

import yaml

from reports.desk.metrics import scraped
from reports.readiness import _CHECKS, Part
from tasks.vault.records import Batch, Erasure, Seat
from tasks.vault.seats import STATES
from tasks.vault.settings import Settings
from tasks.vault.store import open_vault

ROOT = Path(__file__).resolve().parents[2]
RULES = yaml.safe_load((ROOT / "deploy" / "alerts.rules.yml").read_text())["groups"][0]["rules"]
NOW = datetime(2026, 11, 28, tzinfo=UTC)


def test_every_name_is_told(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, tls_certificate=ROOT / "tests" / "deploy" / "none.pem")
    with open_vault(settings.model_copy(update={"tls_certificate": None})) as vault:
        with vault.session() as session:
            batch = Batch(id="b1", order_key="k", created_at=NOW, drop="/d", kit="k", quality="q", base="b")
            session.add_all([batch, Seat(batch_id="b1", employee_id="p1", position=1, state="failed")])
            session.add(Erasure(id="e", employee_id="p1", reason="r", state="blocked", due_at=NOW, started_at=NOW))
        page = scraped(vault, [Part("records", True, "", True)], NOW).decode()
    told = set(re.findall(r"^# TYPE (\w+)", page, re.MULTILINE))
    asked = set(re.findall(r"rollcall_\w+", " ".join(rule["expr"] for rule in RULES)))
    assert asked <= told
    assert 'rollcall_people{batch="b1",state="failed"} 1.0' in page


def test_every_part_and_state_in_a_rule_exists() -> None:
    expressions = " ".join(rule["expr"] for rule in RULES)
    parts = {word for found in re.findall(r'part=~"([^"]+)"', expressions) for word in found.split("|")}
    assert parts == {name.replace(" ", "_") for name, _, needed in _CHECKS if needed}
    states = {word for found in re.findall(r'state=~?"([^"]+)"', expressions) for word in found.split("|")}
    assert states <= {*STATES, "blocked"}


def test_every_alert_says_what_it_is_about() -> None:
    assert all(rule["annotations"]["summary"] and rule["labels"]["severity"] in ("page", "ticket") for rule in RULES)
