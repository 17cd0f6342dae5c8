"""Containers, clusters, clouds, and services of continuous integration."""

from __future__ import annotations

from procession.scrubbing.programs.client import Client

CLOUD = (
    Client(
        names="docker podman buildah nerdctl helm oras crane regctl oc cf apptainer singularity",
        manual="docker-login(1), podman-login(1), buildah-login(1), podman-pull(1)",
        takes=("login -p SECRET", "--creds USER:SECRET", "--decryption-key KEY:SECRET"),
    ),
    Client(
        names="skopeo",
        manual="skopeo-copy(1), skopeo-login(1), skopeo-sync(1)",
        takes=(
            "--creds USER:SECRET",
            "--src-creds USER:SECRET",
            "--dest-creds USER:SECRET",
            "login -p SECRET",
            "--decryption-key KEY:SECRET",
            "--registry-token SECRET",
            "--src-registry-token SECRET",
            "--dest-registry-token SECRET",
        ),
    ),
    Client(names="ctr crictl", manual="ctr(8)", takes=("-u USER:SECRET", "--user USER:SECRET", "--creds USER:SECRET")),
    Client(names="kubectl", manual="kubectl-config-set-credentials(1)", takes=("--password SECRET", "--token SECRET")),
    Client(
        names="az",
        manual="Azure: az login",
        takes=(
            "login -p SECRET",
            "--account-key SECRET",
            "--sas-token SECRET",
            "--admin-password SECRET",
        ),
    ),
    Client(names="azcopy", manual="Azure: azcopy", takes=("/sourcekey:SECRET", "/destkey:SECRET")),
    Client(
        names="aws",
        manual="aws(1)",
        takes=(
            "--master-user-password SECRET",
            "--secret-string SECRET",
            "configure set aws_secret_access_key SECRET",
            "configure set aws_session_token SECRET",
        ),
    ),
    Client(
        names="swift",
        manual="swift(1)",
        takes=("-K SECRET", "--key SECRET", "--os-password SECRET", "tempurl METHOD SECONDS PATH SECRET"),
    ),
    Client(
        names="openstack nova glance keystone cinder neutron heat barbican",
        manual="openstack(1), nova(1)",
        takes=("--os-password SECRET", "--admin-pass SECRET"),
    ),
    Client(names="radosgw-admin", manual="radosgw-admin(8)", takes=("--secret SECRET", "--secret-key SECRET")),
    Client(
        names="ceph rbd rados ceph-fuse ceph-authtool",
        manual="ceph(8), rbd(8), ceph-authtool(8)",
        takes=("--key SECRET", "--add-key SECRET"),
    ),
    Client(
        names="consul",
        manual="Consul: commands",
        takes=("-token SECRET", "--token SECRET", "-encrypt SECRET", "-http-auth USER:SECRET"),
    ),
    Client(
        names="vault bao",
        manual="Vault: commands",
        takes=("-token SECRET", "login SECRET", "unseal SECRET", "-otp SECRET", "-dev-root-token-id SECRET"),
    ),
    Client(names="nomad", manual="Nomad: commands", takes=("-token SECRET",)),
    Client(
        names="knife chef-client salt", manual="Chef: knife bootstrap", takes=("-P SECRET", "--ssh-password SECRET")
    ),
    Client(
        names="ansible ansible-playbook",
        manual="ansible(1), ansible-playbook(1)",
        takes=("-e ansible_password=SECRET", "-e ansible_become_pass=SECRET"),
    ),
    Client(
        names="gitlab-runner argocd",
        manual="GitLab Runner: register",
        takes=("-r SECRET", "--registration-token SECRET", "--auth-token SECRET"),
    ),
    Client(
        names="jenkins-cli jenkins-jobs",
        manual="Jenkins: CLI",
        takes=("-auth USER:SECRET", "-p SECRET", "--password SECRET"),
    ),
    Client(names="nuget", manual="NuGet: setApiKey", takes=("setapikey SECRET", "-ApiKey SECRET", "-Password SECRET")),
    Client(
        names="dotnet", manual=".NET: dotnet nuget", takes=("nuget -p SECRET", "push -k SECRET", "--api-key SECRET")
    ),
    Client(names="twine", manual="twine(1)", takes=("-p SECRET", "--password SECRET")),
    Client(
        names="ngrok cloudflared",
        manual="ngrok: authtoken",
        takes=("authtoken SECRET", "add-authtoken SECRET", "-authtoken SECRET"),
    ),
    Client(names="grafana-cli grafana", manual="Grafana: CLI", takes=("reset-admin-password SECRET",)),
    Client(
        names="proxmox-backup-client pveum pvesm govc ovftool",
        manual="govc: README",
        takes=("-password SECRET", "--password SECRET", "-u USER:SECRET"),
    ),
    Client(
        names="artifactory jf jfrog",
        manual="JFrog CLI",
        takes=("--password SECRET", "--apikey SECRET", "--access-token SECRET"),
    ),
    Client(
        names="kcadm",
        manual="Keycloak: Admin CLI",
        takes=("--password SECRET", "--new-password SECRET", "-p SECRET", "--secret SECRET"),
    ),
    Client(names="asadmin jboss-cli wlst", manual="WildFly: jboss-cli", takes=("-p SECRET", "--password SECRET")),
    Client(names="doctl flyctl fly hcloud", manual="doctl: command line", takes=("-t SECRET", "--access-token SECRET")),
    Client(
        names="poetry composer",
        manual="Poetry: config",
        takes=(
            "http-basic.* USER SECRET",
            "pypi-token.* SECRET",
            "gitlab-token.* SECRET",
            "github-oauth.* SECRET",
            "bearer.* SECRET",
        ),
    ),
    Client(
        names="npm yarn pnpm",
        manual="npm: config",
        takes=("set *:_authtoken SECRET", "set *:_password SECRET", "set *:_auth SECRET", "set _auth SECRET"),
    ),
    Client(names="cargo", manual="cargo-login(1)", takes=("login SECRET",)),
    Client(names="conan", manual="Conan: remote login", takes=("-p SECRET",)),
    Client(names="codecov codecovcli", manual="Codecov: uploader", takes=("-t SECRET",)),
    Client(names="snyk", manual="Snyk: auth", takes=("auth SECRET",)),
    Client(names="altool notarytool", manual="Xcode: altool", takes=("-p SECRET",)),
    Client(names="xcrun", manual="Xcode: xcrun", takes=("altool -p SECRET", "notarytool --password SECRET")),
    Client(names="ansible-vault", manual="ansible-vault(1)", takes=("encrypt_string ... SECRET",), valued="--name -n"),
)
