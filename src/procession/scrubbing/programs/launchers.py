"""Programs that start another program, which stands further on in their arguments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from procession.scrubbing.programs.client import Word


@dataclass(frozen=True, slots=True, kw_only=True)
class Launcher:
    """Where the program begins that another one starts."""

    valued: frozenset[str] = frozenset()
    """Options whose next word is their value."""
    operands: int = 0
    """How many words without a dash come first: a duration, a host, a container."""
    after: frozenset[str] = frozenset()
    """One of these words must have come before: `exec`, `-c`."""
    image: bool = False
    """Whether the last of its operands names an image, which may have a program of its own to start."""

    def program_at(self, words: Sequence[Word], start: int) -> int:
        """The index of the program's name; the number of words where none is started."""
        operands = self.operands
        waiting = bool(self.after)
        index = start
        while index < len(words):
            word = words[index][1]
            if word in self.after:
                waiting = False
            elif word == "--" and not waiting:
                return index + 1 + operands
            elif (word[:1] in ("-", "+") and len(word) > 1) or (word[:1] == "/" and not operands and len(word) == 2):
                index += self._takes_next(word)
            elif not waiting and not _is_assignment(word):
                if not operands:
                    return index
                operands -= 1
                if self.image and not operands:
                    return index + 1
            index += 1
        return len(words)

    def _takes_next(self, word: str) -> bool:
        if word in self.valued:
            return True
        cluster = word[0] == "-" and word[1] != "-" and len(word) > 2
        return cluster and word[:2] not in self.valued and f"-{word[-1]}" in self.valued


def _is_assignment(word: str) -> bool:
    name, equals, _ = word.partition("=")
    return bool(equals) and name.replace("_", "").isalnum()


def _launcher(valued: str = "", operands: int = 0, after: str = "", *, image: bool = False) -> Launcher:
    return Launcher(valued=frozenset(valued.split()), operands=operands, after=frozenset(after.split()), image=image)


# Of programs that run containers.
_RUN_OPTIONS = """
-H --host --context -l --log-level -f --file -p --project-name --profile --env-file --project-directory
-e --env -u --user -w --workdir --name --publish -v --volume --mount --network --net -h --hostname --add-host --link
--label -m --memory -c --cpus --cpu-shares --restart --entrypoint --platform --pull --log-driver --log-opt --cap-add
--cap-drop --device --dns --dns-search --ulimit --security-opt --shm-size --tmpfs --gpus --ip --expose --health-cmd
--health-interval --cidfile --pidfile --pid --ipc --userns --uts --volumes-from --network-alias --stop-signal
--stop-timeout --runtime --cpuset-cpus --cgroup-parent --group-add --annotation --sysctl --detach-keys --index --pod
--secret --authfile --root --runroot --conmon-pidfile"""

_TABLE = (
    ("sudo", _launcher("-u -g -h -p -C -r -t -U -D -T -R -a -c --user --group --host --prompt --chdir --chroot")),
    ("doas", _launcher("-u -C -a")),
    ("env", _launcher("-u -C --unset --chdir")),
    (
        "nohup setsid time gtime fakeroot dbus-run-session eatmydata proxychains proxychains4 torsocks torify",
        _launcher(),
    ),
    ("unbuffer command exec eval busybox toybox tini dumb-init catchsegv ltrace winpty wine wine64 start", _launcher()),
    ("nice", _launcher("-n --adjustment")),
    ("ionice", _launcher("-c -n -p --class --classdata")),
    ("chrt taskset gosu su-exec setpriv chpst softlimit chroot flock", _launcher("-c -w -E", 1)),
    ("timeout gtimeout", _launcher("-s -k --signal --kill-after", 1)),
    ("stdbuf", _launcher("-i -o -e")),
    ("strace", _launcher("-e -o -p -s -u -a -E -I -O -P -S -U -X")),
    ("valgrind gdb", _launcher("-ex -x")),
    ("watch", _launcher("-n --interval")),
    ("xargs", _launcher("-I -n -P -L -s -d -a -E --max-args --max-procs --delimiter --arg-file")),
    ("parallel", _launcher("-j -S -N --jobs --sshlogin --joblog")),
    ("systemd-run", _launcher("-p -u -M -H --unit --property --uid --gid --slice --on-calendar --description")),
    ("systemd-cat cgexec unshare firejail bwrap", _launcher("-t -p -g -R")),
    ("nsenter", _launcher("-t --target -S -G")),
    ("ip", _launcher("-n", 1, "exec")),
    ("runuser", _launcher("-u -g -G -w --user --group")),
    ("su", _launcher(after="-c --command")),
    ("script", _launcher("-O -I -B -T -t", after="-c --command")),
    ("screen", _launcher("-S -t -h -c -L -T -p")),
    ("tmux", _launcher("-s -n -c -t -F -f -L -S", 1)),
    ("find fd", _launcher(after="-exec -execdir -ok -okdir -x")),
    (
        "ssh autossh dbclient slogin",
        _launcher("-b -c -D -E -e -F -I -i -J -L -l -M -m -O -o -p -Q -R -S -W -w -B -P", 1),
    ),
    ("plink klink", _launcher("-P -l -i -m -pw -pwfile -L -R -D -load -hostkey", 1)),
    ("sshpass", _launcher("-p -f -d -P")),
    ("sh bash dash ash zsh ksh mksh fish rbash tcsh csh", _launcher("-o -O --rcfile --init-file")),
    ("cmd powershell pwsh", _launcher("-executionpolicy -ExecutionPolicy -ep -version -Version -WindowStyle -w")),
    ("python pypy", _launcher("-W -X")),
    ("perl ruby node nodejs php lua tclsh expect bun", _launcher("-I -r --require -d")),
    ("java", _launcher("-cp -classpath --class-path --module-path -p --add-opens --add-exports --add-modules", 0)),
    ("uv pipx poetry pipenv bundle npx yarn pnpm npm conda", _launcher("-n --name -p --python", 0, "run exec x")),
    (
        "docker podman nerdctl buildah crictl docker-compose podman-compose ctr lima limactl colima",
        _launcher(_RUN_OPTIONS, 1, "exec run create shell", image=True),
    ),
    (
        "kubectl oc k3s microk8s k0s",
        _launcher(
            "-n --namespace -c --container --context --kubeconfig -s --server --image --restart -f --filename",
            1,
            "exec run debug",
        ),
    ),
    (
        "lxc lxc-attach machinectl systemd-nspawn incus",
        _launcher("-n --name -M -D --machine --uid --env", 1, "exec -- shell"),
    ),
    (
        "nomad fly heroku vagrant minikube",
        _launcher("-job -task -a --app -c --command", 0, "exec run ssh -c --command"),
    ),
)

LAUNCHERS = {name: launcher for names, launcher in _TABLE for name in names.split()}

STARTS_NOTHING = frozenset(
    [
        "apt",
        "apt-get",
        "apt-cache",
        "aptitude",
        "dpkg",
        "dnf",
        "yum",
        "rpm",
        "pacman",
        "brew",
        "apk",
        "pip",
        "pip3",
        "git",
        "grep",
        "egrep",
        "fgrep",
        "zgrep",
        "rg",
        "ack",
        "man",
        "info",
        "which",
        "whereis",
        "type",
        "echo",
        "printf",
        "logger",
        "cat",
        "tac",
        "less",
        "more",
        "head",
        "tail",
        "vim",
        "nvim",
        "nano",
        "emacs",
        "code",
        "awk",
        "gawk",
        "mawk",
        "sed",
        "sort",
        "uniq",
        "cut",
        "diff",
        "cmp",
        "stat",
        "file",
        "chmod",
        "chown",
        "chgrp",
        "install",
        "scp",
        "sftp",
        "tar",
        "gzip",
        "xz",
        "bzip2",
        "zstd",
        "systemctl",
        "service",
        "journalctl",
        "pgrep",
        "pkill",
        "pidof",
        "killall",
        "kill",
        "ps",
        "top",
        "htop",
        "lsof",
        "make",
        "cmake",
        "ninja",
        "gcc",
        "clang",
        "rustc",
        "cargo",
        "go",
        "javac",
        "touch",
        "mkdir",
        "rmdir",
        "test",
        "basename",
        "dirname",
        "realpath",
        "readlink",
        "wc",
        "tee",
        "tr",
        "ag",
        "jq",
        "yq",
        "ansible-doc",
        "update-alternatives",
        "adduser",
        "getent",
        "groups",
        "passwd",
        "chage",
        "ldd",
        "strings",
        "nm",
        "objdump",
        "whatis",
        "apropos",
        "tldr",
        "shellcheck",
        "pylint",
        "flake8",
        "ruff",
        "mypy",
        "pytest",
        "notify-send",
        "zenity",
        "wall",
        "write",
        "mail",
        "mailx",
        "gh",
        "glab",
        "hub",
        "tig",
        "svnlook",
        "locate",
        "updatedb",
        "du",
        "df",
        "ls",
        "cp",
        "mv",
        "rm",
        "ln",
    ]
)
"""Programs whose arguments may be the names of others, but are not started."""
