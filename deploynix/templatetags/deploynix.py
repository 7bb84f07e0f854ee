"""What the templates of every app share: icons, times, colours of a status, abilities, form controls."""

from datetime import datetime
from html import unescape
from typing import Any, Protocol

from django import template
from django.forms import CheckboxInput, CheckboxSelectMultiple, RadioSelect, Select
from django.forms.boundfield import BoundField, BoundWidget
from django.http import HttpRequest
from django.template.defaultfilters import date as format_date
from django.template.defaultfilters import filesizeformat
from django.template.loader_tags import BLOCK_CONTEXT_KEY
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, strip_tags
from django.utils.safestring import SafeString

from deploynix.actor import Actor
from deploynix.api.responses import timestamp

register = template.Library()


class Timed(Protocol):
    started_at: datetime | None
    finished_at: datetime | None


STATUS_COLOURS = {
    "active": "green",
    "succeeded": "green",
    "success": "green",
    "ok": "green",
    "granted": "green",
    "connected": "green",
    "completed": "green",
    "restored": "green",
    "running": "blue",
    "creating": "blue",
    "in_progress": "blue",
    "provisioning": "blue",
    "installing": "blue",
    "deploying": "blue",
    "applying": "blue",
    "verifying": "blue",
    "info": "azure",
    "queued": "azure",
    "pending": "azure",
    "suspended": "yellow",
    "warning": "yellow",
    "limited": "yellow",
    "excess": "yellow",
    "unreachable": "orange",
    "deleting": "orange",
    "missing": "orange",
    "removing": "orange",
    "failed": "red",
    "failing": "red",
    "invalid": "red",
    "denied": "red",
    "error": "red",
}
_UNDER_WAY = {
    *("running", "provisioning", "installing", "deploying", "deleting"),
    *("creating", "removing", "in_progress", "applying", "verifying"),
}
_UNITS = ((86_400 * 365, "year"), (86_400 * 30, "month"), (86_400, "day"), (3600, "hour"), (60, "minute"))


@register.simple_tag(takes_context=True)
def block_text(context: template.Context, name: str) -> str:
    """The text of a block once more, without its tags: the page's title also stands in the browser's tab."""
    block = context.render_context[BLOCK_CONTEXT_KEY].get_block(name)
    return " ".join(unescape(strip_tags(block.nodelist.render(context))).split()) if block else ""


@register.simple_tag
def icon(name: str, classes: str = "") -> SafeString:
    """One of the icons listed in `tools/icons.txt`; decoration only, so a text must stand beside it."""
    return format_html(
        '<svg class="icon {}" aria-hidden="true"><use href="{}#{}"></use></svg>',
        classes,
        static("vendor/icons.svg"),
        name,
    )


@register.filter
def status_colour(status: str) -> str:
    """The Tabler colour of a status, or of a message's level; grey where nothing is good or bad about it."""
    return STATUS_COLOURS.get(status, "secondary")


@register.filter
def is_under_way(status: str) -> bool:
    return status in _UNDER_WAY


@register.simple_tag
def when(value: datetime | None, never: str = "never") -> SafeString | str:
    """A time as people say it, with the exact one on hover and for machines."""
    if value is None:
        return never
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>', timestamp(value), format_date(value, "j M Y, H:i:s"), ago(value)
    )


def ago(value: datetime) -> str:
    """For example `just now`, `3 minutes ago`, `in 2 days`."""
    seconds = int((timezone.now() - value).total_seconds())
    for size, unit in _UNITS:
        count = abs(seconds) // size
        if count:
            text = f"{count} {unit}{'s' if count > 1 else ''}"
            return f"{text} ago" if seconds > 0 else f"in {text}"
    return "just now" if seconds >= 0 else "in a moment"


@register.filter
def duration(seconds: float | None) -> str:
    """Seconds as `0.4 s`, `12 s`, `3 min 5 s`, `2 h 4 min`; nothing for None."""
    if seconds is None:
        return ""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if minutes else f"{rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


@register.filter
def measured(amount: int, unit: str) -> str:
    """An amount of a chart in its unit: `bytes`, `seconds`, or none."""
    if unit == "bytes":
        return filesizeformat(amount).replace(".0\xa0", "\xa0")
    if unit == "seconds":
        return duration(amount).removesuffix(" 0 s").removesuffix(" 0 min")
    return str(amount)


@register.filter
def listed(value: object) -> object:
    """A list as people write one, anything else as it is."""
    return ", ".join(map(str, value)) if isinstance(value, list) else value


@register.filter
def seconds_taken(work: Timed) -> float | None:
    """How long something took, or has taken until now; None where it has not started."""
    if work.started_at is None:
        return None
    return ((work.finished_at or timezone.now()) - work.started_at).total_seconds()


@register.filter
def can(actor: Actor | None, ability: str) -> bool:
    """`{% if actor|can:"site:deploy" %}`"""
    return actor is not None and actor.can(ability)


@register.filter
def control(field: BoundField, classes: str = "") -> SafeString:
    """The field's widget in Tabler's look, marked where it holds an error."""
    widget = field.field.widget
    if isinstance(widget, CheckboxInput | CheckboxSelectMultiple | RadioSelect):
        look = "form-check-input"
    elif isinstance(widget, Select):
        look = "form-select"
    else:
        look = "form-control"
    attrs: dict[str, Any] = {"class": " ".join(filter(None, [look, classes, widget.attrs.get("class")]))}
    if field.errors:
        attrs["class"] += " is-invalid"
    return field.as_widget(attrs=attrs)


@register.filter
def tick(choice: BoundWidget) -> SafeString:
    """One box of a field with several, in Tabler's look."""
    choice.data["attrs"]["class"] = "form-check-input"
    return choice.tag()


@register.filter
def layout_of(field: BoundField) -> str:
    """How `components/field.html` lays the field out: `check`, `choices` or `line`."""
    widget = field.field.widget
    if isinstance(widget, CheckboxInput):
        return "check"
    if isinstance(widget, CheckboxSelectMultiple | RadioSelect):
        return "choices"
    return "line"


@register.inclusion_tag("components/nav_item.html", takes_context=True)
def nav_item(context: template.Context, url_name: str, label: str, icon: str, also: str = "") -> dict[str, Any]:
    """A link of the navigation; active on each page whose URL name starts with the same noun, or one of `also`."""
    nouns = {url_name.partition("_")[0], *also.split()}
    return {"url": reverse(url_name), "label": label, "icon": icon, "active": _noun(context["request"]) in nouns}


@register.inclusion_tag("components/nav_item.html", takes_context=True)
def rail_item(context: template.Context, url_name: str, label: str, icon: str, also: str = "") -> dict[str, Any]:
    """A link of the settings' rail; active on its own page, those below it, and those of the nouns in `also`.

    A page that belongs elsewhere than its address says has the other address as `rail`.
    """
    url, request = reverse(url_name), context["request"]
    address: str = context.get("rail") or request.path
    active = address.startswith(url) or _noun(request) in also.split()
    return {"url": url, "label": label, "icon": icon, "active": active}


def _noun(request: HttpRequest) -> str:
    """What the page is about, by its URL name: `server` for `server_detail`."""
    match = request.resolver_match
    return (match.url_name or "").partition("_")[0] if match else ""
