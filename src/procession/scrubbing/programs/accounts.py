"""Directories, Kerberos, Samba, and programs that set the password of an account."""

from __future__ import annotations

from procession.scrubbing.programs.client import Client

ACCOUNTS = (
    Client(
        names="ldapadd ldapcompare ldapdelete ldapexop ldapmodify ldapmodrdn ldapsearch ldapurl ldapwhoami ldapvc",
        manual="ldapsearch(1), ldapmodify(1), ldapwhoami(1)",
        takes=("-w SECRET",),
        flags="xvnuALcCMRZIQNFtz",
    ),
    Client(
        names="ldappasswd",
        manual="ldappasswd(1)",
        takes=("-w SECRET", "-a SECRET", "-s SECRET"),
        flags="xvnCMZIQN",
    ),
    Client(names="ldapvi", manual="ldapvi(1)", takes=("-w SECRET",)),
    Client(names="slappasswd", manual="slappasswd(8)", takes=("-s SECRET",)),
    Client(names="pwdhash", manual="pwdhash(1)", takes=("SECRET", "-c SECRET")),
    Client(
        names="""dsconf dsidm dsctl dscreate ds-replcheck ldclt openldap_to_ds""",
        manual="dsconf(8), ds-replcheck(1), openldap_to_ds(8)",
        takes=("-w SECRET",),
    ),
    Client(names="cpu cpu-ldap", manual="cpu-ldap(8)", takes=("-w[SECRET]", "-p[SECRET]")),
    Client(names="ckpasswd", manual="ckpasswd(8)", takes=("-p SECRET",)),
    Client(
        names="kadmin kadmin.local",
        manual="kadmin(1)",
        takes=("-w SECRET", "-pw SECRET", "-x bindpwd=SECRET"),
    ),
    Client(names="kdb5_util kdb5_ldap_util", manual="kdb5_util(8)", takes=("-P SECRET", "-w SECRET")),
    Client(
        names="ipa-getkeytab ipa-join ipa-client-install ipa-server-install ipa-replica-install",
        manual="ipa-getkeytab(1), ipa-join(1), ipa-client-install(1)",
        takes=("-w SECRET", "-p SECRET", "-a SECRET"),
    ),
    Client(
        names="""smbclient smbcacls smbcquotas smbtree smbget rpcclient net mdsearch samba-tool samba-regedit sharesec
        smbspool wbinfo ntlm_auth smbtorture gentest masktest locktest""",
        manual="smbclient(1), smbget(1), rpcclient(1), net(8), wbinfo(1), samba-tool(8)",
        takes=(
            "-U USER%SECRET",
            "--user USER%SECRET",
            "-a USER%SECRET",
            "--authenticate USER%SECRET",
            "-K USER%SECRET",
            "--krb5auth USER%SECRET",
            "--pam-logon USER%SECRET",
            "--set-auth-user USER%SECRET",
            "--ccache-save USER%SECRET",
            "--newpassword SECRET",
            "--adminpass SECRET",
            "//* SECRET",
            "\\\\* SECRET",
            "user create NAME SECRET",
            "user add NAME SECRET",
            "user !add|create|info|delete|rename|list|edit SECRET",
            "use \\\\* SECRET",
            "password SECRET",
            "setpassword NAME SECRET",
        ),
    ),
    Client(names="smbtar smbmap", manual="smbtar(1), smbmap(1)", takes=("-p SECRET",)),
    Client(names="smbpasswd", manual="smbpasswd(8)", takes=("-w SECRET", "-U USER%SECRET")),
    Client(
        names="mount mount.cifs mount.smb3",
        manual="mount.cifs(8)",
        takes=("-o user=USER%SECRET", "-o username=USER%SECRET"),
    ),
    Client(names="smbldap-useradd smbldap-usermod", manual="smbldap-useradd(8)", takes=("--password SECRET",)),
    Client(
        names="useradd usermod groupadd groupmod",
        manual="useradd(8), usermod(8), groupadd(8), groupmod(8)",
        takes=("-p SECRET",),
    ),
    Client(names="htpasswd htdbm", manual="htpasswd(1), htdbm(1)", takes=("-*b* ... SECRET",)),
    Client(names="mosquitto_passwd", manual="mosquitto_passwd(1)", takes=("-*b* ... SECRET",)),
    Client(
        names="mosquitto_ctrl",
        manual="mosquitto_ctrl(1)",
        takes=("-P SECRET", "--pw SECRET", "--psk SECRET", "createClient -p SECRET", "setClientPassword NAME SECRET"),
    ),
    Client(names="mkpasswd", manual="mkpasswd(1)", takes=("SECRET",)),
    Client(
        names="doveadm",
        manual="doveadm-pw(1), doveadm-mailbox-cryptokey(1)",
        takes=(
            "pw -p SECRET",
            "password -n SECRET",
            "password -o SECRET",
            "auth test USER SECRET",
            "auth login USER SECRET",
        ),
    ),
    Client(
        names="rabbitmqctl",
        manual="rabbitmqctl(8)",
        takes=(
            "add_user NAME SECRET",
            "change_password NAME SECRET",
            "authenticate_user NAME SECRET",
            "hash_password SECRET",
        ),
    ),
    Client(names="rabbitmqadmin", manual="rabbitmqadmin(1)", takes=("-p SECRET",)),
    Client(
        names="ejabberdctl",
        manual="ejabberdctl(8)",
        takes=(
            "register USER HOST SECRET",
            "change_password USER HOST SECRET",
            "check_password USER HOST SECRET",
            "--auth USER HOST SECRET",
        ),
    ),
    Client(names="prosodyctl", manual="prosodyctl(8)", takes=("register USER HOST SECRET",)),
    Client(names="asterisk rasterisk", manual="asterisk(8)", takes=("secret SECRET",)),
    Client(
        names="murmurd mumble-server murmur-user-wrapper",
        manual="murmurd(1), murmur-user-wrapper(1)",
        takes=("-supw SECRET", "-p SECRET"),
    ),
    Client(names="quasselcore", manual="quasselcore(1)", takes=("--add-user-password SECRET",)),
    Client(names="iscsiadm", manual="iscsiadm(8)", takes=("node.session.auth.password -v SECRET",)),
    Client(names="sss_obfuscate sss_seed", manual="sss_obfuscate(8)", takes=("--password SECRET",)),
    Client(names="occ wp drush", manual="WP-CLI: wp user create", takes=("--user_pass SECRET",)),
)
