from __future__ import annotations

import pytest

from procession.command_line.run_program import run_program


@pytest.mark.parametrize(
    ("line", "given"),
    [
        ("java -Xmx2g -cp /a.jar:/b.jar -jar /srv/shop.jar --port 1", "/srv/shop.jar"),
        ("java -cp /a.jar org.apache.kafka.Kafka server.properties", "org.apache.kafka.Kafka"),
        ("java --module-path mods -m shop/shop.Main", "shop/shop.Main"),
        ("java -version", ""),
        ("python3.11 -u -W ignore /srv/manage.py runserver", "/srv/manage.py"),
        ("python3 -m http.server 80", "http.server"),
        ("python3 -c pass", "pass"),
        ("python3", ""),
        ("node --require ./trace.js server.js", "server.js"),
        ("bash -lc ./backup", "./backup"),
        ("bash -o pipefail -- -odd", "-odd"),
        ("sh /etc/init.d/shop start", "/etc/init.d/shop"),
        ("perl -I lib worker.pl", "worker.pl"),
        ("php8.2 -d a=1 artisan queue:work", "artisan"),
        ("nginx -c /etc/nginx.conf", ""),
        ("", ""),
    ],
)
def test_an_interpreter_goes_by_what_it_was_given(line: str, given: str) -> None:
    command = line.partition(" ")[0]

    assert run_program(command, line.split(" ")) == (command, given)


def test_a_value_that_was_left_out_and_endless_arguments_are_no_fault() -> None:
    assert run_program("java", ["java", "-cp"]) == ("java", "")
    assert run_program("java", ["java", *["-x"] * 100_000, "Main"]) == ("java", "")
    assert len(run_program("sh", ["sh", "-c", "x" * 100_000])[1]) == 4096
