"""Recipes that an engine refuses half way, when networks and some services are made already.

The sentence of each is what the preview says before anything is made.
"""

from tests.recipes.features import deploy, service

FILES = {"empty.txt": b"", "large.txt": b"x" * 512_000, "a.txt": b"a", "b.txt": b"b"}


def variable(text: str) -> str:
    return service(f"environment: ['A={text}']")


def config(*lines: str) -> str:
    return service(*lines, tail="configs: {a: {file: ./a.txt}, b: {file: ./b.txt}}\n")


def volume(text: str) -> str:
    return service("volumes: ['data:/data']", tail=f"volumes: {{data: {text}}}\n")


TEMPLATES = {
    variable("{{.Nope}}"): "does not know '.Nope'",
    variable("{{.Node.Labels}}"): "does not know '.Node.Labels'",
    variable("{{.Service.Labels.a}}"): "does not know '.Service.Labels.a'",
    variable("{{.Task.name}}"): "does not know '.Task.name'",
    variable("{{if .Task.Slot}}{{.Nope}}{{end}}"): "does not know '.Nope'",
    variable("{{upper .Task.Name}}"): "does not know 'upper'",
    variable("a {{ b"): "not closed",
    variable("{{}}"): "finds nothing in them",
    service("hostname: '{{.Nope}}'"): "services.web.hostname: the swarm fills in",
    service("volumes: ['data:/{{.Nope}}']", tail="volumes: {data: }\n"): "services.web.volumes[0]: the swarm",
    volume("{name: 'x-{{.Nope}}'}"): "volumes.data.name: the swarm",
    volume("{labels: {a: '{{.Nope}}'}}"): "volumes.data.labels.a: the swarm",
    volume("{driver_opts: {a: '{{.Nope}}'}}"): "volumes.data.driver_opts.a: the swarm",
}
AMOUNTS = {
    service("healthcheck: {test: x, interval: 1us}"): "interval must be 1ms or more",
    service("healthcheck: {test: x, timeout: -1s}"): "timeout must be 1ms or more",
    service("healthcheck: {test: x, retries: -1}"): "retries can't be less than 0",
    deploy("update_config: {max_failure_ratio: 2}"): "a number from 0 to 1",
    deploy("update_config: {parallelism: -1}"): "parallelism can't be less than 0",
    deploy("update_config: {delay: -1s}"): "delay can't be less than 0 s",
    deploy("update_config: {monitor: -1m30s}"): "monitor can't be less than 0 s",
    deploy("restart_policy: {window: -1s}"): "window can't be less than 0 s",
    deploy("restart_policy: {max_attempts: -1}"): "max_attempts can't be less than 0",
    deploy("placement: {max_replicas_per_node: -1}"): "max_replicas_per_node can't be less than 0",
    deploy("resources: {limits: {cpus: '-0.5'}}"): "cpus can't be less than 0",
}
WORDS = {
    deploy("mode: Global"): "can't be 'Global'",
    deploy("restart_policy: {condition: Any}"): "can't be 'Any'",
    deploy("update_config: {failure_action: Pause}"): "can't be 'Pause'",
    service("networks: [n]", tail="networks: {n: {ipam: {config: [{subnet: nope}]}}}\n"): "'nope' is no subnet",
    service("networks: [n]", tail="networks: {n: {ipam: {config: [{}]}}}\n"): "'' is no subnet",
    service(
        "networks: [n]", tail="networks: {n: {ipam: {config: [{subnet: 10.99.0.0/255.255.0.0}]}}}\n"
    ): "is no subnet",
}
DOUBLES = {
    service("volumes: ['data:/x', '/tmp:/x']", tail="volumes: {data: }\n"): "is put at '/x' already",
    config("configs: [{source: a, target: /x}, {source: b, target: /x}]"): "is put at '/x' already",
    config("configs: [a, {source: b, target: a}]"): "is put at 'a' already",
}
CONTENTS = {
    service("configs: [c]", tail="configs: {c: {file: ./empty.txt}}\n"): "can't be handed over. It is empty",
    service("secrets: [s]", tail="secrets: {s: {file: ./empty.txt}}\n"): "can't be handed over. It is empty",
    service("secrets: [s]", tail="secrets: {s: {file: ./large.txt}}\n"): "takes secrets of at most 511,999 bytes",
}
REFUSED = {**TEMPLATES, **AMOUNTS, **WORDS, **DOUBLES, **CONTENTS}

# Close to the above, and nothing is wrong with them.
ACCEPTED = [
    variable("{{.Service.Name}}.{{.Task.Slot}}@{{.Node.Hostname}}/{{.Node.Platform.OS}}"),
    variable('{{index .Service.Labels "a"}}{{printf "%s}}" .Task.ID | print}}{{/* why */}}{{- join "a" "b" -}}'),
    variable("{{with .Node}}{{.Hostname}}{{end}}{{range .Service.Labels}}{{.}}{{end}}"),
    variable('{{"{{"}}.Nope}} }} { {.Nope} }'),
    service("labels: {a: '{{.Nope}}'}", "command: ['{{.Nope}}']"),
    service("healthcheck: {disable: true, interval: 1us}"),
    service("healthcheck: {test: x, interval: 0s, timeout: 1ms}"),
    deploy("rollback_config: {failure_action: rollback, delay: -1s, max_failure_ratio: -0.5}"),
    deploy("endpoint_mode: VIP", "resources: {limits: {cpus: '1e-1'}}", "update_config: {max_failure_ratio: 1}"),
    service("volumes: ['data:/x', '/tmp:/x/']", tail="volumes: {data: }\n"),
    config("configs: [{source: a, target: /x}, {source: a, target: /y}]"),
    service("networks: [n]", tail="networks: {n: {ipam: {config: [{subnet: 10.99.0.5/24}]}}}\n"),
    service(tail="networks: {unused: {ipam: {config: [{subnet: nope}]}}}\n"),
    service("configs: [c]", tail="configs: {c: {file: ./large.txt}}\n"),
]
