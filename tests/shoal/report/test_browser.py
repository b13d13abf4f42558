"""The page in a real browser: on a phone, on a desk, without a network, without colour."""

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from selenium.webdriver import Chrome

from shoal.report.page import render
from shoal.report.profiling import make_report
from tests.shoal.report.browser import CONTRAST, DESKTOP, PHONE, ask, browser, log, set_width
from tests.shoal.report.synthetic import SyntheticState


@pytest.fixture(scope="module")
def page(state: SyntheticState, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """The report of some synthetic people, open."""
    file = Path(tmp_path_factory.mktemp("report")) / "report.html"
    file.write_text(
        render(make_report(state.people, state.model, state.history, warning="A <warning> & more."))
    )
    with browser() as chrome:
        chrome.get(file.as_uri())
        yield chrome


def test_nothing_is_loaded_and_nothing_complains(page: Chrome) -> None:
    sent = [json.loads(entry["message"])["message"] for entry in log(page, "performance")]
    urls = [
        one["params"]["request"]["url"]
        for one in sent
        if one["method"] == "Network.requestWillBeSent"
    ]
    assert [url for url in urls if not url.startswith(("file:", "data:"))] == []
    assert len([url for url in urls if url.startswith("file:")]) == 1
    assert [entry["message"] for entry in log(page, "browser")] == []


@pytest.mark.parametrize("size", [PHONE, (768, 1024), DESKTOP])
def test_the_page_never_scrolls_sideways(page: Chrome, size: tuple[int, int]) -> None:
    set_width(page, size)
    wide = ask(
        page,
        "return [...document.querySelectorAll('body *')].filter(n => n.getBoundingClientRect()"
        ".right > innerWidth + 1).map(n => n.outerHTML.slice(0, 80)).slice(0, 3)",
    )
    assert ask(page, "return document.documentElement.scrollWidth") <= size[0], wide
    assert ask(page, "return innerWidth") == size[0]


def test_headings_are_in_order(page: Chrome) -> None:
    script = "return [...document.querySelectorAll('h1,h2,h3,h4')].map(h => +h.tagName[1])"
    levels = ask(page, script)
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


@pytest.mark.parametrize("size", [PHONE, DESKTOP])
def test_all_text_stands_out_from_what_is_behind_it(page: Chrome, size: tuple[int, int]) -> None:
    set_width(page, size)
    ratio, where = ask(page, CONTRAST)
    assert ratio >= 4.5, where


def test_charts_say_in_words_what_they_show(page: Chrome) -> None:
    charts = ask(
        page,
        "return [...document.querySelectorAll('svg')].map(s => [s.getAttribute('role'), "
        "s.getAttribute('aria-label'), s.getAttribute('aria-hidden')])",
    )
    assert len(charts) > 10
    assert all((role == "img" and label) or hidden == "true" for role, label, hidden in charts)


def test_every_table_has_a_caption_and_scoped_headers(page: Chrome) -> None:
    tables = ask(
        page,
        "return [...document.querySelectorAll('table')].map(t => [!!t.caption, "
        "[...t.querySelectorAll('th')].every(h => h.scope), "
        "[...t.tBodies[0].rows].every(r => r.cells[0].scope === 'row')])",
    )
    assert len(tables) > 10
    assert all(all(one) for one in tables)


def test_links_lead_somewhere_and_the_language_is_named(page: Chrome) -> None:
    missing = ask(
        page,
        "return [...document.querySelectorAll('a')].filter(a => "
        "!document.getElementById(decodeURIComponent(a.hash.slice(1)))).length",
    )
    assert missing == 0
    assert ask(page, "return document.documentElement.lang") == "en"
    ids = ask(page, "return [...document.querySelectorAll('[id]')].map(n => n.id)")
    assert len(ids) == len(set(ids))


def test_what_people_typed_is_text(page: Chrome) -> None:
    assert "A <warning> & more." in ask(page, "return document.body.textContent")
    assert ask(page, "return document.querySelectorAll('script').length") == 0
