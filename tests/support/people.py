"""Users of the served application, and their sessions."""

from __future__ import annotations

from functools import cache
from http.cookies import SimpleCookie

import httpx

from procession.accounts.passwords import hash_password
from procession.accounts.restriction import UNRESTRICTED, Restriction
from procession.accounts.users import Role, User
from tests.support.builders import NOON
from tests.support.served import ORG, Client, Served

SIGN_IN = "/api/procession/v1/sign-in"
PHRASE = "correct horse battery"
OURS = {"sec-fetch-site": "same-origin"}

_hash = cache(hash_password)
"""One hash for all users of tests: it takes its time."""


def a_user(
    served: Served,
    name: str = "anna",
    role: Role = Role.VIEWER,
    org_id: int = ORG,
    restriction: Restriction = UNRESTRICTED,
) -> User:
    """In the store already, with PHRASE."""
    user = User(name, org_id, role, _hash(PHRASE), NOON, f"generation of {name}", restriction=restriction)
    served.store.put_user(user)
    return user


def sign_in(client: Client, name: str = "anna", phrase: str = PHRASE, **headers: str) -> httpx.Response:
    return client.post(SIGN_IN, json={"user": name, "password": phrase}, headers=headers)


def page_of(client: Client, name: str = "anna", phrase: str = PHRASE) -> dict[str, str]:
    """The headers of a page on which the user is signed in. The client itself forgets its cookies."""
    answer = sign_in(client, name, phrase)
    assert answer.status_code == 201, answer.text
    client.forget_cookies()
    ((cookie, morsel),) = SimpleCookie(answer.headers["set-cookie"]).items()
    return OURS | {"cookie": f"{cookie}={morsel.value}"}
