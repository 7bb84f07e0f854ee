"""Rules for every template: nothing that the Content-Security-Policy would block, and only icons that exist."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import get_template

from tools import vendor

FOLDER = Path(settings.BASE_DIR) / "templates"
TEMPLATES = sorted(path for path in FOLDER.rglob("*.html"))
FORBIDDEN = {
    "a style attribute": r"\sstyle\s*=",
    "a style element": r"<style\b",
    "an inline script": r"<script\b(?![^>]*\ssrc=)",
    "an event handler": r"\son[a-z]+\s*=",
    "a handler of htmx": r"\s(?:data-)?hx-on\b",
    "evaluated JavaScript": r"hx-(?:vals|headers)\s*=\s*[\"'](?:js|javascript):|[\"']javascript:",
    "something from elsewhere": r"\s(?:src|href)=[\"'](?:https?:)?//",
}

# {% icon "name" %}, icon="name" handed to a component, and the third word of the tags of the navigation.
ICON = re.compile(r'(?:{% icon |\bicon=|_item "\w+" "[^"]+" )"([a-z0-9-]+)"')


def name_of(path: Path) -> str:
    return str(path.relative_to(FOLDER))


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_a_template_compiles_and_holds_nothing_that_the_browser_would_block(path: Path) -> None:
    get_template(name_of(path))
    text = path.read_text()
    found = [what for what, pattern in FORBIDDEN.items() if re.search(pattern, text, re.IGNORECASE)]
    assert found == [], f"{name_of(path)} holds {', '.join(found)}"


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("a style attribute", '<p style="color: red">'),
        ("a style element", "<style>p {}</style>"),
        ("an inline script", "<script>alert(1)</script>"),
        ("an event handler", '<a onclick="go()">'),
        ("a handler of htmx", '<a hx-on:click="go()">'),
        ("evaluated JavaScript", "<a hx-vals='js:{a: 1}'>"),
        ("something from elsewhere", '<img src="//example.com/a.png">'),
    ],
)
def test_the_rules_find_what_they_are_for(what: str, text: str) -> None:
    assert re.search(FORBIDDEN[what], text, re.IGNORECASE)


def test_every_icon_that_a_template_names_is_vendored() -> None:
    named = {match for path in TEMPLATES for match in ICON.findall(path.read_text())}
    assert named
    assert named <= set(vendor.ICONS)
    sprite = (vendor.FOLDER / vendor.SPRITE).read_text()
    assert set(re.findall(r'<symbol id="([^"]+)"', sprite)) == set(vendor.ICONS)
