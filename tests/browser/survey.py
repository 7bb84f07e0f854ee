"""Looks at a page as different people see it, and says what is wrong with it."""

from pathlib import Path
from typing import Any

from tests.browser.window import Window

LOOK_AT = Path(__file__).with_name("survey.js").read_text()
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "phone": {"color_scheme": "light", "viewport": {"width": 390, "height": 844}},
}


def problems_of(window: Window, look: str, pages: dict[str, str]) -> list[str]:
    """Opens each page, keeps a picture of it, and returns what is wrong with all of them."""
    found = []
    for name, path in pages.items():
        window.open(path).wait_for_load_state()
        window.shot(f"{name}-{look}")
        found += [f"{look} {path}: {problem}" for problem in window.page.evaluate(LOOK_AT)]
    return found
