"""What services of a stack for Rancher do together: sidekicks, links, load balancers, volumes and secrets."""

from rancher_stacks import converted


def test_a_data_sidekick_becomes_named_volumes() -> None:
    made, notes = converted("""
        db:
          image: postgres
          labels: {io.rancher.sidekicks: db-data}
          volumes: ['/etc/localtime:/etc/localtime:ro']
          volumes_from: [db-data]
        db-data:
          image: busybox
          net: none
          command: /bin/true
          labels: {io.rancher.container.start_once: true}
          volumes: [/var/lib/postgresql/data, /backup, 'logs:/logs']
    """)

    assert list(made["services"]) == ["db"]
    assert made["services"]["db"]["volumes"] == [
        "/etc/localtime:/etc/localtime:ro",
        "logs:/logs",
        "db-data-var-lib-postgresql-data:/var/lib/postgresql/data",
        "db-data-backup:/backup",
    ]
    assert set(made["volumes"]) == {"logs", "db-data-var-lib-postgresql-data", "db-data-backup"}
    assert "The data container 'db-data' became the volume 'db-data-backup'" in notes


def test_several_services_share_a_data_container_read_only_where_they_said() -> None:
    made, _ = converted("""
        a: {image: x, volumes_from: [data]}
        b: {image: x, volumes_from: ['data:ro']}
        data: {image: alpine, entrypoint: ['true'], volumes: [/data]}
    """)

    assert made["services"]["a"]["volumes"] == ["data:/data"]
    assert made["services"]["b"]["volumes"] == ["data:/data:ro"]


def test_link_names_become_further_names() -> None:
    made, notes = converted("""
        web: {image: x, links: ['db:mysql', 'cache']}
        db: {image: x}
        cache: {image: x}
    """)

    assert made["services"]["db"]["networks"] == {"default": {"aliases": ["mysql"]}}
    assert "networks" not in made["services"]["cache"]
    assert "The link name 'mysql' became a further name of 'db'" in notes


def test_a_dns_service_becomes_a_further_name() -> None:
    made, notes = converted("""
        web: {image: x, links: ['all:backend']}
        all: {image: rancher/dns-service, links: [one, two]}
        one: {image: x}
        two: {image: x}
    """)

    assert made["services"]["one"]["networks"]["default"]["aliases"] == ["all", "backend"]
    assert made["services"]["two"]["networks"]["default"]["aliases"] == ["all", "backend"]
    assert "'all' became a further name" in notes


def test_networks_of_a_stack_become_its_one_network() -> None:
    made, notes = converted("""
        version: '2'
        services:
          web: {image: x, networks: {front: {aliases: [www]}}}
        networks: {front: {driver: bridge}}
    """)

    assert made["services"]["web"]["networks"] == {"default": {"aliases": ["www"]}}
    assert "Dropped 'networks' for 'web'" in notes


def test_the_network_of_the_host_becomes_the_external_network_host() -> None:
    made, notes = converted("web: {image: x, net: host, ports: ['80:80']}")

    assert made["networks"] == {"host": {"external": True, "name": "host"}}
    assert made["services"]["web"] == {"image": "x", "networks": ["host"]}
    assert "Dropped 'ports' for 'web'" in notes


def test_an_old_load_balancer_becomes_a_published_port() -> None:
    made, notes = converted("""
        lb: {image: 'rancher/load-balancer-service', ports: ['${port}:8000'], links: ['web:web']}
        web: {image: x}
    """)

    assert made["services"]["web"]["ports"] == ["${port}:8000"]
    assert list(made["services"]) == ["web"]
    assert "The load balancer 'lb' became the published port ${port}:8000 of 'web'" in notes


def test_target_labels_of_a_load_balancer_become_published_ports() -> None:
    made, _ = converted("""
        lb:
          image: rancher/load-balancer-service
          ports: ['443:443', '5000:5001/tcp']
          links: [web, registry]
          labels: {io.rancher.loadbalancer.target.web: 443=8443, io.rancher.loadbalancer.target.registry: '5001=5000'}
        web: {image: x}
        registry: {image: x}
    """)

    assert made["services"]["web"]["ports"] == ["443:8443"]
    assert made["services"]["registry"]["ports"] == ["5000:5000"]


def test_external_links_within_the_stack_are_links() -> None:
    made, _ = converted("web: {image: x, external_links: ['db:mysql']}\ndb: {image: x}")

    assert made["services"]["db"]["networks"] == {"default": {"aliases": ["mysql"]}}


RULES = """
    services:
      lb:
        scale: 1
        lb_config:
          certs: []
          port_rules:
          - {source_port: "${http}", target_port: 3000, service: web, protocol: http}
          - {source_port: 22, target_port: 2222, service: git, protocol: tcp}
"""


def test_rules_of_a_load_balancer_become_published_ports() -> None:
    made, _ = converted(
        """
        version: '2'
        services:
          lb: {image: 'rancher/lb-service-haproxy:v0.7', ports: ['${http}:${http}/tcp', '10022:22']}
          web: {image: x}
          git: {image: x}
        """,
        RULES,
        {"http": "8080"},
    )

    assert made["services"]["web"]["ports"] == ["${http}:3000"]
    assert made["services"]["git"]["ports"] == ["10022:2222"]


def test_links_to_a_load_balancer_lead_to_its_target() -> None:
    made, _ = converted("""
        lb: {image: rancher/load-balancer-service, expose: ['80:80'], links: [web]}
        web: {image: x}
        job: {image: x, links: ['lb:front']}
    """)

    assert made["services"]["web"]["networks"] == {"default": {"aliases": ["lb", "front"]}}


def test_volumes_are_declared_with_the_drivers_that_a_swarm_has() -> None:
    compose = """
        version: '2'
        services:
          a: {image: x, volumes: ['one:/1', 'two:/2', '/host:/3', '${path}:/4', 'five:/5']}
        volumes:
          one: {driver: local, driver_opts: {type: tmpfs}}
          two: {driver: rancher-nfs, per_container: true}
          five: {external: true, driver: local}
          unused: {}
    """

    made, notes = converted(compose, answers={"path": "/srv"})

    assert made["volumes"] == {
        "one": {"driver": "local", "driver_opts": {"type": "tmpfs"}},
        "two": {},
        "five": {"external": True},
    }
    assert "The volume 'two' lies on the local disk of each host: its driver 'rancher-nfs' exists on Rancher" in notes
    assert "The volume 'two' is not one per container any more" in notes


def test_the_volume_driver_of_a_service_is_that_of_its_volumes() -> None:
    compose = "a: {image: x, volume_driver: '${driver}', volumes: ['${where}:/data']}"

    made, _ = converted(compose, answers={"driver": "local", "where": "data"})
    bound, notes = converted(compose, answers={"driver": "rancher-nfs", "where": "/data"})

    assert made["volumes"] == {"data": {"driver": "${driver}"}}
    assert "volumes" not in bound
    assert notes == ""


def test_secrets_exist_already() -> None:
    made, _ = converted("""
        version: '2'
        services:
          a: {image: x, secrets: [one, {source: two, target: t, uid: '1', mode: '0400'}]}
        secrets: {one: {external: true}}
    """)

    assert made["services"]["a"]["secrets"] == ["one", {"source": "two", "target": "t", "uid": "1", "mode": 0o400}]
    assert made["secrets"] == {"one": {"external": True}, "two": {"external": True}}
