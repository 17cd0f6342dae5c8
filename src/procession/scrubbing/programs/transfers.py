"""Clients of HTTP, FTP and the like, of version control, back-ups and downloads."""

from __future__ import annotations

from procession.scrubbing.programs.client import Client

TRANSFERS = (
    Client(
        names="curl tiny-curl",
        manual="curl(1)",
        takes=(
            "-u USER:SECRET",
            "-U USER:SECRET",
            "--user USER:SECRET",
            "--proxy-user USER:SECRET",
            "-E CERTIFICATE:SECRET",
            "--cert CERTIFICATE:SECRET",
            "--proxy-cert CERTIFICATE:SECRET",
            "--pass SECRET",
            "--proxy-pass SECRET",
            "--oauth2-bearer SECRET",
            "--tlspassword SECRET",
            "--proxy-tlspassword SECRET",
            "-b NAME=SECRET",
            "--cookie NAME=SECRET",
        ),
        flags="#0123469afgGiIjJkKlLMnNOpqRsSvVZ",
    ),
    # -u is no option of wget; a user and a password behind it are what somebody takes it for.
    Client(
        names="wget wget2",
        manual="wget(1), wget2(1)",
        takes=(
            "--user USER:SECRET",
            "-u USER:SECRET",
            "--http-passwd SECRET",
            "--http-password SECRET",
            "--ftp-password SECRET",
            "--proxy-password SECRET",
        ),
    ),
    Client(
        names="http https xh xhs httpie",
        manual="http(1), xh(1)",
        takes=("-a USER:SECRET", "--auth USER:SECRET", "bearer -a SECRET", "bearer --auth SECRET"),
    ),
    Client(names="ab", manual="ab(1)", takes=("-A USER:SECRET", "-P USER:SECRET", "-C NAME=SECRET")),
    Client(names="lwp-request lwp-download lwp-mirror", manual="lwp-request(1p)", takes=("-C USER:SECRET",)),
    Client(names="lynx", manual="lynx(1)", takes=("-auth USER:SECRET", "-pauth USER:SECRET")),
    Client(names="siege hey bombardier", manual="hey: README", takes=("-a USER:SECRET",)),
    Client(names="httping", manual="httping(1)", takes=("-P SECRET",)),
    Client(
        names="aria2c",
        manual="aria2c(1)",
        takes=("--http-passwd SECRET", "--ftp-passwd SECRET", "--all-proxy-passwd SECRET", "--rpc-secret SECRET"),
    ),
    Client(
        names="yt-dlp youtube-dl",
        manual="yt-dlp(1), youtube-dl(1)",
        takes=("-p SECRET", "-2 SECRET", "--twofactor SECRET", "--video-password SECRET", "--ap-password SECRET"),
    ),
    Client(names="gallery-dl get_iplayer streamlink", manual="gallery-dl(1)", takes=("-p SECRET", "--password SECRET")),
    Client(names="lftp", manual="lftp(1)", takes=("-u USER,SECRET", "open -u USER,SECRET")),
    Client(
        names="ncftp ncftp3 ncftpget ncftpput ncftpls ncftpbatch",
        manual="ncftpget(1), ncftpput(1), ncftpls(1)",
        takes=("-p SECRET",),
    ),
    Client(names="uberftp globus-url-copy", manual="uberftp(1)", takes=("-pass SECRET",)),
    Client(
        names="davix-get davix-put davix-ls davix-mkdir davix-mv davix-rm davix-http davix-cp davix-unlink",
        manual="davix-get(1), davix-put(1)",
        takes=("--userpass SECRET", "--s3secretkey SECRET", "--s3token SECRET"),
    ),
    Client(names="s3cmd", manual="s3cmd(1)", takes=("--secret_key SECRET", "--access_token SECRET")),
    Client(
        names="svn svnadmin svnsync svnrdump svnmucc svnversion",
        manual="svn(1), svnsync(1)",
        takes=("--password SECRET", "--source-password SECRET", "--sync-password SECRET"),
    ),
    Client(names="cvs", manual="cvs(1)", takes=("-d :pserver:USER:SECRET@HOST",)),
    Client(names="p4", manual="Perforce: Global options", takes=("-P SECRET",)),
    Client(names="tf", manual="Team Foundation: tf", takes=("-login:USER,SECRET", "/login:USER,SECRET")),
    Client(
        names="transmission-remote", manual="transmission-remote(1)", takes=("-n USER:SECRET", "--auth USER:SECRET")
    ),
    Client(names="transmission-daemon", manual="transmission-daemon(1)", takes=("-v SECRET", "--password SECRET")),
    Client(names="deluge-console", manual="deluge-console(1)", takes=("-P SECRET", "--password SECRET")),
    Client(names="amulecmd amuleweb", manual="amulecmd(1)", takes=("-P SECRET", "-A SECRET", "--password SECRET")),
    Client(names="suck testhost rpost lmove", manual="suck(1), testhost(1)", takes=("-P SECRET",)),
    Client(names="get-news", manual="get-news(8)", takes=("-password SECRET",)),
    Client(names="duplicity duply", manual="duplicity(1)", takes=("--ftp-password SECRET",)),
    Client(
        names="rclone",
        manual="rclone(1)",
        takes=(
            "--rc-pass SECRET",
            "--sftp-pass SECRET",
            "--ftp-pass SECRET",
            "--webdav-pass SECRET",
            "--pass SECRET",
            "obscure SECRET",
            "pass SECRET",
            "--s3-secret-access-key SECRET",
        ),
    ),
    Client(
        names="whatweb", manual="whatweb(1)", takes=("-u=USER:SECRET", "--user USER:SECRET", "--proxy-user USER:SECRET")
    ),
    Client(names="wscat websocat", manual="wscat: README", takes=("--auth USER:SECRET", "--basic-auth USER:SECRET")),
    Client(names="cadaver sitecopy", manual="cadaver(1)", takes=("--password SECRET",)),
    Client(
        names="mc",
        manual="MinIO: mc alias set",
        takes=("alias set NAME URL KEY SECRET", "config host add NAME URL KEY SECRET", "user add ALIAS NAME SECRET"),
    ),
    Client(names="tlf", manual="tlf(1)", takes=("-s USER:SECRET",)),
    Client(names="httrack", manual="httrack(1)", takes=("-P USER:SECRET@PROXY",)),
    Client(names="ttyd gotty", manual="ttyd(1)", takes=("-c USER:SECRET", "--credential USER:SECRET")),
    Client(
        names="megaput megaget megadf megals megacopy megamkdir megarm megareg megastream megatools",
        manual="megatools(1), megaput(1)",
        takes=("-p SECRET",),
    ),
    Client(
        names="plowdown plowup plowlist plowdel plowprobe",
        manual="plowdown(1)",
        takes=("-a USER:SECRET", "-b USER:SECRET"),
    ),
    Client(names="rtmpdump", manual="rtmpdump(1)", takes=("-T SECRET", "--token SECRET")),
)
