"""Signing in by a provider: a real one on the loopback address, which is told to misbehave, and browsers that go there
and come back."""

from __future__ import annotations

import dataclasses
import hmac
import json
import logging
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from functools import partial
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from joserfc import jwt

from procession.accounts.orgs import Org
from procession.accounts.users import Identity, Role, change_user
from procession.config import ServerSettings
from procession.oidc.attempt import ATTEMPT_SECONDS
from tests.audit.trails import a_writer, all_records, folder_in
from tests.support.oidc_provider import (
    CLIENT_ID,
    CLIENT_PHRASE,
    FakeProvider,
    a_key,
    approve,
    begin,
    cookies_of,
    finish,
    page_after,
    page_by,
    running_provider,
    sign_in_by,
)
from tests.support.people import a_user, page_of, sign_in
from tests.support.served import (
    ADMIN,
    OTHER_API_KEY,
    OTHER_APPLICATION_KEY,
    OTHER_ORG,
    READER,
    Client,
    Served,
)

OWN = "/api/procession/v1"
SESSION = f"{OWN}/session"
HOSTS = f"{OWN}/hosts"
USERS = f"{OWN}/admin/users"
OTHER_READER = {"dd-api-key": OTHER_API_KEY, "dd-application-key": OTHER_APPLICATION_KEY}


@pytest.fixture
def provider(served: Served) -> Iterator[FakeProvider]:
    with running_provider(now=served.clock) as provider:
        served.providers = (provider.settings(),)
        yield provider


@pytest.fixture
def client(served: Served, provider: FakeProvider) -> Iterator[Client]:
    client = Client(served.app())
    yield client
    client.close()


def with_rules(served: Served, provider: FakeProvider, **rules: Any) -> Client:
    served.providers = (provider.settings(**rules),)
    return Client(served.app())


def test_a_user_is_made_at_the_first_sign_in_and_has_a_session(
    served: Served, client: Client, provider: FakeProvider
) -> None:
    answer = sign_in_by(client)

    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert answer.headers["cache-control"] == "no-store"
    page = page_after(answer)
    who = {"org": "main", "user": "anna", "role": "viewer", "scopes": ["monitors_read"]}
    assert client.get(SESSION, headers=page).json().items() >= who.items()
    assert client.get(HOSTS, headers=page).status_code == 200
    (user,) = served.store.users()
    assert user.identity == Identity(provider.url, "anna-1")
    assert user.password_hash == ""


def test_the_trail_never_names_another_user_who_has_the_name_that_a_provider_gives(
    served: Served, provider: FakeProvider, tmp_path: Path
) -> None:
    served.audit = writer = a_writer(folder_in(tmp_path))
    client = Client(served.app())
    a_user(served, "alice")
    provider.claims = {"sub": "mallory-1", "preferred_username": "Alice"}

    sign_in_by(client)
    client.close()
    writer.close()

    kept = all_records(writer.folder, "intent", "request", who="alice")
    assert {one["who"]["key"] for one in kept} == {"user:alice+acme"}
    assert [one["who"]["key"] for one in all_records(writer.folder, "intent", "request", who="mallory-1")] == [
        "user:?acme:mallory-1"
    ]


def test_who_comes_again_is_the_same_user(served: Served, client: Client, provider: FakeProvider) -> None:
    first = page_by(client)
    provider.claims["preferred_username"] = "anna.married"

    second = page_by(client)

    assert [user.name for user in served.store.users()] == ["anna"]
    assert [client.get(HOSTS, headers=page).status_code for page in (first, second)] == [200, 200]


def test_the_cookie_is_that_of_every_session_and_the_attempt_is_gone(client: Client) -> None:
    jar = cookies_of(sign_in_by(client))

    session, attempt = jar["procession_session"], jar["procession_attempt"]
    assert (session["httponly"], session["samesite"].lower(), session["path"]) == (True, "strict", "/")
    assert (attempt.value, attempt["max-age"]) == ("", "0")


def test_the_browser_is_sent_with_a_challenge_and_keeps_the_rest(client: Client, provider: FakeProvider) -> None:
    answer = client.get("/signin/oidc/acme")

    (cookie,) = SimpleCookie(answer.headers["set-cookie"]).values()
    assert (cookie["httponly"], cookie["samesite"].lower(), cookie["max-age"]) == (True, "lax", str(ATTEMPT_SECONDS))
    begun = begin(client)
    assert begun.location.startswith(f"{provider.url}/authorize?from=description&")
    assert (
        begun.parameters.items()
        >= {
            "response_type": "code",
            "client_id": CLIENT_ID,
            "scope": "openid profile email",
            "redirect_uri": "http://procession.test/signin/oidc/acme/callback",
            "code_challenge_method": "S256",
        }.items()
    )
    assert CLIENT_PHRASE not in begun.location


def test_under_https_the_cookies_are_of_this_host_alone(served: Served, provider: FakeProvider) -> None:
    served.settings = ServerSettings(page_url="https://procession.test/")
    client = Client(served.app())

    begun = begin(client)
    answer = finish(client, begun, approve(begun))

    assert begun.cookie.startswith("__Host-procession_attempt=")
    assert begun.parameters["redirect_uri"] == "https://procession.test/signin/oidc/acme/callback"
    assert cookies_of(answer)["__Host-procession_session"]["secure"]
    client.close()


def test_under_https_a_cookie_that_another_host_may_have_planted_is_no_attempt(
    served: Served, provider: FakeProvider
) -> None:
    served.settings = ServerSettings(page_url="https://procession.test/")
    client = Client(served.app())
    begun = begin(client)
    planted = dataclasses.replace(begun, cookie=begun.cookie.removeprefix("__Host-"))

    answer = finish(client, planted, approve(planted))

    assert (answer.status_code, "/token" in provider.asked) == (403, False)
    client.close()


def test_another_server_of_the_store_finishes_what_one_began(
    served: Served, client: Client, provider: FakeProvider
) -> None:
    other = Client(served.app())

    begun = begin(client)
    page = page_after(finish(other, begun, approve(begun)))

    assert [server.get(HOSTS, headers=page).status_code for server in (other, client)] == [200, 200]
    other.close()


def test_a_server_that_knew_the_user_soon_knows_what_another_changed(served: Served, provider: FakeProvider) -> None:
    one = with_rules(served, provider, roles={"editors": Role.EDITOR})
    other = Client(served.app())
    page_by(one)
    provider.claims["groups"] = ["editors"]

    page = page_by(other)

    begun = time.monotonic()
    while one.get(SESSION, headers=page).json().get("role") != "editor":
        assert time.monotonic() - begun < 5
    for server in (one, other):
        server.close()


# Where it leads


def test_it_leads_back_to_where_one_was(client: Client) -> None:
    assert sign_in_by(client, to="/?search=a%20b#x").headers["location"] == "/?search=a%20b#x"


@pytest.mark.parametrize(
    "to", ["//evil.test", "https://evil.test", "/\\evil.test", "javascript:alert(1)", "/..//evil.test", "\r\nx: y"]
)
def test_it_leads_nowhere_else(client: Client, to: str) -> None:
    assert sign_in_by(client, to=to).headers["location"] == "/"


@pytest.mark.parametrize("name", ["to", "next", "redirect", "url", "redirect_uri"])
def test_what_the_provider_adds_to_its_answer_leads_nowhere(client: Client, name: str) -> None:
    begun = begin(client)

    answer = finish(client, begun, f"{approve(begun)}&{name}=https://evil.test")

    assert answer.headers["location"] == "/"


# Whose attempt it is


def test_the_answer_of_another_browsers_attempt_signs_nobody_in(client: Client, provider: FakeProvider) -> None:
    """Else somebody could be signed in as whoever has sent a link."""
    mallory, victim = begin(client), begin(client)

    for cookie in (victim.cookie, "", "procession_attempt=x", mallory.cookie + "x"):
        answer = finish(client, dataclasses.replace(mallory, cookie=cookie), approve(mallory))
        assert answer.status_code == 403
        assert "procession_session" not in cookies_of(answer)
    assert "/token" not in provider.asked


@pytest.mark.parametrize(
    "change",
    [
        lambda back: back.replace("state=", "other="),
        lambda back: back.replace("state=", "state=x"),
        lambda back: f"{back}&state=x",
        lambda back: f"{back}&code=x",
        lambda back: back.replace("code=", "other="),
        lambda back: back.replace("code=", "code=x"),
        lambda back: f"{back}&iss=https://evil.test",
        lambda back: f"{back}&error=access_denied",
    ],
)
def test_an_answer_that_was_changed_signs_nobody_in(
    served: Served, client: Client, provider: FakeProvider, change: Callable[[str], str]
) -> None:
    begun = begin(client)

    answer = finish(client, begun, change(approve(begun)))

    assert answer.status_code == 403
    assert served.store.users() == ()


def test_a_code_is_good_once(client: Client) -> None:
    begun = begin(client)
    back = approve(begun)
    assert finish(client, begun, back).status_code == 303

    again = finish(client, begun, back)

    assert again.status_code == 403
    assert "was used before" in again.text
    assert "<script" not in again.text


def test_a_code_that_was_given_to_another_attempt_is_of_no_use(client: Client) -> None:
    """Whoever has caught it lacks the verifier."""
    stolen, own = approve(begin(client)), begin(client)
    code = stolen.split("code=")[1].split("&")[0]

    answer = finish(client, own, f"/signin/oidc/acme/callback?code={code}&state={own.parameters['state']}")

    assert answer.status_code == 403


def test_an_attempt_is_over_after_ten_minutes(served: Served, client: Client) -> None:
    begun = begin(client)
    back = approve(begun)
    served.clock.now += ATTEMPT_SECONDS

    answer = finish(client, begun, back)

    assert (answer.status_code, "too long" in answer.text) == (403, True)


def test_what_the_provider_refuses_is_said_without_its_words(client: Client) -> None:
    begun = begin(client)
    state = begun.parameters["state"]
    path = "/signin/oidc/acme/callback"

    denied = finish(client, begun, f"{path}?error=access_denied&error_description=<b>call 555</b>&state={state}")
    odd = finish(client, begun, f"{path}?error=<script>&state={state}")

    assert "Acme did not sign you in: access_denied" in denied.text
    assert "Acme did not sign you in: an error" in odd.text
    assert "555" not in denied.text
    assert "<script" not in odd.text


def test_the_answer_of_one_provider_is_none_of_another(served: Served, provider: FakeProvider) -> None:
    """Mix-up: a provider that is in bad hands asks for the codes that another one gave."""
    with running_provider(now=served.clock) as evil:
        served.providers = (provider.settings(), evil.settings("evil", "Evil"))
        client = Client(served.app())
        begun = begin(client)
        back = approve(begun).replace("/acme/", "/evil/")

        answer = finish(client, begun, back)

        assert answer.status_code == 403
        assert "/token" not in evil.asked
        client.close()


def test_a_provider_that_says_who_it_is_has_to_say_so(client: Client, provider: FakeProvider) -> None:
    provider.document["authorization_response_iss_parameter_supported"] = True
    silent, right = begin(client), begin(client)

    assert finish(client, silent, approve(silent)).status_code == 403
    assert finish(client, right, f"{approve(right)}&iss={provider.url}").status_code == 303


# What is believed of it


def signing_by(header: dict[str, Any], key: Any, **changes: Any) -> Callable[[dict[str, Any]], str]:
    def sign(claims: dict[str, Any]) -> str:
        changed = {name: value for name, value in (claims | changes).items() if value is not ...}
        return jwt.encode(header, changed, key, algorithms=[header["alg"]])

    return sign


@pytest.mark.parametrize(
    "changes",
    [
        {"nonce": "another"},
        {"nonce": ...},
        {"iss": "https://evil.test"},
        {"iss": ...},
        {"aud": "another client"},
        {"aud": ["another client"]},
        {"aud": [CLIENT_ID, "another client"]},
        {"aud": CLIENT_ID, "azp": "another client"},
        {"aud": ...},
        {"exp": 1},
        {"exp": "never"},
        {"exp": ...},
        {"iat": 2**40},
        {"nbf": 2**40},
        {"sub": ...},
        {"sub": ""},
        {"sub": 7},
        {"sub": "a\nb"},
        {"sub": "x" * 256},
        {"at_hash": "x"},
    ],
)
def test_a_token_for_somebody_or_something_else_signs_nobody_in(
    served: Served, client: Client, provider: FakeProvider, changes: dict[str, Any]
) -> None:
    key = provider.keys[0]
    provider.sign = signing_by({"alg": "RS256", "kid": key.kid}, key, **changes)

    answer = sign_in_by(client)

    assert (answer.status_code, "is not believed" in answer.text) == (403, True)
    assert served.store.users() == ()


def unsigned(claims: dict[str, Any], alg: str) -> str:
    parts = (json.dumps(one).encode() for one in ({"alg": alg}, claims))
    return ".".join(urlsafe_b64encode(part).decode().rstrip("=") for part in parts) + "."


def test_a_token_that_nobody_has_signed_signs_nobody_in(client: Client, provider: FakeProvider) -> None:
    for alg in ("none", "None", "nOnE"):
        provider.sign = partial(unsigned, alg=alg)
        assert sign_in_by(client).status_code == 403


def signed_with(secret: bytes, kid: str, claims: dict[str, Any]) -> str:
    parts = (json.dumps(one).encode() for one in ({"alg": "HS256", "kid": kid}, claims))
    text = ".".join(urlsafe_b64encode(part).decode().rstrip("=") for part in parts)
    return f"{text}.{urlsafe_b64encode(hmac.digest(secret, text.encode(), 'sha256')).decode().rstrip('=')}"


def test_a_token_that_is_signed_with_what_everybody_has_signs_nobody_in(client: Client, provider: FakeProvider) -> None:
    """HS256 with the public key; with the secret of the client, which a provider may have shared, it is none either."""
    shown = provider.keys[0]
    for secret in (shown.as_pem(private=False), shown.as_der(private=False), CLIENT_PHRASE.encode()):
        for kid in ("first", "other"):
            provider.sign = partial(signed_with, secret, kid)
            assert sign_in_by(client).status_code == 403


def test_a_token_of_a_key_that_is_not_the_providers_signs_nobody_in(client: Client, provider: FakeProvider) -> None:
    for kid in ("first", "other"):
        provider.sign = signing_by({"alg": "RS256", "kid": kid}, a_key(kid))
        assert sign_in_by(client).status_code == 403


def test_a_token_that_brings_its_own_key_signs_nobody_in(client: Client, provider: FakeProvider) -> None:
    key = a_key("first")
    for more in ({"jwk": key.as_dict(private=False)}, {"jku": f"{provider.url}/evil"}, {"x5u": f"{provider.url}/evil"}):
        provider.sign = signing_by({"alg": "RS256", "kid": "first", **more}, key)
        assert sign_in_by(client).status_code == 403
    assert "/evil" not in provider.asked


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é.é.é", "e30.e30.e30", 7, None, {}, "x" * 200_000])
def test_what_is_no_token_signs_nobody_in(client: Client, provider: FakeProvider, token: Any) -> None:
    provider.sign = lambda _: token

    assert sign_in_by(client).status_code in (403, 503)


def test_a_provider_may_change_its_key(served: Served, client: Client, provider: FakeProvider) -> None:
    assert sign_in_by(client).status_code == 303
    provider.keys.insert(0, a_key("second"))

    assert sign_in_by(client).status_code == 303


def test_a_key_that_was_withdrawn_is_believed_ten_minutes_at_most(
    served: Served, client: Client, provider: FakeProvider
) -> None:
    stolen = provider.keys[0]
    assert sign_in_by(client).status_code == 303
    provider.keys[:] = [a_key("second")]
    provider.sign = signing_by({"alg": "RS256", "kid": stolen.kid}, stolen)

    served.clock.now += 600

    assert sign_in_by(client).status_code == 403


def test_names_of_keys_that_are_made_up_do_not_make_it_ask_each_time(client: Client, provider: FakeProvider) -> None:
    provider.sign = signing_by({"alg": "RS256", "kid": "made up"}, a_key("made up"))

    for _ in range(5):
        assert sign_in_by(client).status_code == 403

    assert provider.asked.count("/keys") == 2


# Who may, and as what


def test_groups_give_the_role_at_each_sign_in(served: Served, provider: FakeProvider) -> None:
    a_user(served, "root", Role.ADMIN)
    client = with_rules(served, provider, roles={"bosses": Role.ADMIN, "writers": Role.EDITOR}, default_role=None)
    provider.claims["groups"] = ["writers", "bosses"]
    boss = page_by(client)
    assert client.get(SESSION, headers=boss).json()["role"] == "admin"
    provider.claims["groups"] = ["writers"]

    writer = page_by(client)

    assert client.get(SESSION, headers=writer).json()["role"] == "editor"
    assert client.get(HOSTS, headers=boss).status_code == 403
    client.close()


def test_who_is_in_no_group_any_more_is_out_and_so_are_his_sessions(served: Served, provider: FakeProvider) -> None:
    client = with_rules(served, provider, roles={"writers": Role.EDITOR}, default_role=None)
    provider.claims["groups"] = ["writers"]
    page = page_by(client)
    provider.claims["groups"] = "writers,bosses"

    assert sign_in_by(client).status_code == 403

    assert client.get(HOSTS, headers=page).status_code == 403
    client.close()


def test_groups_make_no_admin_of_who_is_restricted_and_the_log_says_so(
    served: Served, provider: FakeProvider, caplog: pytest.LogCaptureFixture
) -> None:
    client = with_rules(served, provider, roles={"bosses": Role.ADMIN}, default_role=Role.VIEWER)
    page_by(client)
    client.request("PATCH", f"{USERS}/anna", json={"restriction": {"rows": "env:a"}}, headers=ADMIN)
    provider.claims["groups"] = ["bosses"]

    session = client.get(SESSION, headers=page_by(client)).json()

    assert (session["role"], session["scopes"]) == ("viewer", ["monitors_read"])
    said = [record.getMessage() for record in caplog.records if "restricted" in record.getMessage()]
    assert said == ["gave anna, who is restricted, not the role admin that acme gives"]
    client.close()


def test_the_last_admin_of_an_org_stays_one_whatever_the_groups_say_and_the_log_says_so(
    served: Served, provider: FakeProvider, caplog: pytest.LogCaptureFixture
) -> None:
    client = with_rules(served, provider, roles={"bosses": Role.ADMIN}, default_role=Role.VIEWER)
    provider.claims["groups"] = ["bosses"]
    page_by(client)
    provider.claims["groups"] = []

    kept = client.get(SESSION, headers=page_by(client)).json()
    a_user(served, "bob", Role.ADMIN)
    taken = client.get(SESSION, headers=page_by(client)).json()

    assert (kept["role"], taken["role"]) == ("admin", "viewer")
    (said,) = [record for record in caplog.records if "last admin" in record.getMessage()]
    assert said.getMessage() == "gave anna, who is the last admin of the org, not the role viewer that acme gives"
    assert isinstance(said.args, dict)
    assert (said.args["event"], said.args["role"]) == ("role-withheld", "viewer")
    client.close()


def test_a_role_that_an_admin_gave_stays_where_no_group_gives_one(served: Served, client: Client) -> None:
    page_by(client)
    client.request("PATCH", f"{USERS}/anna", json={"role": "editor"}, headers=ADMIN)

    assert client.get(SESSION, headers=page_by(client)).json()["role"] == "editor"


def test_a_role_that_an_admin_gave_does_not_go_along_to_another_org(served: Served, provider: FakeProvider) -> None:
    """Else whoever may change the domain of an address would take an admin of one org for one of another."""
    client = with_rules(
        served, provider, default_role=Role.VIEWER, orgs={"acme.example": "main", "other.example": "other"}
    )
    provider.claims |= {"email": "anna@acme.example", "email_verified": True}
    page_by(client)
    client.request("PATCH", f"{USERS}/anna", json={"role": "admin"}, headers=ADMIN)
    a_user(served, "bob", role=Role.ADMIN)

    page_by(client)
    assert [user.role for user in served.store.users()] == [Role.ADMIN, Role.ADMIN]
    provider.claims["email"] = "anna@other.example"
    page = page_by(client)

    anna, _ = served.store.users()
    assert (anna.org_id, anna.role) == (OTHER_ORG, Role.VIEWER)
    assert client.get(SESSION, headers=page).json()["role"] == "viewer"
    client.close()


def test_who_goes_to_another_org_is_recorded_in_both(served: Served, provider: FakeProvider) -> None:
    """Also where nothing else of the user is another than before."""
    orgs = {"acme.example": "main", "other.example": "other"}
    client = with_rules(served, provider, default_role=Role.VIEWER, orgs=orgs)
    for address in ("anna@acme.example", "anna@other.example"):
        provider.claims |= {"email": address, "email_verified": True}
        page_by(client)

    told = [
        [one["action"] for one in client.get(f"{OWN}/changes?kind=user&subject=anna", headers=keys).json()["changes"]]
        for keys in (READER, OTHER_READER)
    ]

    assert told == [["deleted", "created"], ["created"]]
    client.close()


def test_a_sign_in_does_not_undo_what_an_admin_does_to_the_role_meanwhile(served: Served, client: Client) -> None:
    page_by(client)
    client.request("PATCH", f"{USERS}/anna", json={"role": "editor"}, headers=ADMIN)
    orgs, demoted = served.store.orgs, []

    def meanwhile() -> tuple[Org, ...]:
        """Asked for after the user was looked up, and before anything is written."""
        demoted.append(change_user(served.store, "anna", role=Role.VIEWER, record=lambda _before, _after: None))
        return orgs()

    served.store.orgs = meanwhile  # type: ignore[method-assign]
    page = page_by(client)

    assert demoted
    assert [user.role for user in served.store.users()] == [Role.VIEWER]
    assert client.get(SESSION, headers=page).json()["role"] == "viewer"


def test_what_the_token_does_not_say_the_provider_is_asked_for(served: Served, provider: FakeProvider) -> None:
    client = with_rules(served, provider, roles={"bosses": Role.ADMIN}, default_role=None)
    provider.in_userinfo = {"groups": ["bosses"]}

    assert client.get(SESSION, headers=page_by(client)).json()["role"] == "admin"
    provider.in_userinfo = {"groups": ["bosses"], "sub": "somebody else"}
    assert sign_in_by(client).status_code == 403
    client.close()


def test_where_the_token_has_only_a_subject_the_provider_is_asked_for_the_name(
    client: Client, provider: FakeProvider
) -> None:
    provider.claims = {"sub": "372041"}
    provider.in_userinfo = {"preferred_username": "anna"}

    assert client.get(SESSION, headers=page_by(client)).json()["user"] == "anna"
    provider.in_userinfo = {"preferred_username": "bert", "sub": "somebody else"}
    assert sign_in_by(client).status_code == 403


def test_a_provider_that_tells_no_name_lets_its_users_in_by_their_subject(
    client: Client, provider: FakeProvider
) -> None:
    provider.claims = {"sub": "372041"}
    provider.document = {"userinfo_endpoint": f"{provider.url}/nowhere"}

    assert client.get(SESSION, headers=page_by(client)).json()["user"] == "372041"


def test_the_domain_chooses_the_org_if_the_mail_address_is_verified(served: Served, provider: FakeProvider) -> None:
    client = with_rules(served, provider, orgs={"acme.example": "main", "other.example": "other"})
    provider.claims |= {"email": "anna@other.example", "email_verified": True}
    assert client.get(SESSION, headers=page_by(client)).json()["org"] == "other"

    for mail, verified in (("anna@acme.example", False), ("anna@acme.example", "true"), ("anna@evil.test", True)):
        provider.claims |= {"email": mail, "email_verified": verified}
        assert sign_in_by(client).status_code == 403
    (user,) = served.store.users()
    assert user.org_id == OTHER_ORG
    client.close()


def test_a_claim_chooses_the_org_and_one_that_is_not_there_lets_nobody_in(
    served: Served, provider: FakeProvider
) -> None:
    orgs = {"t1": "main", "t2": "other", "t3": "gone"}
    client = with_rules(served, provider, org_claim=("tenant",), orgs=orgs)
    provider.claims["tenant"] = "t2"
    assert client.get(SESSION, headers=page_by(client)).json()["org"] == "other"

    for tenant in ("t3", "main", None, ["t2,t1"]):
        provider.claims["tenant"] = tenant
        assert sign_in_by(client).status_code == 403
    client.close()


def test_several_providers_have_users_of_their_own(served: Served, provider: FakeProvider) -> None:
    with running_provider(now=served.clock) as second:
        served.providers = (provider.settings(), second.settings("globex", "Globex"))
        client = Client(served.app())

        pages = [page_by(client), page_by(client, "globex")]

        names = [client.get(SESSION, headers=page).json()["user"] for page in pages]
        assert names == ["anna", "anna+globex"]
        client.close()


def test_a_local_user_of_the_same_name_is_not_taken_over(served: Served, client: Client) -> None:
    boss = a_user(served, role=Role.ADMIN)

    page = page_by(client)

    assert client.get(SESSION, headers=page).json().items() >= {"user": "anna+acme", "role": "viewer"}.items()
    assert boss in served.store.users()
    assert client.get(SESSION, headers=page_of(client)).json()["role"] == "admin"


def test_no_password_opens_a_user_of_a_provider(client: Client) -> None:
    page_by(client)

    for phrase in ("", "x", f"oidc {CLIENT_ID}"):
        assert sign_in(client, phrase=phrase).status_code == 403
    answer = client.request("PATCH", f"{USERS}/anna", json={"password": "correct horse"}, headers=ADMIN)
    assert answer.status_code == 400


def test_who_was_removed_is_out_on_all_servers_and_does_not_come_back(served: Served, client: Client) -> None:
    other = Client(served.app())
    page = page_by(client)

    client.request("DELETE", f"{USERS}/anna", headers=ADMIN)

    assert [server.get(HOSTS, headers=page).status_code for server in (client, other)] == [403, 403]
    refused = sign_in_by(client)
    assert (refused.status_code, "You were removed" in refused.text) == (403, True)
    served.providers = tuple(dataclasses.replace(one, removed_users_return=True) for one in served.providers)
    again = Client(served.app())
    assert sign_in_by(again).status_code == 303
    for server in (again, other):
        server.close()


# How it ends


def test_signing_out_ends_the_session_and_leads_to_the_provider(client: Client, provider: FakeProvider) -> None:
    page = page_by(client)

    answer = client.request("DELETE", SESSION, headers=page)

    assert answer.status_code == 200
    there = urlsplit(answer.json()["next"])
    assert f"{there.scheme}://{there.netloc}{there.path}" == f"{provider.url}/leave"
    assert dict(parse_qsl(there.query)) == {
        "client_id": CLIENT_ID,
        "post_logout_redirect_uri": "http://procession.test/",
    }
    assert client.get(HOSTS, headers=page).status_code == 403


def test_signing_out_is_over_where_the_provider_has_no_place_for_it(
    served: Served, client: Client, provider: FakeProvider
) -> None:
    a_user(served, "local")
    provider.document["end_session_endpoint"] = None

    for page in (page_by(client), page_of(client, "local")):
        assert client.request("DELETE", SESSION, headers=page).status_code == 204
        assert client.get(HOSTS, headers=page).status_code == 403


def test_signing_out_needs_no_provider_that_answers(served: Served, client: Client, provider: FakeProvider) -> None:
    page = page_by(client)
    provider.is_down = True
    later = Client(served.app())

    assert later.request("DELETE", SESSION, headers=page).status_code == 204
    assert later.get(HOSTS, headers=page).status_code == 403
    later.close()


# When it goes wrong


def test_a_provider_that_is_down_is_said_in_a_sentence_and_others_still_sign_in(
    served: Served, client: Client, provider: FakeProvider
) -> None:
    a_user(served, role=Role.ADMIN)
    assert client.get(f"{OWN}/sign-in").json() == {"providers": [{"name": "acme", "title": "Acme", "problem": ""}]}
    provider.is_down = True
    served.clock.now += 60

    (item,) = client.get(f"{OWN}/sign-in").json()["providers"]

    assert item["problem"] == "Acme cannot sign anybody in now: it answered with status 503."
    page = client.get("/signin/oidc/acme")
    assert (page.status_code, item["problem"] in page.text) == (503, True)
    assert client.get(SESSION, headers=page_of(client)).json()["role"] == "admin"
    assert client.get("/").status_code in (200, 404)
    provider.is_down = False
    served.clock.now += 10
    assert sign_in_by(client).status_code == 303


def test_a_provider_that_is_not_there_is_asked_seldom(served: Served) -> None:
    with running_provider(now=served.clock) as gone:
        served.providers = (gone.settings(),)
    client = Client(served.app())

    problems = {client.get(f"{OWN}/sign-in").json()["providers"][0]["problem"] for _ in range(3)}

    assert problems == {"Acme cannot sign anybody in now: connection refused."}
    client.close()


def test_a_provider_that_goes_down_meanwhile_is_no_fault_of_the_person(client: Client, provider: FakeProvider) -> None:
    begun = begin(client)
    back = approve(begun)
    provider.is_down = True

    answer = finish(client, begun, back)

    assert (answer.status_code, "cannot sign anybody in now" in answer.text) == (503, True)


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": "https://evil.test"},
        {"issuer": "{url}/"},
        {"token_endpoint": "http://evil.test/token"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"jwks_uri": "file:///etc/passwd"},
        {"token_endpoint": None},
        {"id_token_signing_alg_values_supported": ["none", "HS256"]},
    ],
)
def test_a_description_that_is_not_safe_is_not_used(
    served: Served, client: Client, provider: FakeProvider, document: dict[str, Any]
) -> None:
    for name, value in document.items():
        provider.document[name] = value.replace("{url}", provider.url) if isinstance(value, str) else value

    assert client.get("/signin/oidc/acme").status_code == 503


def test_a_wrong_secret_of_the_client_is_said_to_be_ours_to_mend(served: Served, provider: FakeProvider) -> None:
    served.providers = (dataclasses.replace(provider.settings(), client_secret="another"),)  # noqa: S106
    client = Client(served.app())

    answer = sign_in_by(client)

    assert (answer.status_code, "does not take our code (invalid_client)" in answer.text) == (503, True)
    client.close()


def test_there_are_no_providers_unless_they_were_configured(served: Served, provider: FakeProvider) -> None:
    served.providers = ()
    client = Client(served.app())

    assert client.get(f"{OWN}/sign-in").json() == {"providers": []}
    for path in ("/signin/oidc/acme", "/signin/oidc/acme/callback"):
        assert client.get(path).status_code == 404
    client.close()


def test_tries_are_counted_with_those_of_passwords(served: Served, provider: FakeProvider) -> None:
    served.settings = ServerSettings(sign_in_limit=2)
    client = Client(served.app())
    sign_in(client, phrase="wrong")
    assert sign_in_by(client).status_code == 303

    refused = sign_in_by(client)

    assert refused.status_code == 429
    assert 0 < int(refused.headers["retry-after"]) <= 60
    client.close()


def test_the_log_says_who_came_and_who_was_refused_and_nothing_secret(
    client: Client, provider: FakeProvider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "procession")
    begun = begin(client)
    back = approve(begun)
    finish(client, begun, back)
    finish(client, begun, back)

    said = json.dumps([[record.getMessage(), str(record.args)] for record in caplog.records])

    assert "signed in to org" in said
    assert "did not sign in whoever tried" in said
    code = back.split("code=")[1].split("&")[0]
    for secret in (code, begun.parameters["state"], CLIENT_PHRASE, begun.cookie.split("=")[1]):
        assert secret not in said
