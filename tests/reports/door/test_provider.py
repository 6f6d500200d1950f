"""Signing in with the company's own provider, against a real one on this machine; and every way of getting round it."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from joserfc.jwk import ECKey, RSAKey
from sqlmodel import select

from reports.desk.app import create_desk
from reports.desk.provider import HINT, TRYING
from reports.desk.serving import CannotServe, configuration
from reports.door.oidc import ATTEMPT, KEYS_AGAIN, BadProvider, Provider
from tasks.vault.records import Reviewer, SignIn
from tasks.vault.settings import Settings
from tests.reports.conftest import NOON
from tests.reports.door.provider import CLIENT, SECRET, TestProvider, provided

ROLES = '[[grant]]\nrole = "keeper"\ngroups = ["hr"]\n\n[[grant]]\nrole = "admin"\npeople = ["ada@corp.example"]\n'


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def provider() -> Iterator[TestProvider]:
    with provided(NOON) as running:
        running.claims = {"sub": "u-1", "name": "Ada Brandt", "email": "Ada@corp.example", "groups": ["hr", "all"]}
        yield running


@pytest.fixture
def settings(tmp_path: Path, provider: TestProvider) -> Settings:
    (tmp_path / "roles.toml").write_text(ROLES)
    return Settings(
        home=tmp_path / "home", public_url="http://desk.example", desk_password="not asked for",
        roles=tmp_path / "roles.toml", oidc_issuer=provider.address, oidc_client_id=CLIENT, oidc_client_secret=SECRET,
    )  # fmt: skip


@pytest.fixture
def app(settings: Settings, clock: Clock) -> Iterator[FastAPI]:
    made = create_desk(settings, clock=clock)
    yield made
    made.state.vault.close()


@pytest.fixture
def browser(app: FastAPI) -> TestClient:
    return TestClient(app, base_url="http://desk.example", follow_redirects=False)


def leave(browser: TestClient, to: str = "/") -> str:
    """Out to the provider and through its page; the address at which it sends the browser back."""
    out = browser.get("/login/start", params={"to": to})
    assert out.status_code == 303, out.text
    there = httpx.get(out.headers["location"], headers={"accept": "application/json"}, trust_env=False)
    return there.headers["location"]


def come_back(browser: TestClient, to: str = "/") -> httpx.Response:
    return browser.get(leave(browser, to))  # type: ignore[return-value]


def refused(browser: TestClient) -> str:
    """One whole attempt that must not let anybody in; what the page says."""
    answer = come_back(browser)
    assert answer.status_code == 401
    assert browser.get("/", headers={"accept": "text/html"}).status_code == 303
    return answer.text


def test_somebody_comes_in_where_they_were_under_their_own_name_and_role(browser: TestClient, app: FastAPI) -> None:
    asked = browser.get("/questions", headers={"accept": "text/html"})
    assert asked.headers["location"] == "/login?to=%2Fquestions"
    page = browser.get(asked.headers["location"])
    assert 'href="/login/start?to=' in page.text
    assert "password" not in page.text.lower()
    entered = come_back(browser, "/questions")
    assert entered.status_code == 200
    assert 'url=/questions"' in entered.text
    home = browser.get("/questions")
    assert home.status_code == 200
    assert "Ada Brandt" in home.text
    with app.state.vault.reading() as records:
        [who] = records.exec(select(Reviewer)).all()
    assert (who.name, who.proof) == ("Ada Brandt", "provider")
    assert "u-1" not in who.key


def test_the_request_carries_pkce_state_and_nonce_each_its_own(browser: TestClient, provider: TestProvider) -> None:
    for _ in range(2):
        leave(browser)
    first, second = provider.asked
    assert first["code_challenge_method"] == "S256"
    assert all(first[key] != second[key] and len(first[key]) >= 43 for key in ("state", "nonce", "code_challenge"))
    assert set(first["scope"].split()) == {"openid", "profile", "email"}


def test_a_restart_signs_nobody_out_and_between_leaving_and_coming_back_it_does_not_matter(
    browser: TestClient, app: FastAPI, settings: Settings, clock: Clock
) -> None:
    address = leave(browser)
    app.state.vault.close()
    again = create_desk(settings, clock=clock)
    after = TestClient(again, base_url="http://desk.example", cookies=dict(browser.cookies), follow_redirects=False)
    assert after.get(address).status_code == 200
    assert after.get("/").status_code == 200
    third = create_desk(settings, clock=clock)
    later = TestClient(third, base_url="http://desk.example", cookies=dict(after.cookies), follow_redirects=False)
    assert later.get("/").status_code == 200
    for made in (again, third):
        made.state.vault.close()


def test_the_shared_password_opens_nothing_beside_a_provider(browser: TestClient) -> None:
    answer = browser.post("/login", data={"name": "Ada", "password": "not asked for"})
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


WRONG: dict[str, dict[str, Any]] = {
    "issuer": {"iss": "https://id.elsewhere.example"},
    "no issuer": {"iss": None},
    "audience": {"aud": "somebody-else"},
    "audiences without us": {"aud": ["somebody-else", "rollcall"]},
    "authorized party": {"aud": [CLIENT, "other"], "azp": "other"},
    "nonce": {"nonce": "an older one"},
    "no nonce": {"nonce": None},
    "expired": {"exp": int(NOON.timestamp()) - 61},
    "no expiry": {"exp": None},
    "from tomorrow": {"iat": int(NOON.timestamp()) + 86_400},
    "not before tomorrow": {"nbf": int(NOON.timestamp()) + 86_400},
    "nobody": {"sub": None},
}


@pytest.mark.parametrize("what", WRONG)
def test_a_token_that_is_not_for_us_now_lets_nobody_in(browser: TestClient, provider: TestProvider, what: str) -> None:
    provider.spoil = WRONG[what]
    assert "cannot be used" in refused(browser)


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_a_token_that_its_private_key_did_not_sign_lets_nobody_in(
    browser: TestClient, provider: TestProvider, algorithm: str
) -> None:
    provider.algorithm = algorithm
    refused(browser)


def test_a_token_signed_by_another_key_of_the_same_name_lets_nobody_in(
    browser: TestClient, provider: TestProvider
) -> None:
    provider.signs_with = RSAKey.generate_key(2048, {"kid": "one"})
    refused(browser)


@pytest.mark.parametrize(
    "key", [ECKey.generate_key("P-256", {"kid": "two"}), RSAKey.generate_key(2048, {"kid": "two"})]
)
def test_a_provider_that_changes_its_keys_is_followed(
    browser: TestClient, provider: TestProvider, clock: Clock, key: Any
) -> None:
    assert come_back(browser).status_code == 200
    provider.key, provider.kid = key, "two"
    provider.algorithm = "ES256" if isinstance(key, ECKey) else "PS256"
    clock.now += KEYS_AGAIN + timedelta(seconds=1)
    provider.now = clock.now
    assert come_back(browser).status_code == 200


@pytest.mark.parametrize("way", ["client_secret_basic", "client_secret_post"])
def test_we_prove_who_we_are_in_the_way_that_the_provider_takes(
    browser: TestClient, provider: TestProvider, way: str
) -> None:
    provider.way = way
    assert come_back(browser).status_code == 200


def test_an_answer_counts_once_in_the_browser_that_asked_and_for_ten_minutes(
    app: FastAPI, browser: TestClient, clock: Clock
) -> None:
    address = leave(browser)
    other = TestClient(app, base_url="http://desk.example", follow_redirects=False)
    assert other.get(address).status_code == 401, "a browser that did not ask"
    leave(other)
    assert other.get(address).status_code == 401, "one that asked for itself"
    cookie = dict(browser.cookies)
    assert browser.get(address).status_code == 200
    again = TestClient(app, base_url="http://desk.example", cookies=cookie, follow_redirects=False)
    assert again.get(address).status_code == 401, "the code is spent"
    late = TestClient(app, base_url="http://desk.example", follow_redirects=False)
    address = leave(late)
    clock.now += ATTEMPT + timedelta(seconds=1)
    assert late.get(address).status_code == 401


@pytest.mark.parametrize("change", ["state=x", "iss=https%3A%2F%2Fevil.example", "error=access_denied"])
def test_an_answer_that_was_changed_on_the_way_lets_nobody_in(browser: TestClient, change: str) -> None:
    address = leave(browser)
    name = change.split("=")[0]
    rest = "&".join(part for part in urlsplit(address).query.split("&") if not part.startswith(f"{name}="))
    assert browser.get(f"/login/callback?{rest}&{change}").status_code == 401
    assert browser.get("/login/callback").status_code == 401


def test_a_verifier_of_another_attempt_is_refused_by_the_provider(
    browser: TestClient, app: FastAPI, provider: TestProvider
) -> None:
    """Somebody who catches the code, and puts it into an attempt of their own."""
    caught = parse_qs(urlsplit(leave(browser)).query)["code"][0]
    eve = TestClient(app, base_url="http://desk.example", follow_redirects=False)
    state = parse_qs(urlsplit(leave(eve)).query)["state"][0]
    assert eve.get("/login/callback", params={"code": caught, "state": state}).status_code == 401


@pytest.mark.parametrize(
    "to", ["//evil.example", "https://evil.example/", "/\\evil.example", "/logout", "javascript:1"]
)
def test_nobody_is_led_elsewhere(browser: TestClient, to: str) -> None:
    assert 'url=/"' in come_back(browser, to).text


def test_what_only_the_second_answer_says_counts_when_it_is_of_the_same_person(
    browser: TestClient, provider: TestProvider
) -> None:
    provider.claims = {"sub": "u-2"}
    provider.userinfo = {"name": "Bo Chen", "groups": ["hr"]}
    assert "Bo Chen" in come_back(browser).text
    assert browser.get("/").status_code == 200
    provider.userinfo = {"sub": "u-1", "name": "Ada Brandt", "groups": ["hr"]}
    assert "Ada" not in come_back(browser).text
    assert browser.get("/").status_code == 403


def test_an_address_that_the_provider_has_not_verified_gives_no_role(
    browser: TestClient, provider: TestProvider
) -> None:
    provider.claims = {"sub": "u-3", "name": "Eve", "email": "ada@corp.example", "email_verified": False, "groups": []}
    come_back(browser)
    page = browser.get("/", headers={"accept": "text/html"})
    assert page.status_code == 403
    assert "have no role here" in page.text
    assert "Sign out" in page.text
    provider.claims["email_verified"] = True
    come_back(browser)
    assert browser.get("/").status_code == 200


def test_groups_may_lie_deeper_and_be_one_word(provider: TestProvider, settings: Settings, clock: Clock) -> None:
    app = create_desk(settings.model_copy(update={"oidc_groups": "realm_access.roles"}), clock=clock)
    browser = TestClient(app, base_url="http://desk.example", follow_redirects=False)
    for roles in (["hr"], "hr"):
        provider.claims = {"sub": "u-4", "name": "Kim", "realm_access": {"roles": roles}}
        come_back(browser)
        assert browser.get("/").status_code == 200
    app.state.vault.close()


def test_a_provider_that_is_down_or_calls_itself_otherwise_is_a_sentence(
    browser: TestClient, provider: TestProvider
) -> None:
    provider.down = True
    answer = browser.get("/login/start")
    assert answer.status_code == 401
    assert "does not answer" in answer.text
    provider.down, provider.issuer = False, "https://id.corp.example/"
    assert "https://id.corp.example/" in browser.get("/login/start").text


def test_signing_out_ends_the_session_and_its_row(browser: TestClient, app: FastAPI) -> None:
    come_back(browser)
    session = app.state.door.session(browser.cookies["rollcall_desk"], NOON)
    copy = dict(browser.cookies)
    answer = browser.post("/logout", data={"token": app.state.door.token(session)})
    assert answer.status_code == 200
    stolen = TestClient(app, base_url="http://desk.example", cookies=copy, follow_redirects=False)
    assert stolen.get("/", headers={"accept": "application/json"}).status_code == 401
    with app.state.vault.reading() as records:
        assert records.exec(select(SignIn)).all() == []


def sign_out(browser: TestClient, app: FastAPI) -> httpx.Response:
    session = app.state.door.session(browser.cookies["rollcall_desk"], NOON)
    answer: httpx.Response = browser.post("/logout", data={"token": app.state.door.token(session)})
    assert browser.get("/", headers={"accept": "application/json"}).status_code == 401, "whatever the provider does"
    return answer


def test_signing_out_is_told_to_the_provider_whose_session_ends_too(
    browser: TestClient, app: FastAPI, provider: TestProvider
) -> None:
    """RP-initiated logout: the provider is shown its own token, and sends the browser back with our state."""
    come_back(browser)
    page = sign_out(browser, app)
    [address] = re.findall(r'http-equiv="refresh" content="0; url=([^"]+)"', page.text)
    there = httpx.get(unescape(address), trust_env=False)
    assert there.status_code == 303, there.text
    [told] = provider.ended
    assert told["post_logout_redirect_uri"] == "http://desk.example/login/out"
    assert len(told["state"]) >= 43
    back = browser.get(there.headers["location"])
    assert "signed out here and at your company" in back.text
    again = browser.get(there.headers["location"])
    assert "may still be signed in" in again.text, "an answer counts once"


def test_somebody_elses_link_says_nothing_of_the_providers_session(browser: TestClient) -> None:
    assert "may still be signed in" in browser.get("/login/out?state=x").text
    assert "may still be signed in" in browser.get("/login/out?state=").text


@pytest.mark.parametrize("what", ["has no such place", "is down"])
def test_without_the_providers_sign_out_the_local_session_ends_and_the_page_says_so(
    browser: TestClient, app: FastAPI, provider: TestProvider, clock: Clock, what: str
) -> None:
    provider.ends_sessions = what == "is down"
    come_back(browser)
    if what == "is down":
        provider.down = True
        clock.now += timedelta(hours=1, minutes=30)  # what it said about itself is asked anew
    session = app.state.door.session(browser.cookies["rollcall_desk"], clock.now)
    answer = browser.post("/logout", data={"token": app.state.door.token(session)})
    assert answer.headers["location"] == "/login/out"
    assert "may still be signed in" in browser.get("/login/out").text
    assert provider.ended == []


def test_a_token_too_large_for_a_cookie_is_left_out_and_the_client_is_named(
    browser: TestClient, app: FastAPI, provider: TestProvider
) -> None:
    provider.claims = {
        **provider.claims,
        "groups": [f"a-group-of-the-company-{number}" for number in range(200)] + ["hr"],
    }
    come_back(browser)
    assert HINT not in browser.cookies
    page = sign_out(browser, app)
    assert "id_token_hint" not in page.text
    assert f"client_id={CLIENT}" in unescape(page.text)


def test_the_token_for_signing_out_is_sealed_and_in_no_record(
    browser: TestClient, app: FastAPI, settings: Settings
) -> None:
    come_back(browser)
    [cookie] = [one for one in browser.cookies.jar if one.name == HINT]
    assert cookie.path == "/logout"
    assert "eyJ" not in cookie.value  # type: ignore[operator]
    app.state.vault.close()
    assert b"eyJ" not in (settings.home / "rollcall.db").read_bytes()


def test_the_cookies_are_closed_to_scripts_and_the_attempt_is_sealed(browser: TestClient) -> None:
    out = browser.get("/login/start")
    assert "HttpOnly" in out.headers["set-cookie"]
    assert "SameSite=lax" in out.headers["set-cookie"]
    assert "nonce" not in browser.cookies[TRYING]
    entered = browser.get(leave(browser))
    assert any("SameSite=strict" in cookie for cookie in entered.headers.get_list("set-cookie"))


def test_settings_that_cannot_work_are_a_sentence(settings: Settings) -> None:
    for update, says in (
        ({"oidc_issuer": "http://id.corp.example"}, "https"),
        ({"oidc_client_id": ""}, "ROLLCALL_OIDC_CLIENT_ID"),
        ({"roles": None}, "ROLLCALL_ROLES"),
        ({"roles": Path("/nowhere/roles.toml")}, "ROLLCALL_ROLES"),
    ):
        with pytest.raises(CannotServe, match=says):
            configuration(settings.model_copy(update=update), "127.0.0.1", 0)
    with pytest.raises(BadProvider):
        Provider(settings.model_copy(update={"oidc_issuer": "ftp://x"}), b"x")
