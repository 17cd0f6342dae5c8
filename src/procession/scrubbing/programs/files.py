"""Archives, documents, and what encrypts files or disks."""

from __future__ import annotations

from procession.scrubbing.programs.client import Client

FILES = (
    Client(names="7z 7za 7zr 7zz p7zip", manual="7z(1), 7za(1), 7zr(1), 7zz(1)", takes=("-p[SECRET]",)),
    Client(
        names="rar unrar unrar-nonfree",
        manual="rar(1), unrar(1), unrar-free(1)",
        takes=("-p[SECRET]", "-hp[SECRET]", "--password SECRET"),
    ),
    Client(
        names="zip unzip funzip zipcloak zipinfo zipnote",
        manual="zip(1), unzip(1)",
        takes=("-P SECRET", "--password SECRET"),
        flags="rqvjuofmyTX9012345678lanpL",
    ),
    Client(names="arj", manual="arj(1)", takes=("-g[SECRET]",)),
    Client(names="unace", manual="unace(1)", takes=("-p[SECRET]",)),
    Client(names="unar lsar", manual="unar(1), lsar(1)", takes=("-p SECRET", "-password SECRET")),
    Client(names="dar", manual="dar(1)", takes=("-K SECRET", "-J ALGORITHM:SECRET", "-$ ALGORITHM:SECRET")),
    Client(names="pdftk pdftk-java", manual="pdftk(1)", takes=("input_pw SECRET", "user_pw SECRET", "owner_pw SECRET")),
    Client(
        names="qpdf",
        manual="qpdf(1)",
        takes=(
            "--encrypt SECRET",
            "--encrypt USER SECRET",
            "--password SECRET",
            "--user-password SECRET",
            "--owner-password SECRET",
        ),
    ),
    Client(
        names="pdftotext pdftoppm pdftocairo pdftohtml pdftops pdfimages pdfinfo pdffonts pdfdetach pdfseparate xpdf",
        manual="pdftotext(1), pdfinfo(1), pdfimages(1), pdftoppm(1), xpdf(1)",
        takes=("-upw SECRET", "-opw SECRET"),
    ),
    Client(names="pdfsig", manual="pdfsig(1)", takes=("-nss-pwd SECRET", "-kpw SECRET")),
    Client(
        names="mupdf mupdf-gl mupdf-x11 mutool mudraw zathura",
        manual="mupdf(1), mutool(1), zathura(1)",
        takes=("-p SECRET",),
    ),
    Client(names="evince okular", manual="okular(1)", takes=("--password SECRET",)),
    Client(names="pdfcrack", manual="pdfcrack(1)", takes=("-p SECRET", "--password SECRET")),
    Client(
        names="gs ghostscript",
        manual="gs(1)",
        takes=("-sPDFPassword SECRET", "-sOwnerPassword SECRET", "-sUserPassword SECRET"),
    ),
    Client(names="podofoencrypt", manual="podofoencrypt(1)", takes=("-u SECRET", "-o SECRET")),
    Client(names="steghide", manual="steghide(1)", takes=("-p SECRET", "--passphrase SECRET")),
    Client(names="outguess outguess-extract outseek", manual="outguess(1)", takes=("-k SECRET", "-K SECRET")),
    Client(
        names="ccrypt ccencrypt ccdecrypt ccat ccguess",
        manual="ccrypt(1)",
        takes=("-K SECRET", "--key SECRET", "-H SECRET", "--key2 SECRET"),
    ),
    Client(names="mcrypt mdecrypt", manual="mcrypt(1)", takes=("-k SECRET", "--key SECRET")),
    Client(names="aescrypt", manual="aescrypt(1)", takes=("-p SECRET",)),
    Client(
        names="ecryptfs-setup-private",
        manual="ecryptfs-setup-private(1)",
        takes=("-l SECRET", "-m SECRET", "--loginpass SECRET", "--mountpass SECRET"),
    ),
    Client(
        names="""ecryptfs-unwrap-passphrase ecryptfs-rewrap-passphrase ecryptfs-wrap-passphrase
        ecryptfs-insert-wrapped-passphrase-into-keyring""",
        manual="ecryptfs-wrap-passphrase(1), ecryptfs-unwrap-passphrase(1)",
        takes=("FILE SECRET", "FILE OLD SECRET"),
    ),
    Client(
        names="tomb", manual="tomb(1)", takes=("--tomb-pwd SECRET", "--tomb-old-pwd SECRET", "--sphx-password SECRET")
    ),
    Client(
        names="veracrypt truecrypt tcplay",
        manual="VeraCrypt: Command Line Usage",
        takes=("-p SECRET", "--new-password SECRET", "/p SECRET"),
    ),
    Client(names="fcrackzip", manual="fcrackzip(1)", takes=("-p SECRET", "--init-password SECRET")),
    Client(names="tarsnap", manual="tarsnap(1)", takes=("--passphrase SECRET",)),
    Client(names="pdfcpu", manual="pdfcpu: encrypt", takes=("-upw SECRET", "-opw SECRET")),
    Client(names="msoffice-crypt", manual="msoffice-crypt: README", takes=("-p, SECRET",)),
    Client(names="unrar-free", manual="unrar-free(1)", takes=("-p SECRET", "--password SECRET")),
)
