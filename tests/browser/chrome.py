"""Headless Chromium: started with the flags a container needs, its console watched, its pages photographed."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

SHOTS = Path(__file__).resolve().parents[2] / "artifacts" / "screenshots"
WIDTHS = {"wide": (1280, 900), "phone": (390, 844)}
TALLEST = 4000
# Drawn at the new width and in the new colours only after two frames and all transitions.
SETTLED = """
const [done] = arguments;
requestAnimationFrame(() => requestAnimationFrame(() => {
  for (const one of document.getAnimations()) if (one instanceof CSSTransition) one.finish();
  done();
}));
"""
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Pages in background tabs are watched too.
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    "--window-size=1280,900",
)


@contextlib.contextmanager
def chrome() -> Iterator[webdriver.Chrome]:
    options = Options()
    options.binary_location = "/usr/bin/chromium"
    for flag in FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    try:
        driver.set_page_load_timeout(30)
        driver.set_script_timeout(10)
        yield driver
    finally:
        driver.quit()


def console_errors(driver: webdriver.Chrome) -> list[str]:
    """What the console has said since the last call, in words; warnings and notes are left out."""
    entries: list[dict[str, Any]] = driver.get_log("browser")  # type: ignore[no-untyped-call]
    return [str(entry["message"]) for entry in entries if entry["level"] == "SEVERE"]


def photograph(driver: webdriver.Chrome, name: str, *, dark: bool = False) -> list[str]:
    """The whole page at each width into artifacts/screenshots; the widths at which it can be scrolled sideways."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    wide = []
    theme = "dark" if dark else "light"
    before = driver.execute_script("return document.documentElement.dataset.bsTheme")
    driver.execute_script("document.documentElement.dataset.bsTheme = arguments[0]", theme)
    for word, (width, height) in WIDTHS.items():
        _resize(driver, width, height)
        if driver.execute_script("return document.documentElement.scrollWidth") > width:
            wide.append(f"{name} at {width} px")
        (SHOTS / f"{name}-{word}{'-dark' if dark else ''}.png").write_bytes(_whole_page(driver, width))
    driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    driver.execute_script("document.documentElement.dataset.bsTheme = arguments[0]", before or "light")
    return wide


def _resize(driver: webdriver.Chrome, width: int, height: int) -> None:
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    driver.execute_async_script(SETTLED)


def _whole_page(driver: webdriver.Chrome, width: int) -> bytes:
    height = min(TALLEST, driver.execute_script("return document.documentElement.scrollHeight"))
    clip: dict[str, Any] = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
    shot = driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
    return base64.b64decode(shot["data"])
