"""The rules for changing orgs, keys and tags of hosts, for the admin API and for commands on the store's machine."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from procession.accounts.hosts import MAX_HOST_LENGTH, HostTags, TagSource, host_name
from procession.accounts.key_owners import check_count, check_expiry, check_owner, keys_of_user, owner_text
from procession.accounts.orgs import SERVICE_ACCOUNT, Key, KeyKind, Org, RemovedOrg, hash_secret, new_secret
from procession.accounts.restriction import UNRESTRICTED, Restricted, Restriction
from procession.accounts.scopes import OF_RESTRICTED, Scope
from procession.accounts.users import User
from procession.errors import InvalidRequest, NotFound
from procession.text.tags import normal_tags

MAX_NAME_LENGTH = 100
MAX_TAG_LENGTH = 200
MAX_TAGS = 1000

_NUMBERS_TO_CHOOSE_FROM = 100_000
"""If two servers of one store each make an org at the same moment, they must not take the same number: each org would
read the data of the other. The store cannot hinder that, so each server picks one of that many numbers at random."""


RecordKey = Callable[[Key | None, Key], None]
"""Takes the key as it was, if it was there, and as it will be."""


class KeyRecords(Protocol):
    """What these rules need of a store to change orgs and keys."""

    @property
    def is_only_writer(self) -> bool:
        """Whether this process is the only one that writes to these tables."""

    def orgs(self) -> tuple[Org, ...]: ...

    def keys(self) -> tuple[Key, ...]:
        """Revoked ones, too."""

    def admin_keys(self) -> tuple[Key, ...]:
        """Those that are good for ever unless they are revoked, with all that any server of the store has put before.
        Raises Unavailable also if only a part of the store is away."""

    def put_org(self, org: Org) -> None: ...

    def removed_orgs(self) -> tuple[RemovedOrg, ...]: ...

    def put_removed_org(self, org: RemovedOrg) -> None: ...

    def put_key(self, key: Key) -> None:
        """Add it, or replace the one with its id."""


class HostTagRecords(Protocol):
    """What these rules need of a store to change the tags of hosts."""

    def host_tags(self) -> tuple[HostTags, ...]:
        """Of all orgs."""

    def put_host_tags(self, *entries: HostTags) -> None:
        """Replace what their sources said of their hosts before."""


def create_org(store: KeyRecords, name: str) -> Org:
    """A new org with this name. Raises InvalidRequest for an unfit name, or one that another org has."""
    name = _checked_name(name)
    orgs = store.orgs()
    if any(org.name == name for org in orgs):
        raise InvalidRequest(f"There is an org named {name} already")
    step = 1 if store.is_only_writer or not orgs else 1 + secrets.randbelow(_NUMBERS_TO_CHOOSE_FROM)
    taken = [*(org.id for org in orgs), *(org.id for org in store.removed_orgs())]
    org = Org(max(taken, default=0) + step, name)
    store.put_org(org)
    return org


def remove_org(store: KeyRecords, org_id: int, now: int) -> RemovedOrg:
    """From now on none of its keys is good; all that is its own has to be erased then.

    Its admin keys are revoked before, as that can be taken back. Raises NotFound where there is no such org, and
    InvalidRequest where the last admin key is of it.
    """
    org = next((org for org in store.orgs() if org.id == org_id), None)
    if org is None:
        raise NotFound(f"There is no org {org_id}")
    _revoke_admins(
        store,
        [key for key in store.admin_keys() if key.org_id == org_id],
        now,
        "The last admin key is of this org; make another one in another org first",
    )
    removed = RemovedOrg(org.id, org.name, now)
    store.put_removed_org(removed)
    return removed


def create_key(
    store: KeyRecords,
    org_id: int,
    kind: KeyKind,
    name: str,
    now: int,
    secret: str | None = None,
    scopes: Iterable[Scope] = (),
    *,
    owner: User | str = SERVICE_ACCOUNT,
    expires_at: int | None = None,
    restriction: Restriction = UNRESTRICTED,
    record: RecordKey = lambda _before, _after: None,
) -> tuple[Key, str]:
    """A new key, and its secret, of which only the hash is kept. The secret is random unless `secret` gives it.

    `now` is in Unix seconds. `owner`: a user, or the name of a service account. `record` is told before the key is
    made. Raises InvalidRequest for an unfit name, secret or expiry, for a secret that another key of this kind has or
    had, for an org that does not exist, for scopes or a restriction of a key that is for no reader, for both together,
    and for what its owner may not have.
    """
    name = _checked_name(name)
    if all(org.id != org_id for org in store.orgs()):
        raise InvalidRequest(f"There is no org {org_id}")
    given = frozenset(scopes)
    if given and kind is not KeyKind.APPLICATION:
        raise InvalidRequest(f"Only an application key has scopes, and this is to be an {kind.value} key")
    check_owner(owner, org_id, kind, given)
    check_expiry(expires_at, now)
    if isinstance(owner, User):
        check_count(store.keys(), owner, now)
    if restriction.kinds is not Restricted.NOTHING:
        if kind is not KeyKind.APPLICATION:
            raise InvalidRequest(f"Only an application key can be restricted, and this is to be an {kind.value} key")
        if given - OF_RESTRICTED:
            raise InvalidRequest(
                f"A restricted key has no scopes but {', '.join(OF_RESTRICTED)}: they open what is of the whole org"
            )
    secret = new_secret(kind) if secret is None else _checked_secret(store, kind, secret)
    key = Key(
        secrets.token_hex(6),
        org_id,
        kind,
        name,
        hash_secret(secret),
        created_at=now,
        scopes=given,
        owner=owner_text(owner),
        expires_at=expires_at,
        restriction=restriction,
    )
    record(None, key)
    store.put_key(key)
    return key, secret


def revoke_key(store: KeyRecords, key_id: str, now: int, *, record: RecordKey = lambda _before, _after: None) -> Key:
    """The key, revoked from `now` on, of which `record` is told before; a key that was revoked before stays as it is.

    Raises NotFound for an unknown id, and InvalidRequest for the last admin key that does not expire: without it,
    nobody could make another one through a running server.
    """
    keys = store.keys()
    key = next((key for key in keys if key.id == key_id), None)
    if key is None:
        raise NotFound(f"There is no key {key_id[:100]}")
    if key.revoked_at is not None:
        return key
    if is_lasting_admin(key):
        (revoked,) = _revoke_admins(store, [key], now, "It is the last admin key; make another one first", record)
        return revoked
    revoked = dataclasses.replace(key, revoked_at=now)
    record(key, revoked)
    store.put_key(revoked)
    return revoked


def is_lasting_admin(key: Key) -> bool:
    """Whether it is an admin key that is good for ever unless it is revoked."""
    return key.kind is KeyKind.ADMIN and key.revoked_at is None and key.expires_at is None


def _revoke_admins(
    store: KeyRecords,
    keys: Sequence[Key],
    now: int,
    refusal: str,
    record: RecordKey = lambda _before, _after: None,
) -> list[Key]:
    """Raises InvalidRequest, with all as it was, where no other admin key that lasts is left.

    As with the last admin of an org, each server writes and then looks what is left: see `users.put_changed`.
    """
    taken = {key.id for key in keys}
    if all(key.id in taken for key in store.admin_keys()):
        raise InvalidRequest(refusal)
    revoked = [dataclasses.replace(key, revoked_at=now) for key in keys]
    for key, after in zip(keys, revoked, strict=True):
        record(key, after)
    try:
        for key in revoked:
            store.put_key(key)
        is_left = bool(store.admin_keys())
    except Exception:
        _take_back(store, keys, revoked, record)
        raise
    if not is_left:
        _take_back(store, keys, revoked, record)
        raise InvalidRequest(refusal)
    return revoked


def _take_back(store: KeyRecords, keys: Sequence[Key], revoked: Sequence[Key], record: RecordKey) -> None:
    for key, after in zip(keys, revoked, strict=True):
        try:
            store.put_key(key)
        finally:
            record(after, key)


def revoke_keys_of(
    store: KeyRecords, user: User, now: int, *, record: RecordKey = lambda _before, _after: None
) -> None:
    """All keys of a user, who is gone."""
    for key in keys_of_user(store.keys(), user):
        revoked = dataclasses.replace(key, revoked_at=now)
        record(key, revoked)
        store.put_key(revoked)


def change_host_tags(
    store: HostTagRecords, org_id: int, host: str, add: Sequence[str], remove: Sequence[str]
) -> HostTags:
    """The tags that the user gives to a host from now on. The host need not be known yet.

    Raises InvalidRequest for an unfit name or tag, for more than MAX_TAGS tags, and for a tag in `remove` that the host
    does not have from the user.
    """
    name = _checked_host(host)
    _check_tags(add)
    present = {
        tag
        for entry in store.host_tags()
        if (entry.org_id, entry.host, entry.source) == (org_id, name, TagSource.USER)
        for tag in entry.tags
    }
    unknown = [tag for tag in normal_tags(remove) if tag not in present]
    if unknown:
        raise InvalidRequest(f"{name} was not given the tag {unknown[0]} here")
    return _put_host_tags(store, org_id, name, (present - set(normal_tags(remove))) | set(add))


def replace_host_tags(store: HostTagRecords, org_id: int, host: str, tags: Sequence[str]) -> HostTags:
    """The same, instead of all that the user gave to it before."""
    name = _checked_host(host)
    _check_tags(tags)
    return _put_host_tags(store, org_id, name, tags)


def _put_host_tags(store: HostTagRecords, org_id: int, host: str, given: Iterable[str]) -> HostTags:
    tags = normal_tags(given)
    if len(tags) > MAX_TAGS:
        raise InvalidRequest(f"A host has at most {MAX_TAGS} tags")
    entry = HostTags(org_id, host, TagSource.USER, tags)
    store.put_host_tags(entry)
    return entry


def _checked_host(host: str) -> str:
    name = host_name(host)
    if name is None:
        raise InvalidRequest(f"The message does not name its host in 1 to {MAX_HOST_LENGTH} characters")
    return name


def _check_tags(tags: Sequence[str]) -> None:
    for tag in tags:
        if not tag.strip() or len(tag) > MAX_TAG_LENGTH or not tag.isprintable() or "," in tag:
            raise InvalidRequest(f"A tag has 1 to {MAX_TAG_LENGTH} printable characters without commas")


def _checked_name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > MAX_NAME_LENGTH or not name.isprintable():
        raise InvalidRequest(f"A name has 1 to {MAX_NAME_LENGTH} printable characters")
    return name


def _checked_secret(store: KeyRecords, kind: KeyKind, secret: str) -> str:
    # It has to travel in a header, unchanged.
    if not secret or not secret.isascii() or not secret.isprintable() or " " in secret:
        raise InvalidRequest("A key has printable ASCII characters without blanks")
    digest = hash_secret(secret)
    known = store.keys()
    if any(key.kind is kind and key.secret_hash == digest for key in known):
        raise InvalidRequest(f"This {kind.value} key exists, or was revoked; choose another one")
    return secret
