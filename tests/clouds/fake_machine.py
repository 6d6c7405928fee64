"""A machine of fake commands around the real bootstrap script: calls are written down, state is in files."""

import json
import os
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from platform_manager.clouds.base import BootstrapSpec
from platform_manager.clouds.bootstrap import render

SHELLS = {"dash": ["dash", "-c"], "busybox": ["busybox", "sh", "-c"]}

# Each writes itself down, then acts on the files in $FAKES.
COMMANDS = {
    "docker": """
case "$*" in
--version) echo "Docker version $(cat engine_version)" ;;
version*)
    [ -e engine_up ] || { echo "Cannot connect to the Docker daemon" >&2; exit 1; }
    cat engine_version ;;
info*) cat swarm_state ;;
"network inspect"*) cat bridge_mtu 2>/dev/null ;;
"network create"*) echo "$*" | sed 's/.*driver.mtu=\\([0-9]*\\).*/\\1/' >bridge_mtu ;;
esac""",
    "dockerd": "",
    "systemctl": """
case "$*" in
"restart docker") [ ! -e engine_broken ] && touch engine_up ;;
is-active*) [ -e link_active ] ;;
"restart platform-manager-link") touch link_active ;;
esac""",
    "service": "[ ! -e engine_broken ] && touch engine_up",
    "curl": """
output=$(echo "$*" | sed 's/.*-o \\([^ ]*\\) .*/\\1/')
case "$*" in
*-gsI*) [ ! -e date ] || echo "Date: $(cat date)" ;;
*install-docker*) echo 'touch "$FAKES/engine_up" "$FAKES/installed"' >"$output" ;;
*)  cat >sent
    status=$(head -n 1 statuses); sed -i 1d statuses
    cp answer "$output"
    [ "$status" != 000 ] || { echo "curl: (7) Failed to connect" >&2; printf 000; exit 7; }
    printf %s "$status" ;;
esac""",
    "ssh": "exec /bin/sleep 60",
    "apt-get": """
case "$*" in
*docker.io*) touch engine_up installed ;;
*openssh-server*) rm -f no_sshd ;;
esac""",
    "sshd": "",
    "useradd": "touch user",
    "usermod": "",
    "ip": """
case "$*" in
*"route show default"*) [ "$2" = -6 ] || cat route ;;
*"link show"*) echo "2: eth0: <UP> mtu $(cat mtu) qdisc noqueue" ;;
*"addr show"*)
    echo "2: eth0 inet 192.0.2.7/24 scope global"
    echo "3: docker0 inet 172.17.0.1/16 scope global" ;;
esac""",
    "id": """
case $1 in -u) cat uid ;; *) [ -e user ] ;; esac""",
    "uname": """
case $1 in -s) echo Linux ;; -m) cat arch ;; -r) echo 6.1.0-18-amd64 ;; -n) cat hostname ;; esac""",
    "sysctl": "echo 65530",
    "sleep": "",
}
APPLETS = ("id", "ip", "sleep", "sysctl", "uname")
CHANGING = (
    "docker network rm",
    "docker network create",
    "systemctl restart",
    "systemctl enable",
    "service",
    "apt-get",
)


@dataclass
class FakeMachine:
    root: Path
    shell: str
    spec: BootstrapSpec
    systemd: bool = True
    overrides: str = ""
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for folder in ("bin", "fakes", "state", "etc"):
            (self.root / folder).mkdir()
        for name, body in COMMANDS.items():
            path = self.root / "bin" / name
            path.write_text(f'#!/bin/sh\ncd "$FAKES"\necho "{name} $*" >>calls\n{body}\n', encoding="utf-8")
            path.chmod(0o755)
        self.write(engine_version="20.10.24", engine_up="", swarm_state="inactive", mtu="1450", uid="0")
        self.write(arch="x86_64", hostname="machine", route="default via 192.0.2.1 dev eth0", calls="")
        self.write(statuses="200\n", answer="{}")
        self.write(**{"host_key.pub": "ssh-ed25519 AAAAHOST root@machine\n"})

    def write(self, **files: str) -> None:
        for name, text in files.items():
            (self.root / "fakes" / name).write_text(text, encoding="utf-8")

    def remove(self, name: str) -> None:
        (self.root / "fakes" / name).unlink()

    @property
    def config(self) -> Path:
        return self.root / "etc" / "daemon.json"

    @property
    def unit(self) -> Path:
        return self.root / "etc" / "link.service"

    def state(self, name: str) -> str:
        return (self.root / "state" / name).read_text(encoding="utf-8")

    def sent(self) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads((self.root / "fakes" / "sent").read_text(encoding="utf-8"))
        return facts

    def calls(self) -> list[str]:
        return (self.root / "fakes" / "calls").read_text(encoding="utf-8").splitlines()

    def changes(self, calls: Sequence[str]) -> list[str]:
        return [call for call in calls if call.startswith(CHANGING) or "--data-binary" in call]

    def files(self) -> dict[str, bytes]:
        kept = [path for folder in ("state", "etc", "gate") for path in (self.root / folder).rglob("*")]
        return {path.name: path.read_bytes() for path in kept if path.is_file() and path.suffix != ".err"}

    def run(self, **changes: Any) -> subprocess.CompletedProcess[str]:
        """One run of the script; ``overrides`` are shell functions that stand above its own."""
        spec = BootstrapSpec(**{**vars(self.spec), **changes})
        # busybox prefers its own applets to what is in PATH: functions come before both.
        functions = "".join(f'{name}() {{ "$FAKES/../bin/{name}" "$@"; }}\n' for name in APPLETS)
        script = render(spec).replace("main </dev/null\n", functions + self.overrides + "\nmain </dev/null\n")
        environment = {
            "PATH": f"{self.root / 'bin'}:{os.environ['PATH']}",
            "FAKES": str(self.root / "fakes"),
            "PM_STATE_DIR": str(self.root / "state"),
            "PM_ENGINE_CONFIG": str(self.config),
            "PM_UNIT": str(self.unit),
            "PM_CONSOLE": str(self.root / "console"),
            "PM_GATE_DIR": str(self.root / "gate"),
            "PM_SSHD_KEY": str(self.root / "fakes" / "host_key"),
            "PM_SYSTEMD_DIR": str(self.root if self.systemd else self.root / "none"),
            "PM_SYSCTL_DIR": str(self.root / "none"),
            **self.environment,
        }
        return subprocess.run(
            [*SHELLS[self.shell], script],
            capture_output=True,
            text=True,
            timeout=20,
            env=environment,
            check=False,
        )

    def stop_loop(self) -> None:
        """Ends the background loop of a machine without systemd."""
        if (self.root / "state" / "link.pid").exists():
            os.kill(int(self.state("link.pid")), signal.SIGTERM)
