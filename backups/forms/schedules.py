"""The settings of a schedule, and the times that follow from them."""

from typing import Any

from django import forms

from backups import times
from backups.forms.making import StorageForm, TargetMixin
from backups.models import Schedule
from backups.models.schedules import LONGEST_AGE_HOURS, LONGEST_QUERY, MOST_KEPT
from deploynix.forms import CODE

OTHER = "other"
CRONS = {
    "0 * * * *": "Every hour",
    "0 2 * * *": "Every day at 02:00",
    "0 2 * * 0": "Every Sunday at 02:00",
    "0 2 1 * *": "On the first of every month at 02:00",
}
DRILL_CRONS = {
    "0 5 * * *": "Every day at 05:00",
    "0 5 * * 0": "Every Sunday at 05:00",
    "0 5 1 * *": "On the first of every month at 05:00",
}
AT_OTHER_TIMES = (OTHER, "At other times")
CRON_HELP = "Minute, hour, day of the month, month, day of the week: 30 3 * * 1-5 is 03:30 from Monday to Friday."
KEPT = (
    ("The newest", "So many, whenever they were made.", 7),
    ("Days", "Of so many days that have one, the newest.", 0),
    ("Weeks", "The same of weeks, which begin on Mondays.", 0),
    ("Months", "The same of months.", 0),
    ("Years", "The same of years.", 0),
)


class ScheduleForm(StorageForm):
    """The settings of a schedule. A time is one of those that most people want, or what stands in the field below."""

    preset = forms.ChoiceField(label="Times", choices=[*CRONS.items(), AT_OTHER_TIMES], initial="0 2 * * *")
    cron = forms.CharField(
        label="Cron expression", max_length=100, required=False, widget=forms.TextInput(attrs=CODE), help_text=CRON_HELP
    )
    timezone = forms.ChoiceField(
        label="Time zone",
        choices=lambda: [(name, name) for name in sorted(times.zones())],
        initial="UTC",
        help_text="Also of the days, weeks and months that are kept.",
    )
    max_age_hours = forms.IntegerField(
        label="Alarm after hours",
        required=False,
        min_value=1,
        max_value=LONGEST_AGE_HOURS,
        help_text="An alarm is raised when the newest good backup is older. Empty: the longest time between two, and"
        " two hours more.",
    )
    drill_preset = forms.ChoiceField(
        label="Drills",
        choices=[("", "Never"), *DRILL_CRONS.items(), AT_OTHER_TIMES],
        required=False,
        help_text="The newest good backup of a database is restored into a scratch database, checked and thrown away:"
        " that proves it. It takes as much room as the database. What is encrypted cannot be tried.",
    )
    drill_cron = forms.CharField(
        label="Cron expression of drills",
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs=CODE),
        help_text=CRON_HELP,
    )
    drill_query = forms.CharField(
        label="Query of drills",
        max_length=LONGEST_QUERY,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, **CODE}),
        help_text="One SELECT that has to give at least one row, such as SELECT 1 FROM orders LIMIT 1. May be empty.",
    )
    keep_last, keep_daily, keep_weekly, keep_monthly, keep_yearly = (
        forms.IntegerField(label=label, help_text=what, min_value=0, max_value=MOST_KEPT, initial=initial)
        for label, what, initial in KEPT
    )

    @classmethod
    def of(cls, schedule: Schedule, data: Any = None, **options: Any) -> "ScheduleForm":
        names = [name for name in cls.base_fields if hasattr(schedule, name)]
        initial = {name: getattr(schedule, name) for name in names}
        initial |= {"preset": _preset(schedule.cron, CRONS), "drill_preset": _preset(schedule.drill_cron, DRILL_CRONS)}
        return cls(data, initial=initial, **options)

    def clean(self) -> dict[str, Any]:
        super().clean()
        self._take("preset", "cron")
        self._take("drill_preset", "drill_cron")
        return self.cleaned_data

    def _take(self, preset: str, cron: str) -> None:
        chosen = self.cleaned_data.pop(preset, "")
        if chosen != OTHER:
            self.cleaned_data[cron] = chosen
        elif not self.cleaned_data.get(cron):
            self.add_error(cron, "Give the times.")


class NewScheduleForm(TargetMixin, ScheduleForm):
    target = forms.ChoiceField(
        label="Of", help_text="Of an application: what the releases of its site share, such as uploads."
    )


def _preset(cron: str, known: dict[str, str]) -> str:
    return cron if not cron or cron in known else OTHER


class TimesForm(forms.Form):
    """What the next times of a schedule follow from, while they are typed."""

    preset = forms.CharField(required=False)
    cron = forms.CharField(max_length=100, required=False)
    timezone = forms.CharField(validators=[times.check_zone])

    def clean(self) -> dict[str, Any]:
        super().clean()
        given = self.cleaned_data
        if given.get("preset") != OTHER:
            given["cron"] = given.get("preset", "")
        times.check_cron(given.get("cron", ""))
        return given
