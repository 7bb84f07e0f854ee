"""Adding a site, changing one, its environment, projects, and deployments for later."""

from collections.abc import Iterable
from typing import Any, cast

from django import forms

from deploynix.forms import CODE, Lines, SecretTextarea
from servers.models import PHP_VERSIONS
from sites.models import Project, Site, Type


class SiteForm(forms.Form):
    """`projects` are those to choose from; where there are none, nothing is asked."""

    domain = forms.CharField(max_length=253, help_text="For example shop.example.com. It should point to the server.")
    aliases = Lines(help_text="Other names that the site answers to, one a line; *.example.com for all below one.")
    type = forms.ChoiceField(choices=Type.choices, initial=Type.STATIC)
    repository_url = forms.CharField(
        label="Repository",
        max_length=500,
        widget=forms.TextInput(attrs=CODE),
        help_text="https://host/path or git@host:path, without user name and password. A private repository is read"
        " over SSH with a deploy key, which the next page shows.",
    )
    branch = forms.CharField(max_length=255, initial="main", widget=forms.TextInput(attrs=CODE))
    web_root = forms.CharField(
        max_length=255,
        required=False,
        widget=forms.TextInput(attrs=CODE),
        help_text="The folder of the repository that is served, such as public. Empty for all of it.",
    )
    build_commands = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, **CODE}),
        help_text="One command a line, run one after the other in the release's folder. The first that fails stops the"
        " deploy, and the release before stays live.",
    )
    health_path = forms.CharField(
        max_length=255,
        initial="/",
        widget=forms.TextInput(attrs=CODE),
        help_text="A release goes live only once this path answers with a status below 400.",
    )
    shared_folders = Lines(help_text="Folders that all releases share, such as storage, one a line.")
    php_version = forms.ChoiceField(
        label="PHP version",
        required=False,
        choices=[("", "The server's"), *((version, f"PHP {version}") for version in PHP_VERSIONS)],
    )
    is_https_forced = forms.BooleanField(
        label="Send visitors to HTTPS",
        required=False,
        initial=True,
        help_text="As soon as the server serves a certificate, and for each name that it holds.",
    )
    project_id = forms.ChoiceField(label="Project", required=False)

    def __init__(self, *args: Any, projects: Iterable[Project], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(project.pk, project.name) for project in projects]
        if choices:
            cast(forms.ChoiceField, self.fields["project_id"]).choices = [("", "None"), *choices]
        else:
            del self.fields["project_id"]

    @classmethod
    def of(cls, site: Site, projects: Iterable[Project], data: Any = None) -> "SiteForm":
        return cls(data, initial={name: getattr(site, name) for name in cls.base_fields}, projects=projects)


class ProjectForm(forms.Form):
    name = forms.CharField(max_length=255)
    description = forms.CharField(max_length=1000, required=False, widget=forms.Textarea(attrs={"rows": 2}))


class AddSitesForm(forms.Form):
    """`sites` are those to choose from, with their server and project."""

    site_ids = forms.MultipleChoiceField(label="Sites", widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, sites: Iterable[Site], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(site.pk, _placed(site)) for site in sites]
        cast(forms.MultipleChoiceField, self.fields["site_ids"]).choices = choices


def _placed(site: Site) -> str:
    where = f"{site.domain}, on {site.server.name}"
    return f"{where}, now in {site.project.name}" if site.project else where


class ScheduleForm(forms.Form):
    scheduled_at = forms.DateTimeField(
        label="Time in UTC",
        widget=forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"}),
    )
    ref = forms.CharField(
        label="Branch, tag or commit",
        max_length=255,
        required=False,
        widget=forms.TextInput(attrs=CODE),
        help_text="Empty for the branch that the site has by then.",
    )


class VariableForm(forms.Form):
    name = forms.CharField(max_length=128, widget=forms.TextInput(attrs=CODE))
    value = forms.CharField(
        required=False,
        strip=False,
        widget=SecretTextarea(attrs={"rows": 2, **CODE}),
        help_text="It is stored encrypted.",
    )


class ValueForm(forms.Form):
    value = forms.CharField(
        label="New value",
        required=False,
        strip=False,
        widget=SecretTextarea(attrs={"rows": 3, **CODE}),
        help_text="It replaces the value, which is not shown.",
    )
