from __future__ import annotations

import pytest

from procession.scrubbing import Scrubber, sensitive_words

SCRUBBER = Scrubber()


@pytest.mark.parametrize(
    "argument",
    [
        "--db-pw=X", "-Ddb.pw=X", "--dbPw=X", "DB_PW=X", "--bindpw=X", "--psk=X", "--passw=X", "--api-key=X",
        "--auth=X", "--basic-auth=u:X", "--http-auth=X", "-Dsonar.token=X", "--otp=X", "PWD=X", "pwd=X", "--pw:X",
        "/pw:X", "/password:X", "--wifi-psk=X", "--preshared-key=X", "Ocp-Apim-Subscription-Key: X",
        "Private-Token: X", "https://h/?a=1&sig=X", '{"pw": "X"}', "Server=h;UID=sa;PWD=X;Database=d", "--creds=u:X",
    ],
)  # fmt: skip
def test_names_of_secrets_in_any_spelling(argument: str) -> None:
    secret = "k9Qz-Wv7"  # noqa: S105

    assert secret not in " ".join(SCRUBBER.scrub(["app", argument.replace("X", secret)]))


@pytest.mark.parametrize("name", ["--basic-auth", "-auth", "--auth", "--pw", "-pw", "--db-pw", "--userpass", "--jwt"])
def test_names_of_secrets_before_a_value_of_its_own(name: str) -> None:
    assert SCRUBBER.scrub(["app", name, "k9Qz-Wv7", "end"]) == ("app", name, "********", "end")


def test_the_user_before_a_secret_is_shown() -> None:
    assert SCRUBBER.scrub(["app", "--basic-auth", "u:k9"]) == ("app", "--basic-auth", "u:********")


@pytest.mark.parametrize(
    "command",
    [
        "app --password-file /run/p --api-key-file=/run/k --api_key_file f",
        "app --token-ttl 30 --max-token-length 9 --token-type jwt --max-token 9",
        "app --auth-type basic --auth=none --no-auth --auth ldap --auth digest",
        "app --secret-name db --secretName=db --credentials-path=/x",
        "app --pad-token 5 --pass 1 -pass 2 --token=true --auth false",
        "Xorg :0 -seat seat0 -auth /var/run/lightdm/root/:0 -nolisten tcp",
        "ansible-playbook --ask-pass site.yml --ask-become-pass",
        "pg_dump --no-password -h db",
        "sox a b lowpass 300 --highpass=200 --lowpass 16",
        "env PWD=/srv OLDPWD=/x app",
        "app --token=${API_TOKEN} --auth $AUTH",
        "app --cookie /var/lib/app/cookie.txt --private-key /etc/ssl/key.pem",
    ],
)
def test_what_is_about_a_secret_or_looks_like_none_is_shown(command: str) -> None:
    assert " ".join(SCRUBBER.scrub(command.split(" "))) == command


def test_a_custom_word_hides_what_would_be_pardoned() -> None:
    words, _ = sensitive_words(["*password_file*"])

    assert Scrubber(custom_words=words).scrub(["app", "--password_file", "/x"]) == (
        "app",
        "--password_file",
        "********",
    )
