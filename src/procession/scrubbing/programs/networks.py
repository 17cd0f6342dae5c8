"""Management of machines and networks: IPMI, SNMP, wireless networks, VPN, RADIUS, DNS, UPS and monitoring."""

from __future__ import annotations

from procession.scrubbing.programs.client import Client

NETWORKS = (
    Client(names="sshpass", manual="sshpass(1)", takes=("-p SECRET",)),
    Client(
        names="ipmitool ipmievd",
        manual="ipmitool(1), ipmievd(8)",
        takes=("-P SECRET", "-k SECRET", "-y SECRET", "user set password ID SECRET", "user test ID SIZE SECRET"),
    ),
    Client(
        names="""bmc-config bmc-device bmc-info bmc-watchdog ipmi-chassis ipmi-chassis-config ipmi-config ipmi-console
        ipmi-dcmi ipmi-fru ipmi-oem ipmi-pef-config ipmi-pet ipmi-power ipmi-raw ipmi-sel ipmi-sensors
        ipmi-sensors-config ipmiconsole ipmimonitoring ipmipower pef-config""",
        manual="ipmi-sensors(8), ipmipower(8), bmc-info(8), ipmiconsole(8)",
        takes=("-p SECRET", "--password SECRET", "-k SECRET", "--k-g SECRET"),
    ),
    Client(names="racadm idracadm7", manual="Dell: RACADM", takes=("-p SECRET",)),
    Client(
        names="""snmpget snmpgetnext snmpwalk snmpset snmpbulkget snmpbulkwalk snmptable snmptrap snmpinform snmpdelta
        snmpdf snmpnetstat snmpstatus snmptest snmpusm snmpvacm snmpcheck snmpps snmptls snmping""",
        manual="snmpcmd(1), snmpget(1), snmpusm(1)",
        takes=(
            "-A SECRET",
            "-X SECRET",
            "-c SECRET",
            "-3m SECRET",
            "-3M SECRET",
            "-3k SECRET",
            "passwd SECRET",
            "passwd OLD SECRET",
            "-3K SECRET",
        ),
    ),
    Client(names="encode_keychange", manual="encode_keychange(1)", takes=("-N SECRET", "-O SECRET")),
    Client(names="braa", manual="braa(1)", takes=("SECRET@HOST",)),
    Client(names="wpa_passphrase", manual="wpa_passphrase(8)", takes=("SSID SECRET",)),
    Client(
        names="wpa_cli",
        manual="wpa_cli(8)",
        takes=("psk SECRET", "password SECRET", "wps_pin ANY SECRET", "passphrase ID SECRET", "password ID SECRET"),
    ),
    Client(
        names="nmcli",
        manual="nmcli(1), nm-settings-nmcli(5)",
        takes=(
            "password SECRET",
            "*.psk SECRET",
            "*.wep-key* SECRET",
            "*.password SECRET",
            "*.leap-password SECRET",
            "*.pin SECRET",
            "*.secrets *=SECRET",
            "vpn.secrets SECRET",
            "*.psk=SECRET",
        ),
    ),
    Client(names="iwconfig", manual="iwconfig(8)", takes=("key SECRET", "enc SECRET")),
    Client(names="iw", manual="iw(8)", takes=("key *:SECRET", "keys *:SECRET")),
    Client(names="iwctl", manual="iwctl(1)", takes=("-P SECRET", "--passphrase SECRET")),
    Client(
        names="create_ap linux-router lnxrouter",
        manual="create_ap: README",
        takes=("-p SECRET", "IFACE INTERNET SSID SECRET"),
    ),
    Client(
        names="openconnect",
        manual="openconnect(8)",
        takes=(
            "-p SECRET",
            "--key-password SECRET",
            "--mca-key-password SECRET",
            "--token-secret SECRET",
            "-C SECRET",
            "--cookie SECRET",
            "--form-entry *=SECRET",
        ),
    ),
    Client(
        names="openfortivpn",
        manual="openfortivpn(1)",
        takes=("-p SECRET", "--password SECRET", "-o SECRET", "--otp SECRET", "--cookie SECRET"),
    ),
    Client(names="pppd wvdial pon", manual="pppd(8)", takes=("password SECRET", "call-password SECRET")),
    Client(names="pptpsetup", manual="pptpsetup(8)", takes=("--password SECRET",)),
    Client(names="ipsec whack pluto", manual="ipsec_whack(8)", takes=("--xauthpass SECRET",)),
    Client(
        names="tailscale headscale netbird zerotier-cli",
        manual="Tailscale: tailscale up",
        takes=("--authkey SECRET", "--auth-key SECRET", "--setup-key SECRET"),
    ),
    Client(
        names="radtest",
        manual="radtest(1)",
        valued="-t -P -d",
        takes=("USER SECRET", "USER PASSWORD SERVER PORT SECRET"),
    ),
    Client(
        names="radclient radeapclient radsniff radwho",
        manual="radclient(1)",
        takes=(
            "SERVER auth SECRET",
            "SERVER acct SECRET",
            "SERVER status SECRET",
            "SERVER coa SECRET",
            "SERVER disconnect SECRET",
            "-s, SECRET",
        ),
    ),
    Client(names="tacc", manual="tacc(1)", takes=("-k SECRET", "-p SECRET")),
    Client(names="dig delv", manual="dig(1)", takes=("-y HMAC:KEY:SECRET", "-y KEY:SECRET")),
    Client(names="nsupdate kdig knsupdate", manual="nsupdate(1)", takes=("-y HMAC:KEY:SECRET", "-y KEY:SECRET")),
    Client(
        names="nping",
        manual="nping(1)",
        takes=("--echo-client SECRET", "--echo-server SECRET", "--ec SECRET", "--es SECRET"),
    ),
    Client(names="upscmd upsrw", manual="upscmd(8), upsrw(8)", takes=("-p SECRET",)),
    Client(
        names="check_http check_curl check_ntp check_ssl_cert",
        manual="monitoring-plugins: check_http",
        takes=(
            "-a USER:SECRET",
            "-b USER:SECRET",
            "--authorization USER:SECRET",
            "--proxy-authorization USER:SECRET",
            "--clientpass SECRET",
        ),
    ),
    Client(
        names="check_mysql check_mysql_query check_pgsql check_mysql_health check_mssql_health check_db2_health "
        "check_oracle_health check_sybase check_mssql",
        manual="monitoring-plugins: check_mysql",
        takes=("-p SECRET", "--password SECRET", "--dbpass SECRET"),
    ),
    Client(
        names="check_snmp check_ifoperstatus check_ifstatus check_hp_bladechassis check_snmp_env check_snmp_int",
        manual="monitoring-plugins: check_snmp, check_hp_bladechassis(8)",
        takes=(
            "-C SECRET",
            "--community SECRET",
            "-A SECRET",
            "-X SECRET",
            "--authpasswd SECRET",
            "--privpasswd SECRET",
        ),
    ),
    Client(
        names="check_ldap check_ldaps check_smtp check_imap_receive check_smtp_send check_imap_quota",
        manual="monitoring-plugins: check_ldap, check_smtp",
        takes=("-P SECRET", "--pass SECRET"),
    ),
    Client(names="check_disk_smb", manual="monitoring-plugins: check_disk_smb", takes=("-p SECRET",)),
    Client(names="check_radius", manual="monitoring-plugins: check_radius", takes=("-p SECRET",)),
    Client(names="check_ups check_nt", manual="monitoring-plugins: check_nt", takes=("-s SECRET",)),
    Client(
        names="check_ipmi_sensor check_vmware_esx check_vmware_api check_wmi check_wmi_plus check_redis check_mongodb "
        "check_rabbitmq_server check_rabbitmq_overview check_jenkins",
        manual="monitoring-plugins-contrib: check_ipmi_sensor, check_rabbitmq",
        takes=("-P SECRET", "-p SECRET", "-x SECRET", "--password SECRET"),
    ),
    Client(names="ncat", manual="ncat(1)", takes=("--proxy-auth USER:SECRET",)),
    Client(names="socat", manual="socat(1)", takes=("*proxyauth=USER:SECRET,*", "*proxy-authorization=USER:SECRET,*")),
    Client(
        names="gvm-cli gvm-script omp",
        manual="gvm-cli(1)",
        takes=("--gmp-password SECRET", "-w SECRET", "--ssh-password SECRET"),
    ),
    Client(
        names="virsh",
        manual="virsh(1)",
        takes=("secret-set-value ID SECRET", "set-user-password DOMAIN USER SECRET", "--password SECRET"),
    ),
    Client(
        names="fence_ipmilan fence_idrac fence_ilo fence_apc fence_vmware fence_vmware_soap fence_drac5 fence_virsh "
        "fence_aws fence_azure_arm fence_hpblade fence_bladecenter fence_rsa fence_ilo4 fence_redfish",
        manual="fence_ipmilan(8), fence_apc(8)",
        takes=("-p SECRET", "--password SECRET"),
    ),
    Client(names="zabbix-cli", manual="zabbix-cli(1)", takes=("-p SECRET", "--password SECRET")),
    Client(names="rcon mcrcon rconcli rcon-cli", manual="mcrcon(1)", takes=("-p SECRET",)),
    Client(names="eapol_test", manual="eapol_test(8)", takes=("-s SECRET",)),
    Client(names="testsaslauthd", manual="testsaslauthd(8)", takes=("-p SECRET",)),
    Client(names="pptp", manual="pptp(8)", takes=("password SECRET",)),
    Client(
        names="ss-local ss-redir ss-tunnel ss-manager ss-server sslocal ssserver ssmanager",
        manual="ss-local(1), ss-redir(1), ss-tunnel(1), ss-manager(1), ss-server(1)",
        takes=("-k SECRET", "--key SECRET"),
    ),
    Client(names="cntlm", manual="cntlm(1)", takes=("-p SECRET", "-R USER:SECRET")),
    Client(names="microsocks", manual="microsocks(1)", takes=("-P SECRET",)),
    Client(names="ipmiutil", manual="ipmiutil(8)", takes=("-P SECRET", "-R SECRET")),
    Client(names="amtterm amttool gamt", manual="amtterm(1)", takes=("-p SECRET",)),
    Client(names="wsman wseventmgr", manual="wsman(1)", takes=("-p SECRET", "--password SECRET")),
    Client(names="redfishtool", manual="redfishtool(1)", takes=("-p SECRET",)),
    Client(
        names="""fence_eaton_snmp fence_apc_snmp fence_cisco_mds fence_emerson fence_hpblade_snmp fence_ibmblade
           fence_ifmib fence_intelmodular fence_tripplite_snmp fence_vbox_snmp""",
        manual="fence_apc_snmp(8), fence_eaton_snmp(8)",
        takes=(
            "-p SECRET",
            "-P SECRET",
            "-c SECRET",
            "--community SECRET",
            "--password SECRET",
            "--snmp-priv-passwd SECRET",
        ),
    ),
    Client(names="snmp-check", manual="snmp-check(1)", takes=("-c SECRET",)),
    Client(names="onesixtyone", manual="onesixtyone(1)", takes=("HOST SECRET",), valued="-c -i -o -p -w"),
    Client(
        names="qmicli mbimcli",
        manual="qmicli(1)",
        takes=("--dms-uim-verify-pin PIN,SECRET", "--uim-verify-pin PIN,SECRET", "--enter-pin SECRET"),
    ),
    Client(names="esxcli", manual="VMware: esxcli", takes=("-p SECRET",)),
    Client(names="agent-auth wazuh-authd ossec-authd", manual="Wazuh: agent-auth", takes=("-P SECRET",)),
    Client(names="jmxterm jmxsh", manual="jmxterm: README", takes=("-p SECRET",)),
    Client(names="jmeter", manual="JMeter: command line", takes=("-a SECRET",)),
    Client(
        names="virt-customize virt-builder virt-sysprep",
        manual="virt-customize(1), virt-builder(1)",
        takes=("--password USER:password:SECRET", "--root-password password:SECRET"),
    ),
)
