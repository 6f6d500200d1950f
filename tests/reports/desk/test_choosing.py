"""Many people with one press, two reviewers at once, and nothing lost: a real browser, a desk that goes and comes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from sqlmodel import col, delete, select

from reports.desk.app import create_desk
from tasks.vault.records import Decision, SignIn
from tasks.vault.settings import Settings
from tasks.vault.store import open_vault
from tests.reports.browsing import BROWSER, Open, sign_in

pytestmark = BROWSER
BATCH = "b20261123a"
WALL = f"/batches/{BATCH}/"


@contextmanager
def running(settings: Settings, port: int = 0) -> Iterator[str]:
    """The desk, at an address that it can come back to."""
    app = create_desk(settings)
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = server.force_exit = True
    thread.join()
    app.state.vault.close()


def come_in(browse: Open, desk: str, name: str, **options: Any) -> Any:
    page = browse(f"{desk}{WALL}", **options)
    sign_in(page, name)
    page.wait_for_selector("#wall .card .chip")  # where they wanted to go, not the first page
    return page


def decisions(settings: Settings, *verdicts: str) -> list[Decision]:
    with open_vault(settings) as vault, vault.reading() as session:
        wanted = select(Decision).where(col(Decision.verdict).in_(verdicts), col(Decision.by) != "Ada K")
        return list(session.exec(wanted.order_by(col(Decision.at))))


def recorded(page: Any, settings: Settings, number: int, *verdicts: str) -> list[Decision]:
    for _ in range(200):
        if len(found := decisions(settings, *verdicts)) >= number:
            return found
        page.wait_for_timeout(50)
    raise AssertionError(f"{len(found)} of {number} were recorded")


def open_people(page: Any) -> int:
    return int(page.locator("#wall .card[data-state=review], #wall .card[data-state=attention]").count())


def test_many_are_approved_with_one_press_and_undone_with_one(browse: Open, served: str, settings: Settings) -> None:
    page = come_in(browse, served, "Grace")
    before = len(decisions(settings, "approve"))
    waiting = open_people(page)
    assert page.locator("#wall .chip").first.text_content() == "Needs a look", "who needs a look comes first"
    page.keyboard.press("c")
    chosen = page.locator(".card.chosen").count()
    assert 0 < chosen < waiting, "those with a finding are not among them"
    assert page.locator(".card.chosen[data-state=attention]").count() == 0
    page.click("#approve-chosen")
    page.wait_for_selector("#sync:text-is('Saved')")
    made = recorded(page, settings, before + chosen, "approve")
    assert len(made) == before + chosen
    assert len({one.id for one in made}) == len({one.at for one in made}) == len(made), "each a decision of its own"
    assert open_people(page) == waiting - chosen
    page.reload()  # what was one press is one undo, over a reload too
    page.wait_for_selector("#wall .card .chip")
    page.keyboard.press("u")
    recorded(page, settings, chosen, "undo")
    page.wait_for_function(
        f"() => document.querySelectorAll('[data-state=review], [data-state=attention]').length >= {waiting}"
    )


def test_a_row_a_range_and_a_department_are_chosen(browse: Open, served: str) -> None:
    page = come_in(browse, served, "Ada")
    page.keyboard.press("j")
    page.keyboard.press("Shift+X")
    row = page.locator(".card.chosen").count()
    assert row >= 1
    page.keyboard.press("Escape")
    assert page.locator(".card.chosen").count() == 0
    boxes = page.locator(".card[data-state=review] .choose input, .card[data-state=attention] .choose input")
    boxes.first.click(force=True)
    boxes.last.click(force=True, modifiers=["Shift"])
    assert page.locator(".card.chosen").count() == open_people(page)
    page.click("#choose-none")
    department = page.locator("#department option").nth(1).get_attribute("value")
    page.select_option("#department", department)
    for button in ("#choose-shown", "#choose-clear"):
        if page.locator(button).is_visible():
            page.click(button)
            break
    assert {*page.locator(".card.chosen .dept").all_text_contents()} <= {department}
    page.reload()
    page.wait_for_selector("#wall .card .chip")
    assert page.input_value("#department") == department, "the page is where it was"
    assert page.locator(".card.chosen").count() >= 1


def test_two_reviewers_see_each_other_within_two_seconds(browse: Open, served: str) -> None:
    ada, otto = come_in(browse, served, "Ada"), come_in(browse, served, "Otto")
    card = ada.locator(".card[data-state=review]").first
    whose = card.get_attribute("data-id")
    took = []
    for verdict, word in (("approve", "Approved"), ("reject", "Rejected")):
        ada.locator(f"[data-id={whose}] [data-verdict={verdict}]").click(force=True)
        began = time.monotonic()
        otto.wait_for_selector(f"[data-id={whose}] .chip:text-is('{word}')")
        took.append(time.monotonic() - began)
    print(f"seen after {', '.join(f'{one:.2f} s' for one in took)}")
    assert min(took) < 2
    assert otto.locator(f"[data-id={whose}] .by").text_content().startswith("Ada, ")


def test_a_desk_that_goes_and_comes_and_a_session_that_ended_lose_nothing(browse: Open, settings: Settings) -> None:
    with running(settings) as desk:
        port = int(desk.rsplit(":", 1)[1])
        page = come_in(browse, desk, "Grace", may_fail=True)
        page.select_option("#sort", "name")
        page.locator("#sort").blur()
    page.keyboard.press("c")
    chosen = page.locator(".card.chosen").count()
    page.keyboard.press("y")
    page.keyboard.press("y")  # twice is not two decisions
    page.wait_for_selector("#sync:text-matches('kept here')")
    assert decisions(settings, "approve")[1:] == []
    with open_vault(settings) as vault, vault.session() as session:  # meanwhile her day was over
        session.exec(delete(SignIn))
    with running(settings, port):
        page.wait_for_selector("#sign-in:visible")
        page.click("#sign-in")
        sign_in(page, "Grace")
        page.wait_for_selector("#wall .card .chip")
        assert page.url.endswith(WALL)
        assert page.input_value("#sort") == "name"
        page.wait_for_selector("#sync:text-is('Saved')")
        made = recorded(page, settings, 1 + chosen, "approve")
    assert len([one for one in made if one.by == "Grace"]) == chosen
