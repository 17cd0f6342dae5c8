from __future__ import annotations

import shlex
import string
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from procession.scrubbing import DEFAULT_WORDS, MASK, Scrubber, SensitiveWord, sensitive_words

AS_DATADOG = Scrubber(url_passwords=False, client_passwords=False, more_forms=False)
SCRUBBER = Scrubber()


def scrubbed(command: str, scrubber: Scrubber = SCRUBBER) -> str:
    """Of a command as typed into a shell, so that quotes say where arguments end."""
    return " ".join(scrubber.scrub(shlex.split(command)))


# What a Datadog Agent does.


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("mysql -u root --password hunter2 db1", "mysql -u root --password ******** db1"),
        ('app -password:abc --Secret="a b" end', "app -password:******** --Secret=******** end"),
        ("curl --DB_PassWord=x http://h/?api_key=1", "curl --DB_PassWord=******** http://h/?api_key=1"),
        ("app /etc/password x", "app /etc/password x"),
        ("vault $secret=1", "vault $secret=1"),
        ("password=1", "password=1"),
        ("agent --stripetoken=1 --mystripetoken=2", "agent --stripetoken=******** --mystripetoken=2"),
        ("app  --password   x", "app  --password   ********"),
        ("app ---password x", "app ---password ********"),
        ("app --stripetoken", "app --stripetoken"),
        ("app ---stripetoken=x", "app ---stripetoken=x"),
        ("app 'password=a b' c", "app 'password=******** b' c"),
        ("app password='a b' c", "app password=******** c"),
        ("app password='a b c", "app password=******** b c"),
        ("app --password --secret x", "app --password ******** x"),
        ("app --secret --password x", "app --secret ******** ********"),
        ("app --password= x", "app --password=******** x"),
        ("app --password/file=x", "app --password/file=********"),
        ("app my/password=x", "app my/password=x"),
        ("app --paſſword=x", "app --paſſword=********"),
        ("MYSQL_PWD=x passwd root", "MYSQL_PWD=x passwd ********"),
    ],
)
def test_words_hide_what_a_datadog_agent_hides(before: str, after: str) -> None:
    assert AS_DATADOG.scrub_line(before) == after


def test_custom_words_add_to_the_default_ones() -> None:
    words, refused = sensitive_words(["consul_token", "*api_key", "my*thing*"])
    scrubber = Scrubber(custom_words=words, url_passwords=False, client_passwords=False, more_forms=False)

    assert refused == ()
    assert (
        scrubber.scrub_line("spidly --mypasswords=123,456 consul_token 1234 --dd_api_key=1234")
        == "spidly --mypasswords=******** consul_token ******** --dd_api_key=********"
    )
    assert scrubber.scrub_line("app --my-old-things=1 my$thing=2") == "app --my-old-things=******** my$thing=2"


def test_each_default_word_hides_its_value() -> None:
    for word in DEFAULT_WORDS:
        key = word.replace("*", "x")
        assert (
            AS_DATADOG.scrub_line(f"app --{key} 1 {key}=2 -{key}:3")
            == f"app --{key} ******** {key}=******** -{key}:********"
        )


@pytest.mark.parametrize("text", ["*", "", "a**b", "**", "pass-word", "pass word", "pässword", "a.b"])
def test_a_custom_word_with_odd_characters_is_refused_with_a_reason(text: str) -> None:
    words, refused = sensitive_words([text, "fine"])

    assert [word.text for word in words] == ["fine"]
    assert len(refused) == 1
    assert repr(text) in refused[0]


def test_arguments_end_where_they_did_whatever_is_hidden() -> None:
    assert AS_DATADOG.scrub(["app", "a b", "", "--password=x"]) == ("app", "a b", "", "--password=********")
    assert AS_DATADOG.scrub(["app", "a b", "", "--other=x"]) == ("app", "a b", "", "--other=x")
    assert Scrubber().scrub(["", "a b", "--password", "x y", ""]) == ("", "a b", "--password", "********", "")


def test_arguments_that_one_secret_reaches_over_are_one() -> None:
    assert AS_DATADOG.scrub(["app", "--password='a", "b'", "c d"]) == ("app", "--password=********", "c d")


def test_arguments_keep_their_boundaries_whatever_is_hidden_in_them() -> None:
    line = ["app", "a b", "", "--password=x y", "--secret", "z w", "mysql -px y", "http://u:p@h/ k"]

    hidden = ("app", "a b", "", "--password=********", "--secret", "********", "mysql -p******** y")

    assert SCRUBBER.scrub(line) == (*hidden, "http://u:********@h/ k")


def test_stripping_keeps_only_the_first_word_of_the_first_argument() -> None:
    scrubber = Scrubber(strip_arguments=True)

    assert scrubber.scrub(["nginx: worker process", "--password=x"]) == ("nginx:",)
    assert scrubber.scrub([]) == ()


def test_nothing_is_hidden_with_everything_switched_off() -> None:
    scrubber = Scrubber(words=False, url_passwords=False, client_passwords=False, more_forms=False)
    arguments = ("mysql", "-psecret", "--password=x", "http://u:p@h")

    assert scrubber.scrub(arguments) == arguments


# What it leaks.


@pytest.mark.parametrize(
    ("command", "after"),
    [
        # in the first argument
        ("password=1", "password=********"),
        ("passwd root", "passwd root"),
        # environment variables
        ("env PGPASSWORD=x psql", "env PGPASSWORD=******** psql"),
        ("docker run --env=GITHUB_TOKEN=a,b img", "docker run --env=GITHUB_TOKEN=******** img"),
        ("docker run -e DD_API_KEY=x -e DD_APP_KEY=y", "docker run -e DD_API_KEY=******** -e DD_APP_KEY=********"),
        ("env PWD=/srv app", "env PWD=/srv app"),
        # dashes, and other names
        ("app --api-key=x --access-token y", "app --api-key=******** --access-token ********"),
        ("k3s agent --token abc --server s", "k3s agent --token ******** --server s"),
        ("app --max-tokens 5 --tokenizer t --token-file f", "app --max-tokens 5 --tokenizer t --token-file f"),
        ("app --token --verbose", "app --token --verbose"),
        ("redis-server --requirepass x --masterauth y", "redis-server --requirepass ******** --masterauth ********"),
        ("keytool -storepass x -alias a", "keytool -storepass ******** -alias a"),
        ("openssl rsa -passin pass:x -in f", "openssl rsa -passin pass:******** -in f"),
        # blanks in the value, and keys that look like values
        ("app '--password=a b c' d", "app --password=******** d"),
        ("app --password 'a b c' d", "app --password ******** d"),
        ("app --password --secret x y", "app --password ******** ******** y"),
        ("app --password=\"it's\" d", "app --password=******** d"),
        # URLs, DSNs
        ("curl 'http://h/?a=1&api_key=x&b=2'", "curl http://h/?a=1&api_key=********&b=2"),
        ("app 'Server=h;Password=x;Database=d'", "app Server=h;Password=********;Database=d"),
        ("psql \"host=h password='a b' user=u\"", "psql host=h password=******** user=u"),
        ("mount -o user=u,password=x,ro d", "mount -o user=u,password=********,ro d"),
        # JSON and its kin
        ("""app '{"user": "u", "password": "x y", "n": 1}'""", """app {"user": "u", "password": ********, "n": 1}"""),
        ("""app '{"user":"u","token":"x\\"y"}'""", """app {"user":"u","token":********}"""),
        ("""app "{'user': 'u', 'apiKey': 'x'}" """, "app {'user': 'u', 'apiKey': ********}"),
        ("""app '{:password => "x"}'""", """app {:password => ********}"""),
        ("""sh -c 'app "{\\"pwd\\": \\"x y\\", \\"n\\": 1}"'""", """sh -c app "{\\"pwd\\": ********, \\"n\\": 1}\""""),
        ("app '<user>u</user><password>x</password>'", "app <user>u</user><password>********</password>"),
        ("app 'a=1&user[password]=x&b=2'", "app a=1&user[password]=********&b=2"),
        # headers
        ("curl -H 'Authorization: Bearer xyz' h", "curl -H Authorization: ******** h"),
        ("curl -H Authorization: Basic xyz h", "curl -H Authorization: ******** h"),
        ("curl '--header=X-Api-Key: x y' h", "curl --header=X-Api-Key: ******** h"),
        ("curl -H 'Cookie: a=b; c=d' h", "curl -H Cookie: ******** h"),
        ("""sh -c 'curl -H "Authorization: Basic xyz" h'""", """sh -c curl -H "Authorization: ********" h"""),
        ("sh -c 'curl -H Authorization:Token xyz'", "sh -c curl -H Authorization:********"),
        ("app bearer abc", "app bearer ********"),
        # text for a shell
        ("sh -c 'export FOO_TOKEN=x; run me'", "sh -c export FOO_TOKEN=********; run me"),
        ("sh -c 'run --token x --more y'", "sh -c run --token ******** --more y"),
        ("""sh -c "run --token='it'\\\\''s me' y" """, "sh -c run --token=******** y"),
        # no secrets
        ("docker run -v /run/secrets/token:/token img", "docker run -v /run/secrets/token:/token img"),
        ("app --bypass=1 compass=2 --key=f", "app --bypass=1 compass=2 --key=f"),
    ],
)  # fmt: skip
def test_more_forms_close_what_the_words_leak(command: str, after: str) -> None:
    assert scrubbed(command) == after


@pytest.mark.parametrize(
    ("command", "after"),
    [
        ("app postgres://u:x@h/db", "app postgres://u:********@h/db"),
        ("app --url=redis://:x@h:6379/0", "app --url=redis://:********@h:6379/0"),
        ("app amqp://u:p@x@h/v?a=b@c", "app amqp://u:********@h/v?a=b@c"),
        ("app http://u:p/x@h", "app http://u:********@h"),
        ("app http://u:1@a,http://v:2@b", "app http://u:********@a,http://v:********@b"),
        ("app mongodb+srv://u:x@h1,h2/db", "app mongodb+srv://u:********@h1,h2/db"),
        ("app http://h:80/a@b http://h/a:b@c", "app http://h:80/a@b http://h/a:b@c"),
        ("git clone https://ghp0123456789abcdefghij@h/r", "git clone https://********@h/r"),
        ("app jdbc:oracle:thin:scott/tiger@h:1521:x", "app jdbc:oracle:thin:scott/********@h:1521:x"),
    ],
)
def test_passwords_in_urls_are_hidden(command: str, after: str) -> None:
    assert scrubbed(command) == after
    assert scrubbed(command, Scrubber(url_passwords=False)) != after or command == after


@pytest.mark.parametrize(
    ("command", "after"),
    [
        ("mysql -uphil -phunter2 db", "mysql -uphil -p******** db"),
        ("mysql -Bphunter2 -P3306 -p db", "mysql -Bp******** -P3306 -p db"),
        ("sudo -u root /usr/bin/mysqldump -p'a b' db", "sudo -u root /usr/bin/mysqldump -p******** db"),
        ("sh -c \"mysql -p'a b' db; ps -pid\"", "sh -c mysql -p******** db; ps -pid"),
        ("docker exec db mariadb-admin -px ping", "docker exec db mariadb-admin -p******** ping"),
        ("redis-cli -h h -a x get k", "redis-cli -h h -a ******** get k"),
        ("redis-cli AUTH user x", "redis-cli AUTH user ********"),
        ("redis-cli AUTH x", "redis-cli AUTH ********"),
        ("mongo -u u -p x db", "mongo -u u -p ******** db"),
        ("sshpass -p x ssh -p 22 h", "sshpass -p ******** ssh -p 22 h"),
        ("sshpass -px ssh -p 22 h", "sshpass -p******** ssh -p 22 h"),
        ("ldapsearch -x -w x -b b", "ldapsearch -x -w ******** -b b"),
        ("sqlcmd -S h -U sa -P x", "sqlcmd -S h -U sa -P ********"),
        ("sqlplus -s scott/tiger@db @/tmp/a.sql", "sqlplus -s scott/********@db @/tmp/a.sql"),
        ("sqlplus / as sysdba", "sqlplus / as sysdba"),
        ("curl -su u:x http://h", "curl -su u:******** http://h"),
        ("curl --user=u:x --proxy-user u:y h", "curl --user=u:******** --proxy-user u:******** h"),
        ("smbclient -U u%x //h/s", "smbclient -U u%******** //h/s"),
        ("docker login -u u -p x h", "docker login -u u -p ******** h"),
        ("docker run -p 80:80 img", "docker run -p 80:80 img"),
        ("7z a -px a.7z f", "7z a -p******** a.7z f"),
        ("psql -p 5432 -h h", "psql -p 5432 -h h"),
        ("ssh -p 22 h", "ssh -p 22 h"),
    ],
)
def test_passwords_in_options_of_known_programs_are_hidden(command: str, after: str) -> None:
    assert scrubbed(command) == after


# Properties.

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
BITS = """--password -p = : \" ' \\ secret mysql http:// @ x / ; { token $ Authorization bearer &"""
bits = st.sampled_from((*BITS.split(" "), " "))
arguments = st.lists(st.one_of(texts, st.lists(bits, max_size=8).map("".join)), max_size=8)
secrets = st.text(string.ascii_letters + string.digits + "!#%+.?_~^", min_size=6, max_size=20).map(
    lambda text: "Zq" + text
)
spaced_secrets = st.lists(secrets, min_size=2, max_size=3).map(" ".join)
NAMES = "password DB_PASSWORD api_key api-key apiKey my.secret auth_token token PGPASS private-key"
names = st.sampled_from(NAMES.split(" "))


@given(arguments)
def test_scrubbing_twice_changes_nothing_more_than_once_hides(args: list[str]) -> None:
    once = SCRUBBER.scrub(args)

    assert SCRUBBER.scrub(once) == SCRUBBER.scrub(SCRUBBER.scrub(once))


@given(arguments)
def test_there_are_never_more_arguments_and_they_grow_by_a_mask_each_at_most(args: list[str]) -> None:
    hidden = SCRUBBER.scrub(args)

    assert len(hidden) <= len(args)
    assert len("".join(hidden)) <= len("".join(args)) + len(MASK) * sum(map(len, args))


@given(arguments)
@example(["a", "--password", '"a', 'b"', "c"])
@example(["a", "--password", "--secret", "x"])
def test_the_second_layer_shows_no_word_that_the_first_hides(args: list[str]) -> None:
    marked = [f"{argument}§{number}§" for number, argument in enumerate(args)]

    first = " ".join(AS_DATADOG.scrub(marked))
    both = " ".join(SCRUBBER.scrub(marked))

    for number in range(len(args)):
        if f"§{number}§" not in first:
            assert f"§{number}§" not in both


@given(arguments)
def test_a_line_without_names_of_secrets_stays_as_it_is(args: list[str]) -> None:
    plain = [a for a in args if a.isalnum() and a.isascii()]
    if not any(cue in " ".join(plain).lower() for cue in ("pass", "secret", "token", "bearer", "mysql", "p")):
        assert SCRUBBER.scrub(plain) == tuple(plain)


@given(names, st.one_of(secrets, spaced_secrets), st.sampled_from(["before", "password", "-v"]))
def test_a_secret_in_arguments_of_its_own_never_survives(name: str, secret: str, before: str) -> None:
    forms = [
        ["app", before, f"--{name}={secret}", "after"],
        ["app", before, f"--{name}", secret, "after"],
        ["app", before, f"{name}={secret}", "after"],
        [f"{name}={secret}", "after"],
        ["app", before, f"--set={name}={secret}", "after"],
        ["app", before, "-H", f"{name}: {secret}"],
        ["app", before, f'{{"a": 1, "{name}": "{secret}", "b": 2}}'],
        ["app", before, f'{{"a":1,"{name}":"{secret}","b":2}}'],
        ["sh", "-c", f"run me; {name}='{secret}' app"],
        ["sh", "-c", f'run --{name} "{secret}" app'],
        ["sh", "-c", f'curl -H "{name}: {secret}" app'],
    ]
    for form in forms:
        line = " ".join(SCRUBBER.scrub(form))
        for part in secret.split(" "):
            assert part not in line, form


@given(names, secrets)
def test_a_secret_without_blanks_never_survives_within_other_text(name: str, secret: str) -> None:
    forms = [
        ["app", f"http://h/?a=1&{name}={secret}&b=2"],
        ["app", f"Server=h;{name}={secret};a=b"],
        ["app", f"postgres://u:{secret}@h/db"],
        ["mysql", f"-p{secret}"],
        ["sh", "-c", f"env {name}={secret} app --{name} {secret}"],
        ["curl", "-u", f"u:{secret}"],
        ["app", "-H", f"Authorization: Bearer {secret}"],
    ]
    for form in forms:
        if name in ("token", "PGPASS", "private-key") and "env" in form[-1]:
            continue
        assert secret not in " ".join(SCRUBBER.scrub(form)), form
        assert secret not in SCRUBBER.scrub_line(" ".join(form)), form


PIECES = r"""--password --password= password=" password=' \"password\":\" a - password ://a: ://a:b@c
<a> mysql_-p ' " \ bearer_ token: --token_ = : { / _ --password_"""


@pytest.mark.parametrize("piece", [piece.replace("_", " ") for piece in PIECES.split()])
def test_the_time_grows_with_the_length_only(piece: str) -> None:
    def seconds(size: int) -> float:
        text = piece * (size // len(piece))
        start = time.process_time()
        SCRUBBER.scrub(["password", text])
        SCRUBBER.scrub(["sh", "-c", "mysql token " + text])
        SCRUBBER.scrub_line("mysql " + text)
        return time.process_time() - start

    seconds(1000)
    assert seconds(200_000) < 4  # what is quadratic takes minutes


def test_a_word_keeps_its_text() -> None:
    assert SensitiveWord.parse("*a_b*").text == "*a_b*"
