"""What a person does and sees in the browser, in sentences; every wait has a deadline, none is a sleep."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any

from selenium import webdriver
from selenium.common.exceptions import (
    ElementClickInterceptedException,
    ElementNotInteractableException,
    StaleElementReferenceException,
    WebDriverException,
)
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from tests.browser.chrome import console_errors, photograph
from tests.support.lab import until

PATIENCE = 15.0
NETWORK_CHANGED = "ERR_NETWORK_CHANGED"
PASSING = (
    ElementClickInterceptedException,
    ElementNotInteractableException,
    StaleElementReferenceException,
)
TO_THE_MIDDLE = "arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})"
LABELLED = """
const [name] = arguments;
const words = (e) => e.textContent.replace(/\\s+/g, " ").trim();
const label = [...document.querySelectorAll("label, legend")].find((e) => words(e) === name);
return label?.control ?? null;
"""


def quoted(text: str) -> str:
    """A string of XPath, which knows no escapes."""
    assert "'" not in text or '"' not in text
    return f'"{text}"' if "'" in text else f"'{text}'"


class Person:
    """Somebody at a browser, on a platform's address."""

    def __init__(self, driver: webdriver.Chrome, url: str) -> None:
        self.driver = driver
        self.url = url
        self.too_wide: list[str] = []
        self._heard: list[str] = []

    # Where they are

    def opens(self, path: str) -> None:
        address = path if "://" in path else self.url + path

        def loaded() -> bool:
            try:
                self.driver.get(address)
            except WebDriverException as error:
                if NETWORK_CHANGED not in str(error.msg):
                    raise
                return False
            return not self._lost_a_file()

        until(loaded, what=f"{address} loads whole", seconds=PATIENCE)

    def _lost_a_file(self) -> bool:
        """Chromium drops what it is loading when this machine gets an interface, as each new host brings one."""
        fresh = console_errors(self.driver)
        self._heard += [message for message in fresh if NETWORK_CHANGED not in message]
        return any(NETWORK_CHANGED in message and "/static/" in message for message in fresh)

    @property
    def path(self) -> str:
        return str(self.driver.execute_script("return location.pathname + location.search"))

    def is_at(self, pattern: str, seconds: float = PATIENCE) -> None:
        until(
            lambda: re.search(pattern, self.path),
            what=f"the address has {pattern}, it is {self.path}",
            seconds=seconds,
        )
        if self._lost_a_file():
            self.opens(self.driver.current_url)

    @contextlib.contextmanager
    def another_tab(self, path: str) -> Iterator[None]:
        """A second tab for the time of the block."""
        first = self.driver.current_window_handle
        self.driver.switch_to.new_window("tab")
        second = self.driver.current_window_handle
        self.opens(path)
        yield
        self.driver.switch_to.window(second)
        self.driver.close()
        self.driver.switch_to.window(first)

    def opens_tab(self, path: str) -> str:
        """A second tab that stays; its handle."""
        first = self.driver.current_window_handle
        self.driver.switch_to.new_window("tab")
        self.opens(path)
        handle = str(self.driver.current_window_handle)
        self.driver.switch_to.window(first)
        return handle

    @contextlib.contextmanager
    def at_tab(self, handle: str) -> Iterator[None]:
        first = self.driver.current_window_handle
        self.driver.switch_to.window(handle)
        yield
        self.driver.switch_to.window(first)

    # What they see

    def text(self, css: str = "body") -> str:
        """The visible text of the first match, as one line; "" when there is none."""
        script = "return document.querySelector(arguments[0])?.innerText ?? ''"
        return " ".join(str(self.driver.execute_script(script, css)).split())

    def texts(self, css: str) -> list[str]:
        script = "return [...document.querySelectorAll(arguments[0])].map((e) => e.innerText)"
        return [" ".join(text.split()) for text in self.driver.execute_script(script, css)]

    def count(self, css: str) -> int:
        return int(self.driver.execute_script("return document.querySelectorAll(arguments[0]).length", css))

    def value(self, css: str) -> str:
        return str(self.driver.execute_script("return document.querySelector(arguments[0]).value", css))

    def sees(self, wanted: str, css: str = "body", *, seconds: float = PATIENCE) -> str:
        """Waits for the text, in any case of letters; what the place says then."""
        try:
            return str(
                until(
                    lambda: (said := self.text(css)) if wanted.lower() in self.text(css).lower() else "",
                    what=wanted,
                    seconds=seconds,
                )
            )
        except AssertionError:
            raise AssertionError(
                f"not within {seconds} s at {self.path}: {wanted!r} in {css}, which says: {self.text(css)[:2000]}"
            ) from None

    def sees_row(self, name: str, *words: str, css: str = "tbody tr", seconds: float = PATIENCE) -> str:
        """Waits for a row that has the name and every word."""

        def row() -> str:
            return next((t for t in self.texts(css) if name in t and all(w.lower() in t.lower() for w in words)), "")

        try:
            return str(until(row, what="", seconds=seconds))
        except AssertionError:
            raise AssertionError(
                f"not within {seconds} s at {self.path}: a row with {name} and {words}, there are: {self.texts(css)}"
            ) from None

    def no_longer_sees(self, unwanted: str, css: str = "body", *, seconds: float = PATIENCE) -> None:
        until(lambda: unwanted not in self.text(css), what=f"{unwanted} is gone from {css}", seconds=seconds)

    def looks_at(self, name: str, *, dark: bool = False) -> None:
        """Screenshots at both widths; a page that can be scrolled sideways is remembered."""
        self.too_wide += photograph(self.driver, name, dark=dark)

    def finds_no_error_in_the_console(self, *expected: str) -> None:
        """``expected`` are parts of messages that may stand there, such as the status of a refused form."""
        self._lost_a_file()
        heard, self._heard = self._heard, []
        found = [message for message in heard if not any(part in message for part in expected)]
        assert not found, f"the console of {self.path} says {found}"

    def marks_the_page(self) -> None:
        """A mark that is lost when the page is loaded again."""
        self.driver.execute_script("window.stillHere = true")

    @property
    def page_was_not_loaded_again(self) -> bool:
        return self.driver.execute_script("return window.stillHere === true") is True

    # What they do

    def clicks(self, label: str, *, within: str = "", seconds: float = PATIENCE) -> None:
        """A visible link or button by its whole text or its label for screen readers."""
        q = quoted(label)
        base = f"//*[@id={quoted(within)}]" if within else ""
        path = " | ".join(
            f"{base}//{tag}[normalize-space()={q} or @aria-label={q}]" for tag in ("a", "button", "summary")
        )

        def clicked() -> bool:
            with contextlib.suppress(*PASSING):
                for element in self.driver.find_elements(By.XPATH, path):
                    if element.is_displayed() and element.is_enabled():
                        # The driver does not scroll far enough on pages that were photographed whole.
                        self.driver.execute_script(TO_THE_MIDDLE, element)
                        element.click()
                        return True
            return False

        until(clicked, what=f"{label!r} can be clicked at {self.path}", seconds=seconds)

    def clicks_on(self, css: str) -> None:
        def clicked() -> bool:
            with contextlib.suppress(*PASSING):
                for element in self.driver.find_elements(By.CSS_SELECTOR, css):
                    if element.is_displayed():
                        self.driver.execute_script(TO_THE_MIDDLE, element)
                        element.click()
                        return True
            return False

        until(clicked, what=f"{css} can be clicked at {self.path}", seconds=PATIENCE)

    def field(self, label: str) -> WebElement:
        """The field of a label, by the label's whole text."""
        found: WebElement = until(
            lambda: self.driver.execute_script(LABELLED, label), what=f"a field {label!r}", seconds=PATIENCE
        )
        return found

    def types(self, label: str, text: str) -> None:
        """Into the field, in place of what is there."""
        field = self.field(label)
        field.send_keys(Keys.CONTROL, "a")
        field.send_keys(text or Keys.DELETE)

    def pastes(self, label: str, text: str) -> None:
        """Long text at once; the form hears of it as of typing."""
        self.driver.execute_script(
            "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input', {bubbles: true}))",
            self.field(label),
            text,
        )

    def chooses(self, label: str, word: str) -> None:
        """The first option with the word, of the labelled list; the form hears of it as of a person's."""
        field = self.field(label)
        options = field.find_elements(By.TAG_NAME, "option")
        chosen = next(one for one in options if word in str(one.get_attribute("textContent")))
        self.driver.execute_script(
            "arguments[0].value = arguments[1];"
            "for (const kind of ['input', 'change']) arguments[0].dispatchEvent(new Event(kind, {bubbles: true}))",
            field,
            chosen.get_attribute("value"),
        )

    def script(self, text: str, *args: Any) -> Any:
        return self.driver.execute_script(text, *args)

    # Whole pages

    def signs_in(self, name: str, password: str) -> None:
        self.opens("/")
        self.is_at("login")
        self.types("User name or e-mail", name)
        self.types("Password", password)
        self.clicks("Sign in")
        self.is_at("^/environments/$")

    def creates_environment(self, name: str, template: str) -> None:
        """From the page of all environments to adding hosts to the new one."""
        self.opens("/environments/new/")
        self.chooses_card(template)
        self.types("Name", name)
        self.clicks("Create environment")

    def goes_to_the_new_environment(self) -> str:
        """From adding its first hosts, where its maker is led; its address."""
        self.is_at(r"^/environments/[0-9a-f-]{36}/hosts/add/$")
        home = self.path.removesuffix("hosts/add/")
        self.opens(home)
        return home

    def chooses_card(self, title: str) -> None:
        """One of the large radio buttons."""
        path = f"//label[.//strong[normalize-space()={quoted(title)}]]"
        self.driver.find_element(By.XPATH, path).click()

    def watches_operation(self, *, state: str = "Succeeded", seconds: float = 150) -> str:
        """The operation's page to its end; how it ended."""
        self.is_at("/operations/")
        ended = ("Succeeded", "Failed", "Cancelled")

        def badge() -> str:
            word = self.text("#operation-badge .state-word")
            return word if word in ended else ""

        try:
            found = until(badge, what="", seconds=seconds)
        except AssertionError:
            raise AssertionError(f"{self.text('h1')} did not end:\n{self.text('.terminal')}") from None
        assert found == state, f"{self.text('#operation-result')}\n{self.text('.terminal')}"
        # The result comes with the badge, in one message.
        return self.text("#operation-result")

    def deploys(self, name: str, compose: str) -> None:
        """From the environment's deploy form to its operation; the form must find nothing wrong."""
        self.types("Stack name", name)
        self.pastes("Compose file", compose)
        self.sees("Can be deployed", "#preview")
        self.clicks("Deploy")
        self.is_at("/operations/")
