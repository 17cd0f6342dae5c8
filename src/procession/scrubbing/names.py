"""What a name says of its value: `--db-pw`, `DD_API_KEY` and `-Ddb.pw` name secrets, `--password-file` does not.

A name is read with its `-`, `_` and `.` taken out, and word by word, where a capital letter begins a word too.
"""

from __future__ import annotations

import enum
import re
from functools import lru_cache


class Secrecy(enum.Enum):
    """How sure it is that what goes by a name is to be hidden."""

    NO = enum.auto()
    UNLESS_HARMLESS = enum.auto()
    """Unless the value is what no secret looks like: `-pass 1`, `--token true`, `-auth /run/Xauthority`."""
    LOGIN = enum.auto()
    """The same; and where it is `user:secret`, only the second part."""
    OF_A_LOGIN = enum.auto()
    """Only the second part of `user:secret`: PowerShell's `-Credential kim` is a user."""
    YES = enum.auto()


_WITHIN = (
    "password",
    "passwd",
    "passphrase",
    "secret",
    "credential",
    "mysqlpwd",
    "accesstoken",
    "authtoken",
    "apikey",
    "stripetoken",
)
_KEYS = [
    "access",
    "account",
    "aes",
    "app",
    "application",
    "auth",
    "encryption",
    "function",
    "functions",
    "hmac",
    "license",
    "master",
    "preshared",
    "private",
    "registration",
    "session",
    "setup",
    "shared",
    "signing",
    "storage",
    "subscription",
    "unseal",
    "wep",
]
_AT_THE_END = (
    "pass",
    "passw",
    "passwo",
    "passwor",
    "pwd",
    "pswd",
    "passcode",
    "token",
    "jwt",
    "cookie",
    "authorization",
    "masterauth",
    "signature",
    *(f"{kind}key" for kind in _KEYS),
    *(f"{whose}pw" for whose in ("admin", "bind", "db", "key", "login", "my", "owner", "proxy", "root", "smtp")),
    *(f"{whose}pw" for whose in ("store", "sync", "user", "wifi")),
)
_LAST_WORD = frozenset({"community", "pw", "psw", "psk", "pword", "otp", "totp", "wpapsk"})
_LOGINS = frozenset({"auth", "basicauth", "httpauth", "rpcauth", "creds", "cred", "userpass", "userpwd"})
_INNOCENT_ENDS = (
    *(
        "existingsecret",
        "bypass",
        "compass",
        "trespass",
        "multipass",
        "singlepass",
        "onepass",
        "twopass",
        "firstpass",
        "secondpass",
    ),
    *("lowpass", "highpass", "bandpass", "allpass", "renderpass", "passthrough"),
    # of texts, not of people: --pad-token, --max-token
    *(f"{kind}token" for kind in ("bos", "cls", "cluster", "end", "eos", "image", "mask", "max", "min", "num", "pad")),
    *(f"{kind}token" for kind in ("sep", "special", "start", "stop", "unk")),
)

# `--password-file`, `tokenTtl`, `SECRET_NAME`: about a secret. Not `id`: `secret_id` is one.
_ABOUT = re.compile(
    r"""(?:add|age|algorithm|algorithms|attempts|audience|backend|changed?|class|cmd|command|count|define|description
    |dir|directory|enabled|encoder|encoding|encryption|endpoint|engine|env|eval|expiration|expires|expiresin|expiry
    |fd|field|file|filename|files|format|header|headername|helper|history|interval|issuer|keyid|keyspace|length
    |lifetime|limit|location|manager|maps?|max|maxage|maxlength|method|min|minlength|mode|name|names|namespace|onstdin
    |options?|path|policy|prefix|process|prompts?|provider|ref|regex|req|required|requirements?|reset|retries|rm
    |rotation|rules|script|settings|size|source|stdin|store|strength|sync|template|tests?|timeout|ttl|type|types|uri
    |url|validity|version)\Z""",
    re.VERBOSE,
)
_FLAGS = frozenset(
    """no ask prompt without disable enable allow show skip hide print list verify force never always max min num dont
    env export fetch generate include log require reset rotate stdin test use with change clear""".split()  # noqa: SIM905
)
_FLAG = re.compile(r"no(?:ask)?pass|\w*existingsecret|(?:\w*)ask(?:vault|become|su(?:do)?|k)?pass|expose|nopwcheck")

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[A-Z]|[^\W\d_]+|\d+")
_LONG_NAME = 100
WORKING_DIRECTORY = frozenset({"PWD", "OLDPWD"})

_METHODS = r"""any|aws|azure|basic|bearer|cert|certificate|chap|cram-?md5|digest(?:-md5)?|eap\S*|external|gcp|github
    |gitlab|google|gssapi|iam|internal|jwt|kerberos|krb5|ldap|local|login|md5|mschap\S*|mtls|negotiate|ntlm|oauth2?|oidc
    |open|pam|pap|peer|plain|public|radius|saml|sasl|scram-\S*|sha\d*|shared|simple|spnego|ssl|sso|sspi|system|tls|trust
    |wpa\S*|\w+_password|caching_sha2\w*|xoauth2"""
_HARMLESS = re.compile(
    rf"""(?:
    \d{{1,2}}(?::[a-z].*)?
    | true | false | yes | no | on | off | none | null | nil | undefined | auto | default | ask | prompt | never
    | always | required | optional | disabled? | enabled? | stdin | -
    | {_METHODS}
    | (?:env|fd|file)(?::\S*)? | @[\w./~\-]+ | \S+@sha\d+:\S+ | //\S*
    | <[\w|]*> | \[\w+\]
    | (?:~|\.{{0,2}})/[\w.@+\-]+/[\w./@:+%\-]* | [A-Z]:[\\/]\S* | https?://[^\s@]*
    | [\w./~\-]*\.(?:asc|cer|cert|cfg|conf|crt|env|gpg|ini|jks|json|key|p12|pem|pfx|pub|py|sh|sock|toml|txt|xml|ya?ml)
    )\Z""",
    re.VERBOSE | re.IGNORECASE,
)
_SWITCH_VALUE = re.compile(r"(?:true|false|yes|no|on|off|none|null)\Z", re.IGNORECASE)
# What a shell or a template puts in its place.
_REFERENCE = re.compile(r"\$\{[^{}]*\}|\$[A-Z_][A-Z0-9_]*|\$\(.*|\{\{.*\}\}|%[A-Z_]+%", re.DOTALL)


def secrecy(name: str) -> Secrecy:
    """Whether what goes by this name is to be hidden; leading dashes belong to the name."""
    return _secrecy(name) if len(name) > _LONG_NAME else _known_secrecy(name)


def is_about_a_secret(name: str) -> bool:
    """Whether the name speaks of a secret, and its value is none: `--password-file`, `--ask-pass`."""
    if len(name) > _LONG_NAME:
        return False
    plain = _plain(name)
    return bool(_ABOUT.search(plain) or _FLAG.match(plain)) or _words(name)[:1] in _FIRST


_FIRST = [[word] for word in _FLAGS]


def is_harmless(value: str) -> bool:
    """Whether a value looks like no secret at all."""
    return bool(_HARMLESS.match(value))


def is_switch_value(value: str) -> bool:
    """Whether a value only switches something on or off."""
    return bool(_SWITCH_VALUE.match(value))


def is_reference(value: str) -> bool:
    """Whether a value says where the secret is: `${DB_PASSWORD}`."""
    return bool(_REFERENCE.fullmatch(value))


def _plain(name: str) -> str:
    return name.casefold().replace("-", "").replace("_", "").replace(".", "")


def _words(name: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(name)]


def _secrecy(name: str) -> Secrecy:
    plain = _plain(name)
    words = _words(name)
    last = words[-1] if words else ""
    if (
        plain.endswith(_AT_THE_END) or last in _LAST_WORD
    ) and not plain.endswith(_INNOCENT_ENDS):  # fmt: skip
        found = Secrecy.UNLESS_HARMLESS
    elif last in _LOGINS or plain in _LOGINS or "".join(words[-2:]) in _LOGINS:
        found = Secrecy.LOGIN
    else:
        found = Secrecy.NO
    if name == "-Credential":
        return Secrecy.OF_A_LOGIN
    if within := next((part for part in _WITHIN if part in plain), None):
        # What authenticates may be called by its method; what is a password may not.
        found = {"credential": Secrecy.LOGIN, "authtoken": Secrecy.UNLESS_HARMLESS}.get(within, Secrecy.YES)
    return Secrecy.NO if found is not Secrecy.NO and is_about_a_secret(name) else found


_known_secrecy = lru_cache(maxsize=4096)(_secrecy)
