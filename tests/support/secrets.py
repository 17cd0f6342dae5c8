"""Command lines with secrets, in every form that the rules of `docs/scrubbing.md` cover."""

from __future__ import annotations

from collections.abc import Iterator

from procession.scrubbing import DEFAULT_WORDS

HOLDING = ("password", "passwd", "passphrase", "secret", "credential", "apikey", "accesstoken", "authtoken")
"""What a name holds anywhere."""
ENDING = (
    "pass", "pwd", "token", "passcode", "jwt", "cookie", "authorization", "signature", "accesskey", "privatekey",
    "appkey",
)  # fmt: skip
"""What a name ends in."""

SECRET = rb"Zq[0-9]{5}xK"
"""What `corpus` makes."""

SCHEMES = ("postgres", "postgresql", "mysql", "redis", "amqp", "mongodb+srv", "https", "ftp", "jdbc:postgresql")


def names() -> list[str]:
    """As they are spelled in command lines."""
    found = [
        word.replace("*", filler) for word in DEFAULT_WORDS for filler in ("", "x", "DB_") if "*" in word or not filler
    ]
    found += [
        f"{front}{core}{back}" for core in HOLDING for front in ("", "db_", "Spring.") for back in ("", "2", "_value")
    ]
    found += [f"{front}{core}" for core in ENDING for front in ("", "my-", "GITHUB_")]
    found += ["api-key", "API_KEY", "access-token", "private.key", "X-Vault-Token", "dbPassword", "secretAccessKey"]
    return list(dict.fromkeys(found))


def named(name: str, secret: str) -> Iterator[list[str]]:
    """The value of a name, in arguments of its own and inside of other text."""
    yield ["app", f"--{name}={secret}", "after"]
    yield ["app", f"--{name}", secret, "after"]
    yield ["app", f"{name}={secret}"]
    yield ["app", f"--{name}:{secret}"]
    yield ["app", f"-{name}={secret}"]
    yield [f"{name}={secret}", "after"]
    yield ["app", f"--set=auth.{name}={secret}"]
    yield ["docker", "run", "-e", f"{name}={secret}", "image"]
    yield ["app", f"http://host/path?a=1&{name}={secret}&b=2"]
    yield ["app", f"Server=host;{name}={secret};Database=db"]
    yield ["app", f'{{"user": "u", "{name}": "{secret}", "n": 1}}']
    yield ["app", f'{{"user":"u","{name}":"{secret}"}}']
    yield ["app", f"<{name}>{secret}</{name}>"]
    yield ["curl", "-H", f"{name}: {secret}", "http://host/"]
    yield ["sh", "-c", f"export {name}={secret}; run me"]
    yield ["sh", "-c", f"run --{name} '{secret}' more"]


def in_urls(secret: str) -> Iterator[list[str]]:
    for scheme in SCHEMES:
        yield ["app", f"{scheme}://user:{secret}@host/db"]
        yield ["app", f"--url={scheme}://user:{secret}@host:1234"]
        yield ["sh", "-c", f'app "{scheme}://user:{secret}@host/db" more']
    yield ["app", f"redis://:{secret}@host:6379/0"]


def in_headers(secret: str) -> Iterator[list[str]]:
    for kind in ("Bearer", "Basic", "Token", "ApiKey"):
        yield ["curl", "-H", f"Authorization: {kind} {secret}", "http://host/"]
    yield ["curl", "-H", f"Cookie: session={secret}; a=b", "http://host/"]
    yield ["sh", "-c", f'curl -H "Proxy-Authorization: Basic {secret}" http://host/']


def of_clients(secret: str) -> Iterator[list[str]]:
    """Options that do not say that they are secret."""
    for program in ("mysql", "mysqldump", "mysqladmin", "mariadb", "mariadb-dump", "/usr/bin/mysql"):
        yield [program, "-u", "root", f"-p{secret}", "db"]
        yield ["sudo", program, f"-p{secret}"]
        yield ["sh", "-c", f"{program} -uroot -p{secret} db < dump.sql"]
    for program in ("mongo", "mongosh", "mongodump", "cqlsh", "mycli", "sshpass"):
        yield [program, "-p", secret, "rest"]
    yield ["sshpass", f"-p{secret}", "ssh", "host"]
    for program in ("redis-cli", "valkey-cli"):
        yield [program, "-h", "host", "-a", secret, "ping"]
        yield [program, "AUTH", secret]
    for program in ("sqlcmd", "bcp", "ipmitool", "zip"):
        yield [program, "-P", secret, "rest"]
        yield [program, f"-P{secret}", "rest"]
    yield ["sqlplus", "-s", f"scott/{secret}@db"]
    yield ["ldapsearch", "-x", "-w", secret]
    yield ["influx", "-t", secret]
    for program in ("curl", "wget"):
        yield [program, "-u", f"user:{secret}", "http://host/"]
        yield [program, f"--user=user:{secret}", "http://host/"]
    yield ["http", "-a", f"user:{secret}", "host"]
    yield ["smbclient", "-U", f"user%{secret}", "//host/share"]
    yield ["lftp", "-u", f"user,{secret}", "host"]
    for program in ("docker", "podman", "helm", "oc", "az"):
        yield [program, "login", "-u", "user", "-p", secret, "host"]
    yield ["7z", "a", f"-p{secret}", "archive"]
    yield ["openssl", "enc", "-k", secret]
    yield ["ssh-keygen", "-N", secret]
    yield ["snmpget", "-A", secret, "host"]
    yield ["xfreerdp", "/u:user", f"/p:{secret}", "/v:host"]


def corpus() -> Iterator[tuple[str, list[str]]]:
    """A secret, each another one, and arguments with it."""
    number = 0

    def secret() -> str:
        nonlocal number
        number += 1
        return f"Zq{number:05}xK"

    for name in names():
        for form in range(len(list(named(name, "")))):
            one = secret()
            yield one, list(named(name, one))[form]
    for forms in (in_urls, in_headers, of_clients):
        for form in range(len(list(forms("")))):
            one = secret()
            yield one, list(forms(one))[form]
