"""What a token is used for, by whom, how often it was refused, and what it could do."""

from datetime import timedelta
from typing import Any

from django.db.models import Max, Sum
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from deploynix.charts import Chart, daily_chart
from organizations.pages import ActionView
from tokens.actions import remove_unused
from tokens.models import Kind, Token, TokenCaller, TokenQuerySet
from tokens.simulator import Verdict, conditions, simulate
from tokens.unused import removable_words, unused_abilities
from tokens.usage import network_of
from tokens.views.base import TokenPage

CHART_DAYS = 30
LATEST = 50
REASONS = {
    "invalid_token": "Wrong secret, or revoked",
    "expired_token": "Expired",
    "inactive_key": "Switched off",
    "passphrase_required": "Passphrase missing or wrong",
    "ip_restricted": "Address not allowed",
    "rate_limited": "Too many passphrases tried",
}


class WatchingPage(TokenPage):
    """Stays readable once the token is revoked: that is when people want to know who used it."""

    def rows(self) -> TokenQuerySet:
        return Token.objects.shown_to(self.actor).select_related("organization")


class TokenUse(WatchingPage):
    tab = "use"
    template_name = "tokens/use.html"

    def get(self, request: HttpRequest, pk: str) -> HttpResponse:
        token = self.token
        unused = unused_abilities(token)
        return self.show(
            chart=self.chart(),
            callers=self.callers(),
            abilities=token.used_abilities.order_by("-last_at"),
            unused=sorted(unused),
            removable=removable_words(token, unused) if token.kind != Kind.ACCESS else [],
            may_remove=self.may_remove(),
            failures=self.failures(),
        )

    def chart(self) -> Chart:
        today = timezone.now().date()
        since = today - timedelta(days=CHART_DAYS - 1)
        rows = self.token.days.filter(day__gte=since).values_list("day", "count")
        return daily_chart(rows, since=since, until=today)

    def callers(self) -> list[tuple[TokenCaller, str]]:
        """Who used it last, with the country where it is known."""
        countries = dict(self.token.networks.values_list("network", "country"))
        callers = self.token.callers.order_by("-last_at", "-pk")[:LATEST]
        return [(caller, countries.get(network_of(caller.ip), "") if caller.ip else "") for caller in callers]

    def failures(self) -> list[dict[str, Any]]:
        groups = self.token.failures.values("code", "ip").annotate(total=Sum("count"), last=Max("last_at"))
        rows = groups.order_by("-last")[:LATEST]
        return [{**row, "reason": REASONS.get(row["code"], row["code"])} for row in rows]

    def may_remove(self) -> bool:
        own = self.token.kind == Kind.PERSONAL and self.token.user_id == self.user.pk
        return own or self.actor.can("token:update")


class RemoveUnused(TokenPage, ActionView):
    def perform(self) -> str:
        removed = remove_unused(self.actor, token=self.token)
        return f"{self.token.name} no longer carries {', '.join(removed)}."

    def get_success_url(self) -> str:
        return reverse("token_use", args=[self.kwargs["pk"]])


class TokenSimulator(WatchingPage):
    """`?q=` searches the operations; `?answer=denied` or `allowed` leaves the others out."""

    tab = "simulator"
    template_name = "tokens/simulator.html"

    def get(self, request: HttpRequest, pk: str) -> HttpResponse:
        verdicts = simulate(self.token)
        allowed = sum(verdict.allowed for verdict in verdicts)
        q, answer = request.GET.get("q", "").strip(), request.GET.get("answer", "")
        return self.show(
            verdicts=[verdict for verdict in verdicts if _matches(verdict, q.lower(), answer)],
            counts={"": len(verdicts), "allowed": allowed, "denied": len(verdicts) - allowed},
            conditions=conditions(self.token),
            q=q,
            answer=answer,
            given={"answer": answer},
        )


def _matches(verdict: Verdict, text: str, answer: str) -> bool:
    route = verdict.route
    if answer in ("allowed", "denied") and verdict.allowed != (answer == "allowed"):
        return False
    return text in f"{route.method} {route.path} {route.summary} {route.tag} {route.ability}".lower()
