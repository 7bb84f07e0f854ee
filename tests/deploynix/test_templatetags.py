"""What the templates of every app share."""

from datetime import timedelta

import pytest
from django.template import Context, Template
from django.utils import timezone

from deploynix.templatetags import deploynix as tags


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "just now"),
        (59, "just now"),
        (61, "1 minute ago"),
        (3 * 3600 + 5, "3 hours ago"),
        (86_400 * 2 + 5, "2 days ago"),
        (86_400 * 65, "2 months ago"),
        (86_400 * 800, "2 years ago"),
        (-30, "in a moment"),
        (-86_400 * 3 - 60, "in 3 days"),
    ],
)
def test_times_are_said_as_people_say_them(seconds: int, text: str) -> None:
    assert tags.ago(timezone.now() - timedelta(seconds=seconds)) == text


def test_a_time_tells_machines_the_exact_one() -> None:
    value = timezone.now().replace(year=2026, month=4, day=16, hour=10, minute=30, second=0)
    html = tags.when(value)
    assert 'datetime="2026-04-16T10:30:00Z"' in html
    assert "16 Apr 2026, 10:30:00 UTC" in html
    assert tags.when(None, "never used") == "never used"


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, ""), (0.44, "0.4 s"), (59.4, "59 s"), (185, "3 min 5 s"), (7440, "2 h 4 min")]
)
def test_durations(seconds: float | None, text: str) -> None:
    assert tags.duration(seconds) == text


def test_a_disabled_action_says_which_ability_is_missing() -> None:
    context = {"url": "/x", "label": "Deploy", "ability": "site:deploy", "allowed": False, "method": "post"}
    html = Template('{% include "components/action.html" %}').render(Context(context))
    assert "disabled" in html
    assert "Needs the ability site:deploy" in html
    assert "<form" not in html
