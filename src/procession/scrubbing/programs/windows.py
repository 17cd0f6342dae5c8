"""Programs of Windows. Their options begin with a slash, and case does not matter."""

from __future__ import annotations

from procession.scrubbing.programs.client import Client

WINDOWS = (
    Client(
        names="plink pscp psftp klink kscp winscp",
        manual="plink(1), pscp(1), psftp(1)",
        takes=("-pw SECRET", "/password=SECRET", "/passphrase=SECRET"),
    ),
    Client(names="cmdkey", manual="Windows: cmdkey", takes=("/pass:SECRET", "/p:SECRET")),
    Client(names="schtasks", manual="Windows: schtasks", takes=("/rp, SECRET", "/p, SECRET")),
    Client(
        names="tasklist taskkill systeminfo driverquery getmac openfiles eventcreate shutdown gpresult wecutil setx",
        manual="Windows: tasklist",
        takes=("/p, SECRET",),
    ),
    Client(
        names="netdom dsadd dsmod djoin",
        manual="Windows: netdom",
        takes=("/pd:SECRET", "/passwordd:SECRET", "/po:SECRET", "-pwd SECRET", "-p SECRET"),
    ),
    Client(names="ktpass", manual="Windows: ktpass", takes=("/pass SECRET", "-pass SECRET", "/pass, SECRET")),
    Client(names="winrs", manual="Windows: winrs", takes=("-p:SECRET", "/p:SECRET", "/password:SECRET")),
    Client(
        names="paexec psexec64 psexecsvc pslist psservice pskill psinfo psloglist",
        manual="Sysinternals: PsExec",
        takes=("-p, SECRET",),
    ),
    Client(
        names="msdeploy appcmd", manual="Windows: appcmd", takes=("/processmodel.password:SECRET", "/password:SECRET")
    ),
    Client(names="sc", manual="Windows: sc create", takes=("password= SECRET", "password=SECRET")),
    Client(names="mstsc", manual="Windows: mstsc", takes=("/p:SECRET",)),
    Client(names="ldifde csvde", manual="Windows: ldifde", takes=("-a DN SECRET", "-b USER DOMAIN SECRET")),
    Client(names="bitsadmin", manual="Windows: bitsadmin", takes=("/setcredentials JOB TARGET SCHEME USER SECRET",)),
    Client(names="nircmd nircmdc", manual="NirCmd: runas", takes=("runas USER SECRET",)),
    Client(names="vmrun", manual="VMware: vmrun", takes=("-gp SECRET", "-vp SECRET", "-p, SECRET")),
)
