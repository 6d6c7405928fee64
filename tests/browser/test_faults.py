"""Bad input and faults as a user meets them: each has its sentence in its place, and nothing typed is lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from selenium import webdriver

from tests.browser.chrome import chrome
from tests.browser.conftest import PASSWORD
from tests.browser.pages import Person
from tests.browser.proxy import Proxy
from tests.support.lab import Lab, until

pytestmark = [pytest.mark.engine, pytest.mark.browser]

WEB = """version: "3.8"
services:
  web:
    image: 127.0.0.1:1/whoami:1
    stop_grace_period: 1s
"""
PORT = f"{WEB}    ports: ['8080:8000']\n"
# What is wrong, the compose file, the sentence, and the line it names.
BAD_FILES = {
    "bad YAML": (f"{WEB}   ports: [\n", "This is not valid YAML", 6),
    "forbidden key": (f"{WEB}    imagee: x\n", "can't have the key 'imagee' here", 6),
    "missing variable": (f"{WEB}    hostname: ${{TOKEN:?from your account}}\n", "TOKEN must be given", 6),
    "missing network": (
        f"{WEB}    networks: [shared]\nnetworks:\n  shared:\n    external: true\n",
        "The network 'shared' does not exist here",
        8,
    ),
    "busy port": (PORT, "Port 8080/tcp is in use by 'busy_web'", 6),
    "file outside the recipe": (
        f"{WEB}    configs: [users]\nconfigs:\n  users:\n    file: /etc/passwd\n",
        "'/etc/passwd' lies outside the recipe",
        9,
    ),
    "over-long service": (
        WEB.replace("web:", f"{'w' * 60}:"),
        "has 65 characters, a swarm allows 63. Shorten the stack name or the service name by 2.",
        3,
    ),
}
BAD_NAMES = {
    "capitals and a space": ("Web App", "use lower-case letters, digits and '-'"),
    "over-long": ("a" * 41, "The stack name is too long: 41 characters, at most 40"),
    "reserved": ("deploy", "This name is taken by the platform itself"),
    "taken": ("busy", "There is already a stack named 'busy' here"),
}


@pytest.fixture(scope="module")
def home(ann: Person) -> str:
    """The address of ann's environment with one host."""
    ann.signs_in("ann", PASSWORD)
    ann.creates_environment("Faults", "Standard")
    home = ann.goes_to_the_new_environment()
    ann.clicks("Add hosts")
    ann.types("How many", "1")
    ann.sees("1 host: fw-01", "#plan")
    ann.clicks("Add hosts", within="content")
    ann.watches_operation()
    return home


@pytest.fixture(scope="module")
def busy(ann: Person, home: str) -> None:
    """A stack called busy that has port 8080."""
    ann.opens(f"{home}stacks/deploy/")
    ann.deploys("busy", PORT)
    ann.watches_operation()


@pytest.fixture(autouse=True)
def good_pages(ann: Person, home: str) -> Iterator[None]:
    """At the end of each test no page has complained, and none can be scrolled sideways."""
    ann.finds_no_error_in_the_console()
    yield
    ann.finds_no_error_in_the_console()
    too_wide, ann.too_wide = ann.too_wide, []
    assert too_wide == []


@pytest.fixture
def proxy(platform: Lab, ann: Person) -> Iterator[Proxy]:
    with Proxy(platform.url).running() as proxy:
        yield proxy
        # A page whose proxy is gone tries again, and complains of it to the next test.
        ann.opens("/environments/")


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize("what", BAD_FILES)
def test_a_bad_compose_file_is_refused_with_its_line_and_kept(ann: Person, home: str, what: str) -> None:
    compose, sentence, line = BAD_FILES[what]
    ann.opens(f"{home}stacks/deploy/")
    ann.types("Stack name", "demo")
    ann.pastes("Compose file", compose)
    ann.sees(sentence, "#preview")
    ann.sees(f"line {line}", "#preview [data-line]")
    ann.looks_at(f"50-{what.replace(' ', '-')}")

    ann.script("document.getElementById('preview').replaceChildren()")
    ann.clicks("Deploy")
    ann.sees(sentence, "#preview")
    ann.sees("Not yet", "#preview")
    assert ann.path == f"{home}stacks/deploy/"
    assert ann.value("#id_compose") == compose
    assert ann.value("#id_name") == "demo"
    ann.clicks(f"line {line}")
    marked = "const c = document.getElementById('id_compose'); return c.value.slice(c.selectionStart, c.selectionEnd)"
    assert ann.script(marked) == compose.splitlines()[line - 1]


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize("what", BAD_NAMES)
def test_a_bad_stack_name_is_refused_at_its_field_and_kept(ann: Person, home: str, what: str) -> None:
    name, sentence = BAD_NAMES[what]
    ann.opens(f"{home}stacks/deploy/")
    ann.pastes("Compose file", WEB)
    ann.types("Stack name", name)
    ann.sees(sentence, "#name-error")
    ann.clicks("Deploy")
    ann.sees("Not yet", "#preview")
    ann.sees(sentence, "#name-error")
    assert ann.path == f"{home}stacks/deploy/"
    assert ann.value("#id_name") == name
    assert ann.value("#id_compose") == WEB


def test_a_missing_network_can_be_made_part_of_the_stack(ann: Person, home: str) -> None:
    ann.opens(f"{home}stacks/deploy/")
    ann.types("Stack name", "demo")
    ann.pastes("Compose file", BAD_FILES["missing network"][0])
    ann.clicks("Make shared part of this stack")
    ann.sees("Can be deployed", "#preview")
    ann.sees("demo_shared (new", "#preview")


def test_a_preview_that_comes_late_does_not_stop_the_deployment(ann: Person, home: str) -> None:
    ann.opens(f"{home}stacks/deploy/")
    ann.types("Stack name", "hasty")
    ann.pastes("Compose file", TICKER)
    ann.sees("Can be deployed", "#preview")
    form = "document.getElementById('stack-form')"
    ann.script(f"{form}.querySelector('[type=submit]').click(); {form}.dispatchEvent(new CustomEvent('preview'));")
    ann.watches_operation()


def lines_of(ann: Person) -> list[str]:
    """Everything the terminal of an operation shows, but times."""
    return ann.texts("#steps .step-title, #steps .step-word, #steps .line-text")


def ids_of(ann: Person) -> list[str]:
    return list(ann.script("return [...document.querySelectorAll('.terminal [id]')].map((e) => e.id)"))


def test_an_operation_goes_on_after_kill_9_and_so_does_its_page(ann: Person, home: str, platform: Lab) -> None:
    ann.opens(f"{home}hosts/add/")
    ann.types("How many", "2")
    ann.sees("2 hosts: fw-02 and fw-03, 2 will be managers", "#plan")
    ann.clicks("Add hosts", within="content")
    ann.is_at("/operations/")
    ann.marks_the_page()
    until(lambda: ann.count("#steps .line"), what="its first lines arrive")
    ann.sees("Live", "#live-sign")

    platform.kill(platform.processes[-1])
    ann.sees("Reconnecting", "#live-sign")
    ann.looks_at("60-platform-killed")
    platform.start_platform()
    ann.watches_operation()
    assert ann.page_was_not_loaded_again
    assert not ann.script("return document.getElementById('live-banner').checkVisibility()")
    shown = lines_of(ann)
    assert [name for name, times in Counter(ids_of(ann)).items() if times > 1] == []
    ann.finds_no_error_in_the_console("WebSocket connection to", "ERR_CONNECTION_REFUSED")
    ann.opens(ann.path)
    assert lines_of(ann) == shown
    ann.opens(f"{home}hosts/")
    for name in ("fw-01", "fw-02", "fw-03"):
        ann.sees_row(name, "Active", "Manager", css="#hosts tr")
    assert ann.count("#hosts tr") == 3
    assert len(platform.containers()) == 3


def test_a_connection_that_comes_back_brings_the_lines_that_were_missed_once(
    ann: Person, home: str, proxy: Proxy
) -> None:
    ann.opens(f"{home}stacks/deploy/")
    ann.deploys("replayed", WEB)
    operation = ann.path
    ann.opens(proxy.url + operation)
    ann.marks_the_page()
    ann.sees("Live", "#live-sign")
    proxy.cut()
    ann.sees("Reconnecting", "#live-sign")
    before = lines_of(ann)
    with ann.another_tab(operation):
        ann.watches_operation()
        whole = lines_of(ann)
    assert lines_of(ann) == before != whole
    proxy.heal()
    ann.watches_operation()
    assert ann.page_was_not_loaded_again
    assert lines_of(ann) == whole
    assert [name for name, times in Counter(ids_of(ann)).items() if times > 1] == []
    ann.finds_no_error_in_the_console("WebSocket connection to", "ERR_CONNECTION", "ERR_SOCKET", "ERR_EMPTY_RESPONSE")


def test_a_proxy_that_drops_the_upgrade_header_is_named_and_the_page_is_refreshed(
    ann: Person, home: str, proxy: Proxy
) -> None:
    proxy.drops_upgrade = True
    ann.opens(f"{proxy.url}{home}stacks/")
    ann.marks_the_page()
    ann.sees("the Upgrade header is missing", "#live-banner")
    ann.sees("Every 5 s", "#live-sign")
    ann.looks_at("61-websocket-blocked")
    with ann.another_tab(f"{home}stacks/deploy/"):
        ann.deploys("polled", WEB)
        ann.watches_operation()
    ann.sees_row("polled", "Running", "1 of 1", css="#stacks tr")
    assert ann.page_was_not_loaded_again

    ann.opens(f"{proxy.url}{home}logs/?stack=polled")
    ann.sees("the Upgrade header is missing", "[data-log-blocked]")
    ann.looks_at("62-logs-blocked")
    proxy.drops_upgrade = False
    ann.sees("Following", ".log-viewer", seconds=20)
    ann.no_longer_sees("Upgrade", "[data-log-blocked]")
    ann.finds_no_error_in_the_console("WebSocket connection to", "ERR_SOCKET")


TICKER = """version: "3.8"
services:
  ticker:
    image: 127.0.0.1:1/ticker:1
    environment: {RATE: "20"}
"""
TOP_LINE = """
const screen = document.querySelector("[data-log-screen]"), top = screen.getBoundingClientRect().top;
const line = [...document.querySelectorAll(".log-line")].find((e) => e.getBoundingClientRect().bottom > top);
return line && [line.querySelector(".log-text").textContent, Math.round(line.getBoundingClientRect().top - top)];
"""
NUMBERS = """
const texts = [...document.querySelectorAll(".log-line.stream-1 .log-text")].map((e) => e.textContent);
return texts.map((text) => Number(/^line (\\d+)$/.exec(text)?.[1])).filter(Boolean);
"""


def test_lines_that_one_reads_keep_their_place_over_a_lost_connection(ann: Person, home: str, proxy: Proxy) -> None:
    ann.opens(f"{home}stacks/deploy/")
    ann.deploys("ticking", TICKER)
    ann.watches_operation()
    ann.opens(f"{proxy.url}{home}logs/?stack=ticking")
    ann.sees("Stacks", ".breadcrumb")
    until(lambda: ann.count(".log-line") > 100, what="more lines than the screen shows")
    ann.script("document.querySelector('[data-log-screen]').scrollTop -= 400")
    ann.sees("Held", ".log-viewer")
    before = ann.script(TOP_LINE)
    proxy.cut()
    ann.sees("Reconnecting", ".log-viewer")
    assert ann.script(TOP_LINE) == before
    proxy.heal()
    ann.sees("Held", ".log-viewer", seconds=30)
    ann.sees("new lines: jump to the end", "[data-log-jump]")
    waiting = ann.text("[data-log-jump]")
    until(lambda: ann.text("[data-log-jump]") != waiting, what="lines arrive after the connection came back")
    assert ann.script(TOP_LINE) == before
    ann.clicks_on("[data-log-jump]")
    ann.sees("Following", ".log-viewer")
    numbers = ann.script(NUMBERS)
    assert numbers == list(range(numbers[0], numbers[-1] + 1)), "each line once, also those that were missed"
    ann.finds_no_error_in_the_console("WebSocket connection to", "ERR_CONNECTION", "ERR_SOCKET", "ERR_EMPTY_RESPONSE")


@pytest.mark.parametrize("page", ["", "settings/"], ids=["page with live rows", "page without"])
def test_the_end_of_an_operation_is_told_on_other_pages(ann: Person, home: str, page: str) -> None:
    ann.opens(f"{home}{page}")
    assert ann.texts("#toasts-live .toast") == []
    with ann.another_tab(f"{home}stacks/deploy/"):
        ann.deploys("fleeting", ABSENT)
        ann.watches_operation(state="Failed")
        assert ann.texts("#toasts-live .toast") == [], "its own page needs no toast"
    ann.sees("Deploy stack fleeting failed.", "#toasts-live")
    spoken = "return document.getElementById('announcer').textContent"
    if page:
        until(lambda: "fleeting failed" in ann.script(spoken), what="a screen reader hears of it")
    ann.looks_at("65-operation-failed-elsewhere")
    ann.clicks("See the operation")
    ann.sees("Deploy stack fleeting", "h1")
    ann.opens(f"{home}stacks/fleeting/remove/")
    ann.clicks("Remove fleeting")
    ann.watches_operation()
    assert ann.texts("#toasts-live .toast") == []


ABSENT = WEB.replace("whoami:1", "absent:1")
PICKY = f"{WEB}    deploy: {{placement: {{constraints: [node.labels.disk == ssd]}}}}\n"


@pytest.mark.parametrize(
    ("name", "compose", "sentence"),
    [
        ("absent", ABSENT, "the image 127.0.0.1:1/absent:1 can't be pulled"),
        ("picky", PICKY, "no host can take it"),
    ],
    ids=["image that can't be pulled", "constraint that no host meets"],
)
def test_what_can_not_run_says_why(ann: Person, home: str, name: str, compose: str, sentence: str) -> None:
    ann.opens(f"{home}stacks/deploy/")
    ann.deploys(name, compose)
    ann.watches_operation(state="Failed")
    ann.sees(sentence, "#operation-result")
    ann.looks_at(f"64-{name}")
    ann.clicks(name)
    ann.sees("Failed", "#stack-head")
    ann.sees(sentence, "#stack-head")
    ann.clicks("Remove")
    ann.clicks(f"Remove {name}")
    ann.watches_operation()


def test_an_environment_can_be_deleted_while_its_hosts_are_made(ann: Person, home: str, platform: Lab) -> None:
    kept = platform.leftovers()
    ann.creates_environment("Short-lived", "Evaluation")
    short = ann.goes_to_the_new_environment()
    ann.clicks("Add hosts")
    ann.clicks("Add hosts", within="content")
    ann.is_at("/operations/")
    making = ann.opens_tab(ann.path)
    ann.opens(f"{short}delete/")
    ann.types("Type the environment's name", "Short-lived")
    ann.clicks("Delete this environment")
    ann.watches_operation()
    assert platform.leftovers() == kept
    with ann.at_tab(making):
        ann.watches_operation(state="Cancelled")
        ann.finds_no_error_in_the_console()
        ann.driver.close()
    ann.opens("/environments/")
    ann.sees("Faults")
    assert "Short-lived" not in ann.text("main")


STATUS = "const r = new XMLHttpRequest(); r.open('GET', arguments[0], false); r.send(); return r.status"
ANSWERS = """
const [address, done] = arguments;
const socket = new WebSocket(address.replace("http", "ws"));
socket.onopen = () => done("open");
socket.onclose = () => done("refused");
"""


def test_an_outsider_is_told_that_there_is_nothing(
    ann: Person, home: str, platform: Lab, driver: webdriver.Chrome
) -> None:
    ann.opens(f"{home}operations/")
    links = "return [...document.querySelectorAll('main a[href], nav a[href]')].map((a) => a.pathname + a.search)"
    paths = {path for path in ann.script(links) if path.startswith(home)}
    ann.opens(f"{home}hosts/")
    paths |= {path for path in ann.script(links) if path.startswith(home)} | {f"{home}delete/", home}
    assert len(paths) > 9
    sockets = [ann.script("return document.querySelector('main').dataset.liveSocket")]
    assert driver.execute_async_script(ANSWERS, platform.url + sockets[0]) == "open"
    with chrome() as other:
        bob = Person(other, platform.url)
        bob.signs_in("bob", PASSWORD)
        assert {path: bob.script(STATUS, path) for path in paths} == dict.fromkeys(paths, 404)
        assert other.execute_async_script(ANSWERS, platform.url + sockets[0]) == "refused"
        bob.opens(home)
        bob.sees("There is nothing here for you")
        bob.looks_at("63-outsider")
        assert bob.too_wide == []
