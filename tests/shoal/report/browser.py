"""The distribution's chromium, driven by selenium: what a reader of the page would meet."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from selenium.webdriver import Chrome, ChromeOptions, ChromeService

PHONE = (390, 844)
DESKTOP = (1280, 900)

CONTRAST = """
const rgb = (text) => (text.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
const light = ([r, g, b]) => {
  const part = [r, g, b].map((v) => v / 255).map(
    (v) => (v <= 0.03928 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4)));
  return 0.2126 * part[0] + 0.7152 * part[1] + 0.0722 * part[2];
};
const behind = (node) => {
  for (let at = node; at; at = at.parentElement) {
    const found = rgb(getComputedStyle(at).backgroundColor);
    if (found.length < 4 || found[3] > 0) return found;
  }
  return [255, 255, 255];
};
let least = [99, ''];
const texts = 'h1,h2,h3,p,th,td,dt,dd,li,caption,figcaption,a,span,text';
for (const node of document.querySelectorAll(texts)) {
  if (!node.textContent.trim()) continue;
  const style = getComputedStyle(node);
  const ink = rgb(node.tagName === 'text' ? style.fill : style.color);
  const pair = [light(ink), light(behind(node))].sort((a, b) => b - a);
  const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
  if (ratio < least[0]) least = [ratio, node.tagName + ' ' + node.textContent.slice(0, 40)];
}
return least;
"""
"""The lowest contrast of any text, as WCAG 2 defines it, and where."""


@contextmanager
def browser() -> Iterator[Chrome]:
    """A browser that logs everything; skips where there is none, fails in CI."""
    binary, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if binary is None or driver is None:
        why = "no chromium and chromedriver: apt-get install chromium chromium-driver"
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    options = ChromeOptions()
    options.binary_location = binary
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    chrome = Chrome(options=options, service=ChromeService(driver))
    try:
        yield chrome
    finally:
        chrome.quit()


def set_width(chrome: Chrome, size: tuple[int, int]) -> None:
    """Show the page as on a screen of this size."""
    metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False}
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def ask(chrome: Chrome, script: str) -> Any:
    """Give what a script returns."""
    return chrome.execute_script(script)


def log(chrome: Chrome, kind: str) -> list[dict[str, Any]]:
    """Give a log of the browser since the last time it was asked for."""
    entries: list[dict[str, Any]] = chrome.get_log(kind)  # type: ignore[no-untyped-call]
    return entries
