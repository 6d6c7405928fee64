"""Compose files made up at random, in the spellings that people use and in some that nobody should."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from hypothesis import strategies as st
from spelled import Draw, Merged, Spelled, spelled, written

T = TypeVar("T")

FILES = {"conf/app.json": b"{}", "web.env": b"K1\nK2=\nK3=set\nK0=$A ${B}\n# no\n  K4=a=b \n"}

PIECES = [
    *(
        "a",
        "B-c",
        " ",
        "  ",
        "é",
        "漢字",
        "😀",
        ":",
        ": ",
        " #",
        "'",
        '"',
        "\\",
        "\t",
        "\n",
        "\n\n",
        "%",
        "@",
        "`",
        "|",
    ),
    *("{{.Node.Hostname}}", "{{ .Task.Slot }}", "yes", "no", "on", "22:22", "0x1", "1e3", "2001-01-01", "0777", "null"),
    *(
        "{",
        "}",
        "[x]",
        ", ",
        "- ",
        "&a",
        "*b",
        "!x",
        "? ",
        "~",
        "=",
        "==",
        "\u00a0",
        "\u2028",
        "\u0085",
        "\ufeff",
        "<<",
    ),
]
SUBSTITUTIONS = [
    *("$A", "${A}", "${B:-b}", "${B-b}", "${C:-}", "${C-}", "${D:-two words}", "${D:-http://h:1/p?q}", "${A:-$B}"),
    *(
        "${E:-${F}}",
        "${E:-${F:-x}}",
        "$$",
        "$$A",
        "$${A}",
        "$$$A",
        "$$$$",
        "${A-b:-c}",
        "${F:-'q' \"p\"}",
        "$Aé",
        "$A$B",
    ),
    *("${A?x-y}", "${N:-1}", "${\u017f:-s}", "${B:-:?}", "${C:-a}b}", "${D:-$$x}"),
]
BROKEN = ["$", "${A", "${}", "$1", "${ A}", "${A:b}", "${A:?must}", "${Z?must}", "${A }", "$-", "${1A}", "${A!}"]
NUMBERS = ["0", "1", "3", "+2", "007", "0x1", "1.5", "-1", "1e3", "many", "", " 1", "9223372036854775808"]
PLAIN = [
    *("0x1F", "0o17", "0777", "1e3", "1.50", ".5", "5.", "-0", "+1", "1_000", "0b11", "12345678901234567890"),
    *("yes", "on", "22:22", "1:2:3", "~", "null", "2001-01-01", "2001-1-1T1:2:3Z", "1e", "0x", "08", "-.5e-3", "a#b"),
]

phrases = (
    st.lists(st.sampled_from([*PIECES, *SUBSTITUTIONS, *SUBSTITUTIONS]), min_size=1, max_size=4)
    .map("".join)
    .filter(lambda text: not re.search(r"\$\w+:?\?", text))
)
broken_phrases = st.lists(
    st.sampled_from([*PIECES[:12], *SUBSTITUTIONS, *BROKEN, *BROKEN]), min_size=1, max_size=3
).map("".join)
ANSWER_NAMES = ("A", "B", "C", "D", "E", "F", "K1", "K2", "K3", "K5", "A-b", "\u017f")


@st.composite
def answers(draw: Draw, numbers: list[str] | None = None) -> dict[str, str]:
    """Texts, numbers, words and times for the variables of generated files; some are not answered."""
    chosen = draw(st.lists(st.sampled_from(ANSWER_NAMES), unique=True, max_size=6))
    given = {name: draw(phrases) for name in chosen}
    for name, values in {
        "N": numbers or ["0", "1", "3", "+2", "007"],
        "YES": ["yes", "on", "TRUE", "n", "off", "False"] + ([] if numbers is None else ["maybe", "1"]),
        "TIME": ["10s", "1m30s", "0s", "500ms"],
        "PORT": ["80", "8080", "1", "65535"] + ([] if numbers is None else ["80-90", "x", "0080", "70000"]),
    }.items():
        if draw(st.booleans()):
            given[name] = draw(st.sampled_from(values))
    return given


@dataclass
class Maker:
    """Draws parts of services. ``texts`` are phrases to use, ``safe`` keeps to what the CLI accepts."""

    draw: Draw
    texts: st.SearchStrategy[str]
    safe: bool = True

    def one(self, values: list[T]) -> T:
        found: T = self.draw(st.sampled_from(values))
        return found

    def maybe(self) -> bool:
        return bool(self.draw(st.booleans()))

    def text(self) -> Spelled:
        return spelled(self.draw, self.draw(self.texts))

    def texts_list(self, most: int = 3) -> list[Spelled]:
        return [spelled(self.draw, f"{n}{self.draw(self.texts)}") for n in range(self.draw(st.integers(0, most)))]

    def integer(self) -> Spelled:
        return Spelled(
            self.one(
                [
                    "1",
                    "2",
                    "0",
                    "0x3",
                    '"${N:-2}"',
                    "${N:-1}",
                    "'${N:-+3}'",
                    *([] if self.safe else ['"3"', '"$N"', '"$$1"']),
                ]
            )
        )

    def ratio(self) -> Spelled:
        return Spelled(
            self.one(["0", "0.25", "1", '"${RATIO:-0.5}"', "${N:-1e-7}" if self.safe else "${N:-1_0.5}", "1e-3"])
        )

    def boolean(self) -> Spelled:
        return Spelled(
            self.one(["true", "false", '"${YES:-yes}"', "${YES:-Off}", *([] if self.safe else ["yes", '"true"', "$A"])])
        )

    def duration(self) -> Spelled:
        return Spelled(self.one(["10s", '"${TIME:-1m}"', "${TIME:-0s}", "1h2m3.5s"]))

    def variables(self, keys: tuple[str, ...] = ("K0", "K1", "K2", "K3", "K4", "K5", "K6")) -> Any:
        chosen = self.draw(st.lists(st.sampled_from(keys), unique=True, max_size=4))
        if self.maybe():
            return [spelled(self.draw, key + self.one(["", "=", f"={self.draw(self.texts)}"])) for key in chosen]
        values = {key: self.one([self.text(), Spelled(""), Spelled('""'), Spelled(self.one(PLAIN))]) for key in chosen}
        return Merged("variables", values) if self.maybe() else values

    def ports(self) -> list[Any]:
        found: list[Any] = []
        for n in range(self.draw(st.integers(0, 3))):
            published = self.one([f"{8000 + n}", f"${{PORT:-{8000 + n}}}"])
            short = [f'"{published}:{n + 1}/udp"', f'"{published}:{n + 1}"', f"{9000 + n}", f'"{7000 + n}-{7002 + n}"']
            entry = {
                "target": Spelled(f"{n + 1}"),
                "published": Spelled(f'"{published}"' if "$" in published else published),
            }
            extra = self.one([{}, {"mode": Spelled("host")}, {"protocol": Spelled('"${P:-udp}"')}])
            found.append(self.one([Spelled(self.one(short)), {**entry, **extra}]))
        return found

    def volumes(self) -> list[Any]:
        found: list[Any] = []
        for n in range(self.draw(st.integers(0, 3))):
            target = self.one([f"/t{n}", f"/s{n}"])
            short = [
                f"data:{target}",
                f"data:{target}:ro",
                target,
                f"/host:{target}:rw,rshared",
                f"data:{target}:nocopy",
            ]
            long = {"type": Spelled("volume"), "source": Spelled("${V:-data}"), "target": Spelled(target)}
            extra = self.one([{}, {"read_only": self.boolean()}, {"volume": {"nocopy": self.boolean()}}])
            found.append(self.one([Spelled(self.one(short)), {**long, **extra}]))
        return found

    def references(self, *names: str) -> list[Any]:
        chosen = self.draw(st.lists(st.sampled_from(names), unique=True, max_size=2))
        return [
            self.one([Spelled(name), {"source": Spelled(name), "target": self.text(), "mode": self.integer()}])
            for name in chosen
        ]

    def networks(self) -> Any:
        chosen = self.draw(st.lists(st.sampled_from(("front", "back", "other")), unique=True, max_size=2))
        if self.maybe():
            return [Spelled(name) for name in chosen]
        return {
            name: self.one([Spelled(""), {"aliases": self.texts_list()}, {"ipv4_address": Spelled("10.0.0.1")}, {}])
            for name in chosen
        }

    def deploy(self) -> dict[str, Any]:
        rolling = {
            "parallelism": self.integer,
            "delay": self.duration,
            "max_failure_ratio": self.ratio,
            "order": lambda: Spelled("start-first"),
        }
        return self.some(
            {
                "replicas": self.integer,
                "labels": self.labels,
                "update_config": lambda: self.some(rolling),
                "rollback_config": lambda: self.some(rolling),
                "restart_policy": lambda: self.some(
                    {"max_attempts": self.integer, "delay": self.duration, "window": self.duration}
                ),
                "placement": lambda: self.some(
                    {
                        "constraints": self.constraints,
                        "preferences": lambda: [{"spread": Spelled(f"node.labels.{n}")} for n in self.one(["", "zr"])],
                        "max_replicas_per_node": self.integer,
                    }
                ),
                "endpoint_mode": lambda: Spelled(self.one(["vip", "${MODE:-dnsrr}"])),
                "resources": lambda: self.some({"limits": self.resources, "reservations": self.resources}),
                "mode": lambda: Spelled("replicated"),
            },
            4,
        )

    def constraints(self) -> list[Spelled]:
        return [
            Spelled(self.one(["node.role == manager", '"node.labels.a == ${N:-1}"']))
            for _ in range(self.one([0, 1, 2]))
        ]

    def resources(self) -> dict[str, Any]:
        return self.some(
            {
                "cpus": lambda: Spelled(self.one(['"0.5"', '"${N:-1}"'])),
                "memory": lambda: Spelled(self.one(["5m", '"0"', "${SIZE:-1g}"])),
            }
        )

    def labels(self) -> Any:
        chosen = self.draw(st.lists(st.sampled_from(("l1", "l.2", "l-3")), unique=True, max_size=3))
        if self.maybe():
            return [spelled(self.draw, f"{key}={self.draw(self.texts)}") for key in chosen]
        return {key: self.one([self.text(), Spelled(""), Spelled(self.one(PLAIN))]) for key in chosen}

    def some(self, makers: dict[str, Callable[[], Any]], most: int = 3) -> dict[str, Any]:
        chosen = self.draw(st.lists(st.sampled_from(list(makers)), unique=True, max_size=most))
        return {key: makers[key]() for key in chosen}

    def service(self) -> dict[str, Any]:
        image = Spelled(self.one(["app", "app:${TAG:-1.0}", '"${IMAGE:-registry.example.org:5000/a/b}"', "'x'"]))
        made = self.some(
            {
                "environment": self.variables,
                "env_file": lambda: self.one([Spelled("./web.env"), [Spelled("web.env")]]),
                "labels": self.labels,
                "command": lambda: self.texts_list() if self.safe else self.one([self.texts_list(), self.text()]),
                "entrypoint": lambda: self.one([[Spelled('"/bin/sh"'), Spelled("-c")], Spelled("/bin/app --x 'y z'")]),
                "hostname": lambda: Spelled(self.one(['"{{.Node.Hostname}}-${N:-1}"', "h"])),
                "ports": self.ports,
                "volumes": self.volumes,
                "configs": lambda: self.references("app", "other"),
                "secrets": lambda: self.references("token.txt"),
                "networks": self.networks,
                "deploy": self.deploy,
                "healthcheck": lambda: self.some(
                    {
                        "test": lambda: self.one([self.text(), [Spelled("CMD"), self.text()]]),
                        "retries": self.integer,
                        "interval": self.duration,
                        "disable": self.boolean,
                    }
                ),
                "logging": lambda: self.some(
                    {"driver": lambda: Spelled(self.one(["json-file", "syslog"])), "options": self.labels_map}
                ),
                "ulimits": lambda: self.some(
                    {"nofile": lambda: {"soft": self.integer(), "hard": self.integer()}, "nproc": self.integer}
                ),
                "tty": self.boolean,
                "read_only": self.boolean,
                "init": lambda: Spelled(self.one(["true", "false"])),
                "stop_grace_period": self.duration,
                "dns": lambda: self.one([Spelled("1.1.1.1"), [Spelled('"${DNS:-8.8.8.8}"')]]),
                **{key: self.names for key in ("cap_drop", "dns_search", "security_opt", "tmpfs", "links", "devices")},
                "external_links": self.names,
                "build": lambda: self.one([Spelled("."), {"context": Spelled("."), "args": self.labels_map()}]),
                "privileged": self.boolean,
                "domainname": self.text,
                "cap_add": lambda: [Spelled(name) for name in self.one([["NET_ADMIN"], ["ALL", "SYS_TIME"], []])],
                "extra_hosts": lambda: self.one([[Spelled('"h:${IP:-10.0.0.1}"')], {"h2": Spelled('"10.0.0.2"')}]),
                "sysctls": self.labels,
                "expose": lambda: [Spelled("80"), Spelled('"81"')],
                "depends_on": lambda: [Spelled("web0")],
                "user": self.text,
                "working_dir": self.text,
                "stop_signal": lambda: Spelled("SIGTERM"),
            },
            6,
        )
        return {"image": image, **made}

    def names(self) -> list[Spelled]:
        """Each once: no single file may have doubles."""
        chosen = self.draw(st.lists(st.sampled_from(("a:b", "c:d", '"${N:-1}:e"')), unique=True, max_size=3))
        return [Spelled(name) for name in chosen]

    def labels_map(self) -> dict[str, Any]:
        return {key: Spelled(self.one(["1", '""', '"${A}"'])) for key in self.one([["a"], ["a", "b"], []])}

    def file(self, services: int, *, overlay: bool = False) -> str:
        parts: dict[str, Any] = {"version": Spelled('"3.8"')}
        anchor = {key: self.text() for key in ("K1", "K5", "K7")}
        head = f"x-variables: &variables {written(anchor, 1)}\n"
        parts["services"] = {f"web{n}": self.service() for n in range(services)}
        if overlay:
            for name in list(parts["services"]):
                if self.maybe():
                    del parts["services"][name]["image"]
        parts["networks"] = {
            "front": {"external": Spelled("true"), "name": Spelled('"${NET:-frontend}"')},
            "back": self.some(
                {"attachable": self.boolean, "labels": self.labels, "driver_opts": lambda: {"encrypted": Spelled('""')}}
            ),
            "other": Spelled(""),
        }
        if self.maybe():
            parts["networks"]["default"] = self.some({"internal": self.boolean, "attachable": self.boolean})
        parts["volumes"] = {"data": self.some({"name": lambda: Spelled('"data-${N:-1}"'), "labels": self.labels})}
        parts["configs"] = {
            "app": {"file": Spelled("./conf/app.json")},
            "other": {"external": Spelled('"${EXT:-yes}"')},
        }
        parts["secrets"] = {"token.txt": {"external": Spelled("true")}}
        if overlay:
            for section in ("volumes", "networks", "configs", "secrets"):
                kept = self.draw(st.lists(st.sampled_from(list(parts[section])), unique=True))
                parts[section] = {name: item for name, item in parts[section].items() if name in kept}
        return head + written(parts).lstrip("\n") + "\n"
