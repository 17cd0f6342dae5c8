"""Keys, certificates, tokens and cards."""

from __future__ import annotations

from procession.scrubbing.programs.client import Client

KEYS = (
    Client(
        names="openssl libressl",
        manual="openssl-enc(1ssl), openssl-pkcs12(1ssl), openssl-s_client(1ssl), openssl-passphrase-options(1ssl)",
        valued="-salt -in -out",
        takes=(
            *(
                f"-{name} pass:SECRET"
                for name in ("pass", "passin", "passout", "password", "dpass", "xpass", "proxy_pass", "keypass")
            ),
            "enc -k, SECRET",
            "-K, SECRET",
            "-k, SECRET",
            "-pwri_password SECRET",
            "-psk SECRET",
            "-srppass SECRET",
            "-newkeypass pass:SECRET",
            "-otherpass pass:SECRET",
            "-macopt key:SECRET",
            "-macopt hexkey:SECRET",
            "-hmac SECRET",
            "passwd ... SECRET",
        ),
    ),
    Client(names="ssh-keygen", manual="ssh-keygen(1)", takes=("-N SECRET", "-P SECRET"), flags="qpyeicvlBL"),
    Client(
        names="gpg gpg2 gpgsm gpgv gpg1 gpgtar gpg-preset-passphrase gpg-protect-tool symcryptrun",
        manual="gpg(1), gpg-preset-passphrase(1)",
        takes=("--passphrase SECRET", "-P SECRET"),
    ),
    Client(
        names="keytool jarsigner",
        manual="keytool(1), jarsigner(1)",
        takes=(
            "-storepass SECRET",
            "-keypass SECRET",
            "-srcstorepass SECRET",
            "-deststorepass SECRET",
            "-srckeypass SECRET",
            "-destkeypass SECRET",
            "-new SECRET",
        ),
    ),
    Client(names="apksigner", manual="apksigner(1)", takes=("--ks-pass pass:SECRET", "--key-pass pass:SECRET")),
    Client(names="osslsigncode", manual="osslsigncode(1)", takes=("-pass SECRET", "-key2pass SECRET")),
    Client(names="signtool", manual="signtool(1)", takes=("-p SECRET", "/p SECRET")),
    Client(
        names="certutil",
        manual="certutil(1)",
        takes=(
            "-p SECRET",
            "-0 SECRET",
        ),
    ),
    Client(names="crlutil", manual="crlutil(1)", takes=("-w SECRET",)),
    Client(
        names="cmsutil vfychain vfyserv ssltap selfserv strsclnt",
        manual="cmsutil(1), vfychain(1)",
        takes=("-p SECRET", "-w SECRET"),
    ),
    Client(names="pk12util", manual="pk12util(1)", takes=("-K SECRET", "-W SECRET")),
    Client(names="tsget", manual="tsget(1ssl)", takes=("-p SECRET",)),
    Client(
        names="certtool p11tool gnutls-cli tpmtool srptool psktool danetool",
        manual="certtool(1), p11tool(1), gnutls-cli(1)",
        takes=("--password SECRET", "--set-pin SECRET", "--set-so-pin SECRET", "--pskkey SECRET", "--srppasswd SECRET"),
    ),
    Client(
        names="""pkcs11-tool pkcs15-tool pkcs15-crypt pkcs15-init openpgp-tool netkey-tool dnie-tool gids-tool goid-tool
        iasecc-tool npa-tool sc-hsm-tool egk-tool cryptoflex-tool piv-tool""",
        manual="pkcs11-tool(1), pkcs15-tool(1), pkcs15-init(1), sc-hsm-tool(1), netkey-tool(1)",
        takes=(
            "-p SECRET",
            "--pin SECRET",
            "--new-pin SECRET",
            "--so-pin SECRET",
            "--puk SECRET",
            "--so-puk SECRET",
            "--new-puk SECRET",
            "--passphrase SECRET",
            "--pin-value SECRET",
            "--puk-value SECRET",
            "--transport-key SECRET",
        ),
    ),
    Client(
        names="westcos-tool",
        manual="westcos-tool(1)",
        takes=("-x SECRET", "-y SECRET", "--pin-value SECRET", "--puk-value SECRET"),
    ),
    Client(
        names="yubico-piv-tool",
        manual="yubico-piv-tool(1)",
        takes=("-P SECRET", "-p SECRET", "-N SECRET", "-k[SECRET]", "--pin SECRET", "--new-pin SECRET"),
    ),
    Client(
        names="ykman ykpersonalize yubihsm-shell",
        manual="ykman(1), ykpersonalize(1)",
        takes=(
            "-p SECRET",
            "--new-pin SECRET",
            "--new-puk SECRET",
            "-P SECRET",
            "--pin SECRET",
            "--puk SECRET",
            "--password SECRET",
        ),
    ),
    Client(
        names="softhsm2-util softhsm2-keyconv softhsm2-migrate softhsm2-dump-file",
        manual="softhsm2-util(1), softhsm2-keyconv(1)",
        takes=("--pin SECRET", "--so-pin SECRET", "--file-pin SECRET"),
    ),
    Client(
        names="""tpm2_unseal tpm2_create tpm2_createprimary tpm2_load tpm2_sign tpm2_rsadecrypt tpm2_nvread
        tpm2_nvwrite tpm2_nvdefine tpm2_nvundefine tpm2_changeauth tpm2_activatecredential tpm2_hmac tpm2_import
        tpm2_encryptdecrypt tpm2_certify tpm2_quote tpm2_clear tpm2_evictcontrol""",
        manual="tpm2_unseal(1), tpm2_create(1), tpm2_changeauth(1)",
        takes=("-p SECRET", "-P SECRET", "--key-auth SECRET", "--auth SECRET"),
    ),
    Client(
        names="getcert getcert-request getcert-start-tracking getcert-resubmit ipa-getcert selfsign-getcert",
        manual="getcert-request(1), getcert-start-tracking(1)",
        takes=("-P SECRET", "--pin SECRET", "-L SECRET", "--challenge-password SECRET"),
    ),
    Client(
        names="certmonger-dogtag-submit certmonger-ipa-submit certmonger-dogtag-ipa-renew-agent-submit",
        manual="certmonger-dogtag-submit(8), certmonger-ipa-submit(8)",
        takes=("-W SECRET", "--userpwd SECRET", "--pwd SECRET", "-Y SECRET", "-P SECRET"),
    ),
    Client(names="oathtool", manual="oathtool(1)", takes=("SECRET",)),
    Client(
        names="bw op lpass",
        manual="Bitwarden: bw login",
        takes=("login USER SECRET", "unlock SECRET", "--session SECRET"),
    ),
    Client(names="step", manual="Smallstep: step", takes=("--token SECRET",)),
)
