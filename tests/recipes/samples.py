"""Small compose files: together they hold every feature that recipes in the wild use."""

ACCEPTED = {
    "short everything": """\
version: "3.8"
services:
  web:
    image: registry.example.org:5000/team/app:${TAG:-1.0}
    command: sh -c "echo $$HOME ${GREETING:-hello world}"
    ports: ["${PORT:-8080}:80", "53:53/udp", "3000-3002:3000-3002", 9000]
    environment:
      - A=1=2
      - QUOTED="x"
      - URL=${URL:-http://a:1/b}
      - FROM_OUTSIDE
      - EMPTY=
    volumes: ["data:/data:ro", "/var/run/docker.sock:/var/run/docker.sock", "/anonymous"]
    networks: [front, back]
    deploy:
      replicas: ${REPLICAS:-2}
      labels: {traefik.enable: "true"}
      placement: {constraints: ["node.role == manager", "node.labels.ssd != true"]}
networks:
  front: {external: true, name: frontend}
  back: {attachable: true, driver_opts: {encrypted: ""}}
volumes: {data: {name: "data-${STACK_NAME}"}}
""",
    "long everything": """\
version: "3.13"
services:
  web:
    image: app
    entrypoint: ["/bin/app"]
    command: [--port, "80"]
    init: true
    user: "1000:1000"
    hostname: "{{.Node.Hostname}}-{{.Task.Slot}}"
    stop_grace_period: 1m30s
    cap_add: [NET_ADMIN]
    ulimits: {nofile: {soft: 1024, hard: "${HARD:-2048}"}, nproc: 65535}
    sysctls: [net.core.somaxconn=1024]
    extra_hosts: ["db:10.0.0.1"]
    logging: {driver: json-file, options: {max-size: 10m, max-file: 3}}
    healthcheck: {test: "curl -f http://localhost", interval: 30s, retries: 3, start_period: 1m}
    environment: {NUMBER: 1, FLOAT: 1.50, TEXT: "yes", NOTHING: , OCTAL: 0777, ZEROED: "007"}
    ports: [{target: 80, published: 8080, protocol: tcp, mode: host}]
    volumes:
      - {type: tmpfs, target: /run, tmpfs: {size: 1000}}
      - {type: volume, source: data, target: /data, volume: {nocopy: true}}
    configs: [{source: app, target: /etc/app.json, mode: 0440}, other]
    secrets: [token.txt]
    networks: {default: {aliases: [www]}}
    deploy:
      mode: global
      endpoint_mode: dnsrr
      update_config: {parallelism: 1, delay: 10s, failure_action: rollback, order: start-first}
      rollback_config: {parallelism: 0}
      restart_policy: {condition: on-failure, delay: 5s, max_attempts: 3, window: 120s}
      resources: {limits: {cpus: "0.50", memory: 50M, pids: 10}, reservations: {memory: 20m}}
volumes: {data: {driver: local, driver_opts: {type: nfs, o: "addr=10.0.0.1,rw", device: ":/export"}}}
configs: {app: {file: ./conf/app.json}, other: {external: true}}
secrets: {token.txt: {external: true}}
""",
    "anchors and merges": """\
x-common: &common
  image: app:${TAG:-1}
  environment: &env {A: "${A:-a}", B: b}
  deploy: &deploy {replicas: 2}
services:
  one: {<<: *common}
  two:
    <<: *common
    environment: {<<: *env, B: "${B:-other}"}
    deploy: {<<: *deploy, replicas: 3}
  three: {image: plain, networks: [shared]}
networks:
  shared: &net {driver_opts: &opts {foo: bar}}
  unused: *net
volumes:
  v: {driver_opts: *opts}
""",
    "text styles": """\
services:
  web:
    image: app
    command:
      - |
        line one $$PID
          indented ${A:-x}
      - >-
        folded
        text
      - 'single ''quoted'' ${B:-it''s}'
      - "double \\"quoted\\" \\t ${C:-é ü 漢}"
      - yes
      - 22:22
      - "# not a comment"
      - {braces: no}.x
    labels:
      - "rule=Host(`${HOST:-example.org}`) && Path(`/a$$`)"
      - "nested=${D:-${E:-x}}"
""".replace("      - {braces: no}.x\n", ""),
    "no networks at all": 'version: "3"\nservices: {web: {image: app, restart: always, build: .}}\n',
    "a casting of words": """\
version: "3.8"
services:
  web:
    image: app
    tty: ${TTY:-yes}
    read_only: ${RO:-off}
    deploy: {replicas: "${N:-3}", update_config: {max_failure_ratio: "${RATIO:-0.5}"}}
networks: {default: {external: "${OUTSIDE:-false}", attachable: "${ATTACHABLE:-true}"}}
""",
}
FILES = {"conf/app.json": b"{}"}

# A file each that the CLI refuses, and a word that our message must hold.
REFUSED = {
    "services:\n  a:\n    image: x\n    tty: yes\n": "true or false",
    "services:\n  a:\n    image: x\n    foo: 1\n": "'foo'",
    "services:\n  a:\n    image: x\n    mem_limit: 5m\n": "deploy.resources",
    "services:\n  a:\n    image: x\n    extends: {service: b}\n": "anchor",
    "services:\n  a:\n    image: x\n    volumes_from: [b]\n": "named volume",
    "services:\n  a:\n    image: x\n    profiles: [dev]\n": "'profiles'",
    "services:\n  a:\n    image: x\n    platform: linux/amd64\n": "node.platform.arch",
    "name: shop\nservices:\n  a:\n    image: x\n": "'name'",
    "include: [b.yml]\nservices:\n  a:\n    image: x\n": "'include'",
    "services:\n  a:\n    image: x\nconfigs:\n  c:\n    content: hello\n": "'file'",
    "services:\n  a:\n    image: x\n    deploy: {resources: {limits: {cpus: 0.5}}}\n": "'0.5'",
    "services:\n  a:\n    image: x\n    deploy: {resources: {limits: {memory: 5x}}}\n": "512m",
    'services:\n  a:\n    image: x\n    ports: [{target: 8, published: "82"}]\n': "Remove the quotes",
    "services:\n  a:\n    image: x\n    environment:\n      DEBUG: true\n": "Put it in quotes: 'true'",
    'version: "3.3"\nx-foo: 1\nservices:\n  a:\n    image: x\n': "3.4",
    'version: "3.3"\nservices:\n  a:\n    image: x\n    init: true\n': "3.7",
    "version: 3\nservices:\n  a:\n    image: x\n": "version: '3'",
    'version: "2.1"\nservices:\n  a:\n    image: x\n': "version 2.1",
    'version: "3.99"\nservices:\n  a:\n    image: x\n': "3.99",
    "web:\n  image: x\n": "version 1",
    "services:\n": "services",
    "- a\n": "top level",
    "": "top level",
    "services:\n  a: null\n": "a mapping",
    "services:\n  a b:\n    image: x\n": "'a b'",
    "services:\n  a:\n    image: x\n    image: y\n": "line 3",
    "services:\n  1:\n    image: x\n": "quotes",
    "services: {a: {image: x, ports: [80, 80]}}\n": "twice",
    "services: {a: {image: x, ports: [70000]}}\n": "65535",
    "services: {a: {image: x, ports: ['80/xyz']}}\n": "tcp, udp or sctp",
    "services: {a: {image: x, ports: ['80-70:80']}}\n": "backwards",
    "services: {a: {image: x, healthcheck: {interval: 30}}}\n": "Put it in quotes: '30'",
    "services: {a: {image: x, healthcheck: {interval: 30x}}}\n": "1m30s",
    "services: {a: {image: x, command: 'a \"b'}}\n": "quotes",
    "services: {a: {image: x, volumes: ['']}}\n": "empty volume",
    "services: {a: {image: x, depends_on: {b: {condition: healthy}}}}\n": "a list",
    "services: {a: {image: x, ulimits: {nofile: {soft: 1}}}}\n": "'hard'",
    "services: {a: {image: x, labels: ['${A:bad}']}}\n": "$$",
    "services: {a: {image: 'x$'}}\n": "$$",
    "services: {a: {image: x, labels: ['${A:?say who}']}}\n": "A must be given: say who",
    "services: {a: {image: x, deploy: {replicas: '${N}'}}}\n": "N has no value",
    "services: {a: {image: x, ports: ['${PORT}:']}}\n": "PORT has no value",
    "services: {a: {image: x}}\nvolumes: {v: {external: true, driver: local}}\n": "'driver'",
    "services: {a: {image: x, environment: {N: .inf}}}\n": "number",
}

# The CLI takes these into the deployment and stops half way, with networks and services made: we refuse before.
REFUSED_EARLY = {
    "services: {a: {}}\n": "no image",
    "services: {a: {image: ''}}\n": "no image",
    "services: {a: {build: .}}\n": "does not build",
    "services: {a: {image: Repo/App}}\n": "lower case",
    "services: {a: {image: 'app:${TAG}'}}\n": "TAG has no value",
    "services: {a: {image: x, networks: [gone]}}\n": "'gone'",
    "services: {a: {image: x, volumes: ['gone:/x']}}\n": "'gone'",
    "services: {a: {image: x, secrets: [gone]}}\n": "'gone'",
    "services: {a: {image: x, deploy: {mode: everywhere}}}\n": "replicated",
    "services: {a: {image: x, deploy: {mode: global, replicas: 2}}}\n": "once on every host",
    "services: {a: {image: x, deploy: {restart_policy: {condition: never}}}}\n": "on-failure",
    "services: {a: {image: x, restart: sometimes}}\n": "unless-stopped",
    "services: {a: {image: x, healthcheck: {disable: true, test: 'x'}}}\n": "Remove one",
    "services: {a: {image: x, deploy: {placement: {constraints: ['region = ES']}}}}\n": "node.role == manager",
    "services: {a: {image: x, ports: ['80:80'], deploy: {endpoint_mode: dnsrr}}}\n": "mode: host",
    "services: {a: {image: x, volumes: [{type: strange, target: /x}]}}\n": "strange",
    "services: {a: {image: x, volumes: ['./data:/x']}}\n": "hosts do not have",
    "services: {a: {image: x}}\nconfigs: {c: {file: /etc/hostname}}\n": "outside the recipe",
    "services: {a: {image: x}}\nconfigs: {c: {file: ../../etc/passwd}}\n": "outside the recipe",
    "services: {a: {image: x}}\nconfigs: {c: {file: conf/none}}\n": "no file 'conf/none'",
    "services: {a: {image: x, env_file: /proc/self/environ}}\n": "outside the recipe",
    "services: {a: {image: x}}\nconfigs: {c: {}}\n": "'file'",
    "services: {a.b: {image: x}}\n": "'a.b'",
    "services: {}\n": "no services",
    "services: {a: {image: x, ports: ['80:80']}, b: {image: x, ports: ['80:81']}}\n": "'a' and 'b'",
}
