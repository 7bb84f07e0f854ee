"""Invoices: written by commands, seen by owners and admins."""

from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from audit.models import AuditEvent
from deploynix.actor import Actor
from organizations.actions import issue_invoice
from organizations.models import Invoice, Organization
from organizations.money import in_minor_units, spoken
from tests.apiclient import ApiClient

pytestmark = pytest.mark.django_db


def issue(organization: Organization, number: str = "2026-0042") -> Invoice:
    due_at = timezone.now() + timedelta(days=14)
    description = "Professional plan, April 2026"
    return issue_invoice(
        organization, number=number, description=description, amount=104900, currency="EUR", due_at=due_at
    )


def run(name: str, *arguments: str, **options: object) -> str:
    out = StringIO()
    call_command(name, *arguments, stdout=out, **options)
    return out.getvalue()


@pytest.mark.parametrize(
    ("amount", "currency", "units", "text"),
    [
        ("1049", "EUR", 104900, "EUR 1,049.00"),
        ("0.07", "USD", 7, "USD 0.07"),
        ("4900", "JPY", 4900, "JPY 4,900"),
        ("1.234", "KWD", 1234, "KWD 1.234"),
    ],
)
def test_each_currency_has_its_own_digits(amount: str, currency: str, units: int, text: str) -> None:
    assert in_minor_units(Decimal(amount), currency) == units
    assert spoken(units, currency) == text


def test_a_command_issues_one(owner: Actor) -> None:
    said = run("issue_invoice", "Acme", "2026-0042", "49.00", "EUR", "Professional plan", due_in=30)
    assert said == "Invoice 2026-0042 of EUR 49.00 is issued to Acme.\n"
    invoice = Invoice.objects.get()
    assert (invoice.organization, invoice.amount, invoice.status) == (owner.organization, 4900, "open")
    assert timedelta(days=29) < invoice.due_at - timezone.now() < timedelta(days=31)
    event = AuditEvent.objects.get(event="invoice.issued")
    assert (event.actor, event.target, event.changes) == ("system", "2026-0042", {"amount": [None, "EUR 49.00"]})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("Nobody", "1", "49", "EUR", "Plan"), "No organization"),
        (("Acme", "taken", "49", "EUR", "Plan"), "number"),
        (("Acme", "", "49", "EUR", "Plan"), "number"),
        (("Acme", "1", "much", "EUR", "Plan"), "much is no amount"),
        (("Acme", "1", "49.001", "EUR", "Plan"), "EUR has 2 digits"),
        (("Acme", "1", "0.5", "JPY", "Plan"), "JPY has 0 digits"),
        (("Acme", "1", "1e30", "EUR", "Plan"), "amount"),
        (("Acme", "1", "Infinity", "EUR", "Plan"), "Infinity is no amount"),
        (("Acme", "1", "49", "euro", "Plan"), "currency"),
        (("Acme", "1", "49", "EUR", ""), "description"),
    ],
)
def test_the_command_says_what_it_cannot_do(owner: Actor, arguments: tuple[str, ...], message: str) -> None:
    issue(owner.organization, "taken")
    with pytest.raises(CommandError, match=message):
        run("issue_invoice", *arguments)
    assert Invoice.objects.count() == 1


def test_a_command_settles_an_open_one_once(owner: Actor) -> None:
    paid, void = issue(owner.organization, "1"), issue(owner.organization, "2")
    assert run("settle_invoice", "1", "paid") == "Invoice 1 is paid.\n"
    run("settle_invoice", "2", "void")
    paid.refresh_from_db()
    void.refresh_from_db()
    assert (paid.status, paid.paid_at is not None) == ("paid", True)
    assert (void.status, void.paid_at) == ("void", None)
    with pytest.raises(CommandError, match="The invoice 1 is paid"):
        run("settle_invoice", "1", "void")
    with pytest.raises(CommandError, match="No invoice has the number 3"):
        run("settle_invoice", "3", "paid")
    events = AuditEvent.objects.filter(event__in=("invoice.paid", "invoice.voided")).order_by("id")
    assert [row.changes for row in events] == [{"status": ["open", "paid"]}, {"status": ["open", "void"]}]


def test_the_api_lists_them(owner: Actor, outsider: Actor, api: ApiClient) -> None:
    issue(outsider.organization, "theirs")
    invoice = issue(owner.organization)
    body = api.get("/invoices").json()
    assert body["meta"]["total"] == 1
    row = body["data"][0]
    assert (row["id"], row["number"], row["amount"], row["currency"], row["status"], row["paid_at"]) == (
        *(invoice.pk, "2026-0042", 104900, "EUR", "open", None),
    )
    assert set(row) == {
        *("id", "number", "description", "amount", "currency"),
        *("status", "issued_at", "due_at", "paid_at"),
    }


def test_the_api_for_others(owner: Actor, member_api: ApiClient, outsider_api: ApiClient) -> None:
    issue(owner.organization)
    response = member_api.get("/invoices")
    assert (response.status_code, "billing:read" in response.json()["message"]) == (403, True)
    assert outsider_api.get("/invoices").json()["data"] == []
    assert ApiClient.signed_in(owner, ["billing:read"]).get("/invoices").status_code == 200


def test_the_list_takes_two_queries(
    owner: Actor, api: ApiClient, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(20):
        issue(owner.organization, str(number))
    api.get("/invoices")
    with django_assert_num_queries(2):
        assert len(api.get("/invoices?per_page=50").json()["data"]) == 20


def test_the_page_shows_plan_usage_and_invoices(owner: Actor, owner_client: Client, outsider_client: Client) -> None:
    owner.organization.plan = "starter"
    owner.organization.save()
    page = owner_client.get("/settings/billing").content.decode()
    assert "The Starter plan" in page
    assert 'aria-label="Servers"' in page
    assert "No invoices" in page
    invoice = issue(owner.organization)
    page = owner_client.get("/settings/billing").content.decode()
    for words in ("2026-0042", "EUR 1,049.00", "Open"):
        assert words in page
    Invoice.objects.update(due_at=timezone.now() - timedelta(days=1))
    assert "Overdue" in owner_client.get("/settings/billing").content.decode()
    run("settle_invoice", invoice.number, "paid")
    assert "Paid" in owner_client.get("/settings/billing").content.decode()
    assert "2026-0042" not in outsider_client.get("/settings/billing").content.decode()


def test_the_page_stays_cheap(
    owner: Actor, owner_client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    issue(owner.organization, "first")
    owner_client.get("/settings/billing")
    with django_assert_num_queries(9) as few:
        owner_client.get("/settings/billing")
    for number in range(20):
        issue(owner.organization, str(number))
    with django_assert_num_queries(len(few)):
        owner_client.get("/settings/billing")


def test_only_who_may_see_it_is_shown_the_way(owner_client: Client, member_client: Client) -> None:
    assert b'href="/settings/billing"' in owner_client.get("/settings/profile").content
    assert b'href="/settings/billing"' not in member_client.get("/settings/profile").content
