"""Compose files of stacks whose deployments are told: those that fail by design, and those that change."""

# As a Java keystore begins: no text in any encoding that pages know.
KEYSTORE = b"\xfe\xed\xfe\xed\x00\x00\x00\x02" + bytes(range(256)) + b"\r\n"
FLAKY = """
services:
  web:
    image: 127.0.0.1:1/flaky:1
    environment: {SECONDS: "0", CODE: "3"}
    deploy: {restart_policy: {delay: 0s}}
"""
NOWHERE = """
services:
  web:
    image: 127.0.0.1:1/ticker:1
    deploy: {placement: {constraints: [node.labels.disk == ssd]}}
"""
ABSENT = """
services:
  web: {image: "127.0.0.1:1/absent:1", deploy: {restart_policy: {delay: 0s}}}
"""
# Who comes first has the folder, and runs; the other never gets it.
LAME = """
services:
  web:
    image: 127.0.0.1:1/ticker:1
    stop_grace_period: 1s
    command: ["sh", "-c", "mkdir /data/mine || exit 3; exec sh /app"]
    volumes: ["data:/data"]
    deploy: {replicas: 2, restart_policy: {delay: 0s}}
volumes:
  data: {}
"""
HEALTHY = """
services:
  web:
    image: 127.0.0.1:1/ticker:1
    stop_grace_period: 1s
    healthcheck: {test: ["CMD-SHELL", "echo the check says $TOLD; exit $CODE"], interval: 1s, retries: 1}
    deploy: {update_config: {failure_action: rollback, monitor: 3s}}
"""
SHARED = """
services:
  web:
    image: 127.0.0.1:1/ticker:1
    stop_grace_period: 1s
    networks: [shared]
    volumes: ["data:/data"]
    configs: [settings]
    secrets: [password]
networks:
  shared: {external: true}
volumes:
  data: {external: true}
configs:
  settings: {external: true}
secrets:
  password: {external: true}
"""
HALF = """
services:
  first: {image: "127.0.0.1:1/ticker:1", stop_grace_period: 1s}
  second: {image: "127.0.0.1:1/ticker:1", stop_grace_period: 1s, ports: ["18077:80"]}
"""
RESERVING = """
version: "3.8"
services:
  web:
    image: 127.0.0.1:1/ticker:1
    stop_grace_period: 1s
    deploy: {update_config: {order: ORDER}, resources: {reservations: {memory: AMOUNT}}}
"""
PAIR = """
services:
  first: {image: "127.0.0.1:1/ticker:1", stop_grace_period: 1s}
  second: {image: "127.0.0.1:1/ticker:1", stop_grace_period: 1s}
"""
ROTATED = """
version: "3.8"
services:
  web:
    image: 127.0.0.1:1/ticker:1
    stop_grace_period: 1s
    configs: [settings]
    secrets: [password]
configs:
  settings: {file: ./settings.txt}
secrets:
  password: {file: ./password.txt}
"""
NETWORKED = """
services:
  web: {image: "127.0.0.1:1/ticker:1", stop_grace_period: 1s}
networks:
  default: {driver_opts: {com.docker.network.driver.mtu: "MTU"}}
"""
ELSEWHERE = """
version: "3.8"
services:
  web:
    image: 127.0.0.1:1/ticker:1
    command: ["sh", "-c", "echo $$HOME; exec sh /app"]
    environment: {RATE: "1e0", DB_PASSWORD: "s3cr$$et: {x}", EMPTY: ""}
    stop_grace_period: 1500ms
    stop_signal: SIGTERM
    init: true
    ports: ["18099:8000", {target: 9000, published: 19000, protocol: udp, mode: host}]
    volumes: ["data:/data", {type: tmpfs, target: /cache, tmpfs: {size: 1048576}}]
    networks: {inner: {aliases: [site]}}
    configs: [{source: settings, target: /etc/settings, mode: 0440}]
    extra_hosts: ["db:10.0.0.9"]
    cap_add: [NET_ADMIN]
    sysctls: {net.core.somaxconn: "1024"}
    ulimits: {nofile: {soft: 1000, hard: 2000}}
    labels: {inside: "a $$ sign"}
    logging: {driver: json-file, options: {max-size: 1m}}
    healthcheck: {test: ["CMD", "true"], interval: 1500ms, retries: 3, start_period: 1s}
    deploy:
      replicas: 1
      labels: {team: shop}
      resources: {limits: {cpus: "0.25", memory: 64M}, reservations: {memory: 16M}}
      restart_policy: {condition: on-failure, delay: 2s, max_attempts: 5}
      update_config: {parallelism: 2, delay: 1s, order: start-first, failure_action: rollback}
      placement: {constraints: [node.role == manager], preferences: [{spread: node.labels.zone}]}
  every:
    image: 127.0.0.1:1/ticker:1
    stop_grace_period: 1s
    deploy: {mode: global}
networks: {inner: {}}
volumes: {data: {labels: {keep: "yes"}}}
configs: {settings: {file: ./settings.txt}}
"""
