"""Bars per day: what is measured, and what the component makes of it."""

import re
from datetime import date

import pytest
from django.template import Context, Template

from deploynix.charts import Chart, daily_chart

FIRST, LAST = date(2026, 3, 1), date(2026, 3, 4)


def chart(*rows: tuple[date, int]) -> Chart:
    return daily_chart(rows, since=FIRST, until=LAST)


def drawn(chart: Chart) -> str:
    component = '{% include "components/chart.html" with title="Uses per day" noun="use" %}'
    return Template(component).render(Context({"chart": chart}))


def test_each_day_has_a_bar_as_high_as_its_count() -> None:
    found = chart((date(2026, 3, 2), 10), (FIRST, 5))
    assert [(bar.day.day, bar.count, bar.height) for bar in found.bars] == [
        (1, 5, 50),
        (2, 10, 100),
        (3, 0, 0),
        (4, 0, 0),
    ]
    assert all(bar.y + bar.height == found.height for bar in found.bars)
    assert found.bars[-1].x + found.bar_width <= found.width
    assert (found.total, found.busiest.day) == (15, date(2026, 3, 2))


def test_a_little_is_seen_beside_much() -> None:
    found = chart((FIRST, 1), (LAST, 100_000))
    assert found.bars[0].height > 0


@pytest.mark.parametrize(
    ("most", "top"), [(0, 2), (1, 2), (2, 2), (3, 4), (5, 10), (11, 20), (40, 40), (41, 100), (999, 1000)]
)
def test_the_scale_ends_at_a_round_number(most: int, top: int) -> None:
    assert chart((FIRST, most)).top == top


@pytest.mark.parametrize(
    ("unit", "most", "top", "scale"),
    [
        ("bytes", 900, 1024, ("1 KB", "512 bytes")),
        ("bytes", 80_500_000, 128 * 1024**2, ("128 MB", "64 MB")),
        ("seconds", 21, 60, ("1 min", "30 s")),
        ("seconds", 95, 120, ("2 min", "1 min")),
        ("seconds", 3000, 7200, ("2 h", "1 h")),
    ],
)
def test_a_measure_has_a_scale_of_its_own(unit: str, most: int, top: int, scale: tuple[str, str]) -> None:
    found = daily_chart([(FIRST, most)], since=FIRST, until=LAST, unit=unit)
    assert found.top == top
    html = drawn(found).replace("\xa0", " ")
    assert f"<span>{scale[0]}</span><span>{scale[1]}</span><span>0</span>" in html
    assert "uses in" not in html


def test_a_day_outside_is_not_drawn() -> None:
    assert chart((date(2026, 3, 5), 7)).total == 0


def test_the_drawing_says_in_words_what_it_shows() -> None:
    html = drawn(chart((FIRST, 1), (LAST, 7)))
    assert 'role="img" aria-label="Uses per day"' in html
    assert "8 uses in 4 days, most on 4 Mar 2026: 7" in html
    assert "<title>1 Mar 2026: 1 use</title>" in html
    assert re.findall(r"<tr><td>(.+?)</td><td class=\"text-end\">(\d+)</td></tr>", html) == [
        ("4 Mar 2026", "7"),
        ("3 Mar 2026", "0"),
        ("2 Mar 2026", "0"),
        ("1 Mar 2026", "1"),
    ]
    assert html.count('class="chart-bar"') == 2


def test_nothing_is_drawn_as_nothing() -> None:
    html = drawn(chart())
    assert "0 uses in 4 days" in html
    assert "most on" not in html
    assert 'class="chart-bar"' not in html
