"""Remote desktops and screens."""

from __future__ import annotations

from procession.scrubbing.programs.client import Client

DESKTOPS = (
    Client(names="rdesktop", manual="rdesktop(1)", takes=("-p SECRET",), flags="45abefmxzAECDKNPSTv"),
    Client(
        names="xfreerdp xfreerdp3 wlfreerdp wlfreerdp3 sdl-freerdp sdl-freerdp3 wfreerdp freerdp freerdp-shadow-cli",
        manual="xfreerdp(1)",
        takes=(
            "/p:SECRET",
            "/gp:SECRET",
            "/pth:SECRET",
            "/pass-the-hash:SECRET",
            "/gat:SECRET",
            "/assistance:SECRET",
            "/gateway:*,p:SECRET",
            "/shell-password:SECRET",
            "-p SECRET",
            "--password SECRET",
        ),
    ),
    Client(names="remmina", manual="remmina(1)", takes=("--set-option password=SECRET",)),
    Client(names="x11vnc", manual="x11vnc(1)", takes=("-passwd SECRET", "-viewpasswd SECRET", "-storepasswd SECRET")),
    Client(names="vncdo vncdotool vnccapture", manual="vncdo(1)", takes=("-p SECRET", "--password SECRET")),
    # There -passwd names a file.
    Client(
        names="xvnc xtigervnc x0vncserver x0tigervncserver tigervncserver vncserver xtightvnc wayvnc",
        manual="Xtigervnc(1), tigervncserver(1)",
        takes=("-Password SECRET",),
    ),
    Client(names="spicy remote-viewer virt-viewer", manual="spicy(1)", takes=("-w SECRET", "--password SECRET")),
    Client(names="gtkvncviewer krdc vinagre", manual="gtkvncviewer(1)", takes=("--password SECRET",)),
    Client(
        names="anydesk teamviewer rustdesk",
        manual="RustDesk: command line",
        takes=("--password SECRET", "passwd SECRET"),
    ),
    Client(names="xpra", manual="xpra(1)", takes=("--password SECRET",)),
    Client(
        names="spicy-screenshot spicy-stats", manual="spicy-screenshot(1)", takes=("-w SECRET", "--password SECRET")
    ),
    Client(names="xrdp-sesrun xrdp-sesadmin", manual="xrdp-sesrun(8), xrdp-sesadmin(8)", takes=("-p SECRET",)),
)
