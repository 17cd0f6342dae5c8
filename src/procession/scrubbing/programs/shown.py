"""Options that are called as secrets are, and whose value is none: the name of a stored secret, a file.

Written as in `client`, with SECRET for what is shown.
"""

from __future__ import annotations

from procession.scrubbing.programs.client import Client

_TABLE = (
    Client(
        names="docker podman buildah",
        manual="docker-service-create(1), podman-run(1)",
        takes=("--secret SECRET", "--secret-add SECRET", "--secret-rm SECRET"),
    ),
    Client(names="gcloud aws az", manual="gcloud: secrets", takes=("--secret SECRET", "--secret-id SECRET")),
    Client(names="openvpn", manual="openvpn(8)", takes=("--secret SECRET", "--genkey secret SECRET", "--auth SECRET")),
    Client(
        names="xtigervncviewer vncviewer xtightvncviewer vncsnapshot ssvncviewer tigervncviewer",
        manual="xtigervncviewer(1), xtightvncviewer(1), vncsnapshot(1)",
        takes=("-passwd SECRET",),
    ),
    Client(names="x11vnc xorg xwayland xvfb xnest", manual="x11vnc(1), Xserver(1)", takes=("-auth SECRET",)),
    # The secret in it is in the other table.
    Client(
        names="virt-customize virt-builder virt-sysprep",
        manual="virt-customize(1), virt-builder(1)",
        takes=("--password SECRET", "--root-password SECRET"),
    ),
    Client(names="kdialog", manual="kdialog(1)", takes=("--password SECRET",)),
    Client(names="code-server fetchmail", manual="fetchmail(1)", takes=("--auth SECRET",)),
    # Of these the password is behind = only.
    Client(
        names="mysql mysqldump mariadb mariadb-dump mysqladmin",
        manual="mysql(1), mariadb(1)",
        takes=("--password, SECRET",),
    ),
    Client(
        names="keytool jarsigner",
        manual="keytool(1)",
        takes=("-storepass:file SECRET", "-keypass:file SECRET", "-storepass:env SECRET", "-keypass:env SECRET"),
    ),
    Client(names="jenkins-cli", manual="Jenkins: CLI", takes=("-auth @SECRET",)),
    Client(names="qemu-system-x86_64 kvm qemu-img", manual="qemu-system(1)", takes=("-object SECRET",)),
    Client(names="aureport ausearch", manual="aureport(8)", takes=("--auth SECRET",)),
)

SHOWN: dict[str, Client] = {name: client for client in _TABLE for name in client.names.split()}
