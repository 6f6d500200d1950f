"""Prefect's pages in a real browser: HR's way in and their three acts work; another site's page gets nothing."""

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.reports.browsing import ARGUMENTS, CHROMIUM

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not installed (apt-get install chromium)"),
]
ELSEWHERE = "kittens.example"

# What a page from elsewhere can try: read, start by a plain form-like request, and start as a program would.
EVIL = """<!doctype html><title>kittens</title><script>
const said = [], at = "%s/api";
async function attempt(what, path, options) {
  try { const r = await fetch(at + path, options); said.push(what + " " + r.type + " " + r.status); }
  catch (e) { said.push(what + " blocked"); }
}
(async () => {
  await attempt("read", "/deployments/filter", {method: "POST", body: "{}", headers: {"Content-Type": "application/json"}});
  await attempt("plain", "/deployments/%s/create_flow_run", {method: "POST", mode: "no-cors", credentials: "include",
    body: JSON.stringify({job_variables: {command: "sh -c id"}})});
  await attempt("program", "/deployments/%s/create_flow_run", {method: "POST", credentials: "include",
    headers: {"Content-Type": "application/json"}, body: "{}"});
  await attempt("settings", "/admin/settings", {});
  document.title = "done"; window.said = said;
})();
</script>"""  # noqa: E501


@pytest.fixture(scope="module")
def browser(driver: Any) -> Iterator[Any]:
    """One for this file alone: to it, two foreign names mean this machine."""
    names = f"--host-resolver-rules=MAP {ELSEWHERE} 127.0.0.1, MAP rebind.example 127.0.0.1"
    chromium = driver.chromium.launch(executable_path=str(CHROMIUM), args=[*ARGUMENTS, names])
    yield chromium
    chromium.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1300, "height": 950})
    one = context.new_page()
    one.set_default_timeout(90_000)  # machines that run this are often busy
    yield one
    context.close()


@pytest.fixture
def signed_in(up: Any, page: Any) -> Any:
    """A browser that followed the address which `rollcall up` prints. No answer may be a refusal."""
    refused: list[str] = []
    page.on("response", lambda r: refused.append(f"{r.status} {r.url}") if r.status in {401, 403, 405, 500} else None)
    ours = (up.address, "blob:", "data:")
    page.on("request", lambda r: None if r.url.startswith(ours) else refused.append(r.url))
    page.goto(f"{up.address}/enter#{up.logins.people}")
    page.wait_for_url("**/dashboard")
    yield page
    assert refused == []


def runs_of(up: Any, deployment: str) -> int:
    """How many runs somebody has started; the scheduler makes its own at any moment."""
    found = up.ask("/flow_runs/filter", deployments={"id": {"any_": [deployment]}})
    return sum(not run["auto_scheduled"] for run in found)


def test_the_printed_address_signs_in_and_the_login_is_not_left_in_it(up: Any, signed_in: Any) -> None:
    signed_in.get_by_text("Active Work Pools").wait_for()
    assert up.logins.people not in signed_in.url
    signed_in.go_back()
    assert up.logins.people not in signed_in.url, "nor in the browser's history"


def test_without_it_the_pages_ask_for_a_login_and_show_nothing(up: Any, page: Any) -> None:
    page.goto(f"{up.address}/deployments")
    page.get_by_placeholder("admin:pass").wait_for()
    assert "Retention" not in page.content()


def test_it_works_under_another_of_its_names(up: Any, page: Any) -> None:
    page.goto(f"http://localhost:{up.port}/enter#{up.logins.people}")
    page.get_by_text("Active Work Pools").wait_for()
    page.goto(f"http://localhost:{up.port}/deployments")
    page.get_by_text("Make headshots").first.wait_for()


def test_a_form_is_filled_in_and_starts_a_run(up: Any, signed_in: Any) -> None:
    found = up.deployments()["Retention (daily)"]
    before = runs_of(up, found["id"])
    signed_in.goto(f"{up.address}/deployments/deployment/{found['id']}/run")
    signed_in.get_by_text("Only look").first.wait_for()
    signed_in.get_by_role("button", name="Submit", exact=True).click()
    signed_in.wait_for_url(f"**/deployments/deployment/{found['id']}?**")
    assert runs_of(up, found["id"]) == before + 1


def test_what_does_not_fit_the_form_is_refused_before_it_is_stored(up: Any) -> None:
    deployment = up.deployments()["Forget a person"]["id"]
    before = runs_of(up, deployment)
    typed = {"parameters": {"person": "Hannah Arendt"}, "enforce_parameter_schema": False}
    answer = up.people.post(f"/deployments/{deployment}/create_flow_run", json=typed)
    assert answer.status_code in {409, 422}
    assert runs_of(up, deployment) == before


def test_a_run_is_cancelled(up: Any, signed_in: Any) -> None:
    deployment = up.deployments()["Retention (daily)"]["id"]
    later = {"state": {"type": "SCHEDULED", "state_details": {"scheduled_time": "2036-01-01T00:00:00Z"}}}
    run = up.people.post(f"/deployments/{deployment}/create_flow_run", json=later).json()["id"]
    signed_in.goto(f"{up.address}/runs/flow-run/{run}")
    signed_in.get_by_role("button", name="Cancel", exact=True).click()
    signed_in.get_by_role("dialog").get_by_role("button", name="Confirm").click()
    signed_in.get_by_text("Cancelled").first.wait_for()
    assert up.people.get(f"/flow_runs/{run}").json()["state"]["type"] == "CANCELLED"


def test_a_schedule_is_switched_off_and_on(up: Any, signed_in: Any) -> None:
    deployment = up.deployments()["Retention (daily)"]["id"]
    signed_in.goto(f"{up.address}/deployments/deployment/{deployment}")
    switch = signed_in.get_by_role("switch")
    for wanted in (False, True):
        with signed_in.expect_response(lambda r: "/schedules/" in r.url and r.request.method == "PATCH") as answer:
            switch.click()
        assert answer.value.ok
        [schedule] = up.deployments()["Retention (daily)"]["schedules"]
        assert schedule["active"] is wanted
        assert schedule["schedule"]["cron"] == "30 3 * * *"


def test_a_page_from_elsewhere_reads_nothing_and_starts_nothing(up: Any, page: Any, tmp_path: Path) -> None:
    deployment = up.deployments()["Retention (daily)"]["id"]
    before = runs_of(up, deployment)
    page.goto(f"{up.address}/enter#{up.logins.people}")  # the same browser is signed in, in another tab
    page.wait_for_url("**/dashboard")
    (tmp_path / "index.html").write_text(EVIL % (up.address, deployment, deployment))
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        other = page.context.new_page()
        other.goto(f"http://{ELSEWHERE}:{server.server_address[1]}/")
        other.wait_for_function("document.title === 'done'")
        said = other.evaluate("window.said")
        server.shutdown()
    # "opaque 0": sent, and answered with a refusal that the page may not even see.
    assert said == ["read blocked", "plain opaque 0", "program blocked", "settings blocked"]
    assert runs_of(up, deployment) == before


def test_a_name_that_was_pointed_here_gets_no_page(up: Any, page: Any) -> None:
    answer = page.goto(f"http://rebind.example:{up.port}/dashboard")
    assert answer.status == 400


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder and says nothing on the terminal."""

    def log_message(self, *_: Any) -> None:
        """Not here."""
