"""Programs that try passwords, and those that use what was found."""

from __future__ import annotations

from procession.scrubbing.programs.client import Client

ATTACKS = (
    Client(names="hydra xhydra", manual="hydra(1)", takes=("-p SECRET",)),
    Client(names="medusa", manual="medusa(1)", takes=("-p SECRET",)),
    Client(names="ncrack", manual="ncrack(1)", takes=("--pass SECRET",)),
    Client(names="patator", manual="patator(1)", takes=("password=SECRET",)),
    Client(
        names="crackmapexec cme netexec nxc",
        manual="CrackMapExec: Using credentials",
        takes=("-p SECRET", "-H SECRET", "--password SECRET", "--hash SECRET"),
    ),
    Client(names="evil-winrm", manual="evil-winrm(1)", takes=("-p SECRET", "-H SECRET")),
    Client(names="enum4linux enum4linux-ng", manual="enum4linux(1)", takes=("-p SECRET",)),
    Client(
        names="bloodhound-python ldapdomaindump kerbrute certipy",
        manual="ldapdomaindump: README",
        takes=("-p SECRET", "-password SECRET", "--password SECRET", "-hashes SECRET"),
    ),
    Client(
        names="""psexec smbexec wmiexec atexec dcomexec secretsdump getuserspns getnpusers gettgt getst getadusers
        getadcomputers lookupsid mssqlclient samrdump rpcdump ticketer addcomputer raisechild smbserver
        ntlmrelayx rbcd finddelegation""",
        manual="Impacket: examples",
        takes=("USER:SECRET@HOST", "-hashes SECRET", "-aesKey SECRET", "-p, SECRET", "-password SECRET"),
    ),
    Client(
        names="sqlmap",
        manual="sqlmap(1)",
        takes=("--auth-cred USER:SECRET", "--proxy-cred USER:SECRET", "--cookie SECRET"),
    ),
    Client(names="dirb", manual="dirb(1)", takes=("-u USER:SECRET", "-P USER:SECRET")),
    Client(names="gobuster", manual="gobuster(1)", takes=("-P SECRET", "--password SECRET", "-c NAME=SECRET")),
    Client(names="nikto wfuzz", manual="nikto(1)", takes=("-id USER:SECRET", "--basic USER:SECRET")),
    Client(
        names="wapiti wapiti-getcookie",
        manual="wapiti(1), wapiti-getcookie(1)",
        takes=("-a USER%SECRET", "--auth-cred USER%SECRET", "--auth-password SECRET"),
    ),
    Client(
        names="airdecap-ng airtun-ng airventriloquist-ng tkiptun-ng",
        manual="airdecap-ng(1), airtun-ng(8), tkiptun-ng(8)",
        takes=("-p SECRET", "-w SECRET", "--passphrase SECRET"),
    ),
    Client(names="aireplay-ng airbase-ng", manual="airbase-ng(8)", takes=("-w SECRET",)),
    Client(names="svcrack sipvicious_svcrack", manual="svcrack(1)", takes=("--password SECRET",)),
    Client(
        names="bruteforce-salted-openssl bruteforce-luks",
        manual="bruteforce-salted-openssl(1)",
        takes=("--password SECRET",),
    ),
)
