"""Mail, news, chat, telephony, brokers and media players."""

from __future__ import annotations

from procession.scrubbing.programs.client import Client

MESSAGES = (
    Client(
        names="swaks",
        manual="swaks(1)",
        takes=("-ap SECRET", "--auth-password SECRET", "--auth-pass SECRET", "--tls-key-pass SECRET"),
    ),
    Client(names="sendemail", manual="sendemail(1)", takes=("-xp SECRET",)),
    Client(names="sendmail ssmtp msmtp-mta", manual="ssmtp(8)", takes=("-ap[SECRET]",)),
    Client(names="nullmailer-smtp nullmailer-qmqp", manual="nullmailer-smtp(8)", takes=("--pass SECRET",)),
    Client(
        names="imapsync",
        manual="imapsync(1)",
        takes=(
            "--password1 SECRET",
            "--password2 SECRET",
        ),
    ),
    Client(names="imapdedup", manual="imapdedup: README", takes=("-w SECRET", "-p SECRET")),
    Client(
        names="imtest pop3test smtptest lmtptest sivtest mupdatetest nntptest httptest synctest cyrus",
        manual="cyrus-imtest(1), cyrus-smtptest(1)",
        takes=("-w SECRET",),
    ),
    Client(
        names="cyrus-imtest cyrus-pop3test cyrus-smtptest cyrus-lmtptest cyrus-sivtest cyrus-httptest",
        manual="cyrus-imtest(1), cyrus-httptest(1)",
        takes=("-w SECRET",),
    ),
    Client(
        names="sieveshell cyrus-sieveshell sieve-connect cyradm cyrus-cyradm installsieve",
        manual="sieveshell(1), cyrus-sieveshell(1)",
        takes=("-p SECRET", "-w SECRET", "--password SECRET"),
    ),
    Client(names="gsasl", manual="gsasl(1)", takes=("-p SECRET", "--password SECRET", "--passcode SECRET")),
    Client(names="s-nail", manual="s-nail(1)", takes=("-S password=SECRET",)),
    Client(names="alpine", manual="alpine(1)", takes=("-xoauth2-client-secret SECRET",)),
    Client(names="irssi", manual="irssi(1)", takes=("-w SECRET", "--password SECRET")),
    Client(names="sic", manual="sic(1)", takes=("-k SECRET",)),
    Client(names="sendxmpp", manual="sendxmpp(1p)", takes=("-p SECRET", "--password SECRET")),
    Client(names="go-sendxmpp", manual="go-sendxmpp(1)", takes=("-p SECRET", "--password SECRET")),
    Client(
        names="mcabber poezio profanity",
        manual="profanity-account(1)",
        takes=("/account set NAME password SECRET", "/join ROOM password SECRET"),
    ),
    Client(
        names="mosquitto_pub mosquitto_sub mosquitto_rr",
        manual="mosquitto_pub(1), mosquitto_sub(1), mosquitto_rr(1)",
        takes=("-P SECRET", "--pw SECRET", "--psk SECRET"),
    ),
    Client(names="mqtt", manual="HiveMQ: mqtt-cli", takes=("-pw SECRET",)),
    Client(
        names="amqp-publish amqp-consume amqp-get amqp-declare-queue amqp-delete-queue",
        manual="amqp-publish(1)",
        takes=("--password SECRET",),
    ),
    Client(names="kcat kafkacat", manual="kcat(1)", takes=("-X sasl.password=SECRET",)),
    Client(names="nats", manual="NATS: nats", takes=("--password SECRET", "--user USER:SECRET")),
    Client(names="sipp", manual="sipp(1)", takes=("-ap SECRET",)),
    Client(names="sipsak", manual="sipsak(1)", takes=("-a SECRET", "--password SECRET")),
    Client(names="linphonec linphonecsh linphone-daemon", manual="linphonecsh(1)", takes=("--password SECRET",)),
    Client(names="pjsua pjsua2 pjsystest", manual="PJSUA: command line", takes=("--password SECRET",)),
    Client(names="ncmpc ncmpcpp", manual="ncmpc(1)", takes=("-P SECRET", "--password SECRET")),
    Client(
        names="mpc", manual="mpc(1)", takes=("-P SECRET", "--password SECRET", "-h SECRET@HOST", "--host SECRET@HOST")
    ),
    Client(names="gammu gnokii", manual="gammu(1)", takes=("entersecuritycode KIND SECRET",)),
    Client(names="mmcli", manual="mmcli(1)", takes=("--pin SECRET", "--puk SECRET", "--change-pin SECRET")),
    Client(
        names="fetchmail getmail mpop msmtp offlineimap", manual="fetchmail(1), msmtp(1)", takes=("--password SECRET",)
    ),
    Client(names="icecast2 ezstream darkice", manual="ezstream(1)", takes=("--password SECRET",)),
    Client(names="mqttx", manual="MQTTX: command line", takes=("-P SECRET", "--password SECRET")),
    Client(names="signal-cli", manual="signal-cli(1)", takes=("--pin SECRET",)),
)
