"""TLS by flags, with certificates of an authority made here and clients that check them."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import trustme

from tests.support.running import PROCESSION, Running, clean_environment, eventually, running

COLLECTOR = "/api/v1/collector"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def put(certificate: trustme.LeafCert, folder: Path, name: str) -> Path:
    """The certificate and its key in one file."""
    path = folder / f"{name}.pem"
    new = folder / f"{name}.new"
    certificate.private_key_and_cert_chain_pem.write_to_path(str(new))
    new.replace(path)
    return path


@pytest.fixture
def folder(tmp_path: Path, authority: trustme.CA) -> Path:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    put(authority.issue_cert("localhost"), tmp_path, "server")
    return tmp_path


@contextmanager
def serving(folder: Path, *arguments: str, command: str = "serve") -> Iterator[tuple[Running, str]]:
    options = ("--listen", "127.0.0.1:0", "--data-dir", str(folder / "data"), "--tls-cert", str(folder / "server.pem"))
    with running(command, *options, *arguments, environment=clean_environment()) as server:
        line = server.line_with("https://")
        yield server, line.split()[-1].replace("127.0.0.1", "localhost")


def serial_of(url: str, folder: Path) -> str:
    context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    with httpx.Client(verify=context) as client, client.stream("GET", f"{url}/healthz") as answer:
        certificate = answer.extensions["network_stream"].get_extra_info("ssl_object").getpeercert()
    return str(certificate["serialNumber"])


def test_a_server_speaks_tls_and_changes_its_certificate_without_a_pause(folder: Path, authority: trustme.CA) -> None:
    with serving(folder) as (server, url):
        first = serial_of(url, folder)
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{url}/healthz")
        with pytest.raises(httpx.HTTPError):
            httpx.get(f"{url}/healthz".replace("https", "http"))

        (folder / "server.pem").write_text("half of a certif")
        server.line_with("keeping the certificate that is in use")
        assert serial_of(url, folder) == first

        put(authority.issue_cert("localhost"), folder, "server")
        server.line_with("took the new certificate")
        assert serial_of(url, folder) != first

        # The commands of this machine go by a listener of their own.
        status = subprocess.run(
            [*PROCESSION, "status", "--data-dir", str(folder / "data")],
            env=clean_environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert "its store answers" in status.stdout
        assert "http://127.0.0.1:" in status.stdout


def test_an_agent_shows_its_certificate_and_whoever_has_none_may_not_post(folder: Path, authority: trustme.CA) -> None:
    with serving(folder, "--tls-client-ca", str(folder / "ca.pem")) as (_, url):
        api_key_file, application_key_file = (
            folder / "data" / "keys" / f"{kind}-key" for kind in ("api", "application")
        )
        api_key = {"dd-api-key": api_key_file.read_text().strip()}
        trusting = ssl.create_default_context(cafile=str(folder / "ca.pem"))
        agent = put(authority.issue_cert("agent.example.org"), folder, "agent")
        stranger = put(trustme.CA().issue_cert("agent.example.org"), folder, "stranger")

        refused = httpx.post(url + COLLECTOR, headers=api_key, verify=trusting)
        assert refused.status_code == 403
        assert "certificate" in refused.json()["errors"][0]
        trusting.load_cert_chain(stranger)
        with pytest.raises(httpx.HTTPError):
            httpx.post(url + COLLECTOR, headers=api_key, verify=trusting)

        options = ("--url", url, "--api-key-file", str(api_key_file), "--tls-ca", str(folder / "ca.pem"))
        environment = clean_environment()
        with running("agent", *options, environment=environment) as without:
            without.line_with("certificate")
        with running("agent", *options, "--tls-client-cert", str(agent), environment=environment) as with_one:
            with_one.line_with("sending the processes of")

        reading = ssl.create_default_context(cafile=str(folder / "ca.pem"))
        bearer = {"authorization": f"Bearer {application_key_file.read_text().strip()}"}
        found = eventually(
            lambda: httpx.get(f"{url}/api/v2/processes", headers=bearer, verify=reading).json()["data"],
            what="a process of the agent",
        )
        assert found


def test_an_agent_does_not_talk_to_a_server_that_it_cannot_trust(folder: Path) -> None:
    with serving(folder) as (_, url):
        api_key_file = folder / "data" / "keys" / "api-key"
        other = folder / "other.pem"
        trustme.CA().cert_pem.write_to_path(str(other))
        options = ("--url", url, "--api-key-file", str(api_key_file), "--tls-ca", str(other))

        with running("agent", *options, environment=clean_environment()) as agent:
            agent.line_with("certificate")


def test_up_with_tls_feeds_itself(folder: Path) -> None:
    with serving(folder, "--interval-seconds", "1", "--tls-client-ca", str(folder / "ca.pem"), command="up") as (up, _):
        up.line_with("The first processes have arrived.")


@pytest.mark.parametrize(
    ("content", "arguments", "complaint"),
    [
        ("nothing", (), "cannot use the certificate in"),
        (None, ("--tls-key", "/nowhere"), "no such file"),
        (None, ("--tls-client-ca", "/nowhere"), "cannot use the certificates in /nowhere: no such file"),
    ],
)
def test_files_of_no_use_are_one_line(
    folder: Path, content: str | None, arguments: tuple[str, ...], complaint: str
) -> None:
    if content is not None:
        (folder / "server.pem").write_text(content)

    with running(
        "serve", "--listen", "127.0.0.1:0", "--data-dir", str(folder / "data"), "--tls-cert",
        str(folder / "server.pem"), *arguments, environment=clean_environment(),
    ) as server:  # fmt: skip
        assert server.wait() == 1

    (line,) = server.output
    assert complaint in line


@pytest.mark.parametrize(
    ("listen", "arguments", "is_warned"),
    [
        ("0.0.0.0:0", (), True),
        ("0.0.0.0:0", ("--behind-proxy",), False),
        ("0.0.0.0:0", ("--tls-cert", "server.pem"), False),
        ("127.0.0.1:0", (), False),
    ],
)
def test_listening_to_others_in_the_clear_is_warned_of(
    folder: Path, listen: str, arguments: tuple[str, ...], is_warned: bool
) -> None:
    arguments = tuple(str(folder / word) if word.endswith(".pem") else word for word in arguments)
    options = ("--listen", listen, "--data-dir", str(folder / "data"))
    with running("serve", *options, *arguments, environment=clean_environment()) as server:
        server.line_with("Procession listens at")
        server.stop()

    assert any(line.startswith("WARNING") for line in server.output) is is_warned
