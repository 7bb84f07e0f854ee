"""The pages of applications and of the domains that are connected to them."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from deploynix import env
from deploynix.actor import Actor
from domains import actions, lookup
from domains.domain_connect.keys import key_name, public_records
from domains.models import Application, Connection, Handover, State, Way
from domains.states import move
from domains.verification import Sight, View
from providers.actions import create_credential
from providers.base import Kind
from providers.models import Credential

pytestmark = pytest.mark.django_db
DOMAIN = "shop.example.com"
RECORDS = [{"type": "A", "value": "203.0.113.10"}]


@pytest.fixture(autouse=True)
def _name_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of Squarespace, whoever asks."""
    server = lookup.NameServer("ns01.squarespacedns.com", ("203.0.113.53",))
    monkeypatch.setattr(lookup, "authority_of", lambda name: lookup.Authority("example.com", (server,)))


@pytest.fixture
def application(owner: Actor) -> Application:
    return actions.create_application(owner, name="Shop")


@pytest.fixture
def credential(owner: Actor) -> Credential:
    given = {"kind": Kind.DNS, "provider": "cloudflare", "name": "Ours"}
    return create_credential(owner, **given, values={"api_token": "canary-4711-token"})


def connected(owner: Actor, application: Application, way: Way, **given: Any) -> Connection:
    return actions.connect_domain(owner, application=application, domain=DOMAIN, way=way, records=RECORDS, **given)


def form(way: Way, *rows: tuple[str, str, str], **other: str) -> dict[str, str]:
    sent = {"domain": DOMAIN, "way": way.value, "records-TOTAL_FORMS": "3", "records-INITIAL_FORMS": "0"}
    for number in range(3):
        kind, name, value = rows[number] if number < len(rows) else ("A", "", "")
        prefix = f"records-{number}"
        sent |= {f"{prefix}-type": kind, f"{prefix}-name": name, f"{prefix}-value": value}
    return sent | other


def test_an_application_is_added_renamed_and_removed(owner_client: Client) -> None:
    made = owner_client.post("/applications/new", {"name": "Shop"}, follow=True)
    application = Application.objects.get()
    assert made.redirect_chain[-1][0] == application.get_absolute_url()
    assert b"No domain is connected yet" in made.content
    settings = f"{application.get_absolute_url()}/settings"
    assert b"is saved" in owner_client.post(settings, {"name": "Shop 2"}, follow=True).content
    assert b"Shop 2" in owner_client.get("/applications?q=shop").content
    assert (
        b"Type Shop 2 to confirm"
        in owner_client.post(f"{application.get_absolute_url()}/delete", {"confirm": "Shop"}, follow=True).content
    )
    owner_client.post(f"{application.get_absolute_url()}/delete", {"confirm": "Shop 2"})
    assert not Application.objects.exists()


def test_strangers_find_nothing_and_viewers_change_nothing(
    owner: Actor, application: Application, outsider_client: Client, member_client: Client
) -> None:
    connection = connected(owner, application, Way.MANUAL)
    page, own = application.get_absolute_url(), connection.get_absolute_url()
    for path in (page, f"{page}/settings", f"{page}/connect", own, f"{own}/go"):
        assert outsider_client.get(path).status_code == 404
    posts = [f"{page}/delete", f"{page}/credentials/use", *(f"{own}/{what}" for what in ("apply", "check", "discover"))]
    posts += [f"{own}/disconnect", f"{own}/disconnect/keep", f"{own}/delete"]
    for path in posts:
        assert outsider_client.post(path).status_code == 404, path
        assert member_client.post(path).status_code == 403, path
    assert b"Needs the ability provider:create" in member_client.get(page).content
    assert member_client.get(own).status_code == 200


def test_an_application_takes_a_credential_into_use(
    owner_client: Client, application: Application, credential: Credential, outsider: Actor
) -> None:
    page = application.get_absolute_url()
    foreign = create_credential(
        outsider, kind=Kind.DNS, provider="cloudflare", name="Theirs", values={"api_token": "x" * 40}
    )
    assert owner_client.post(f"{page}/credentials/use", {"credential_id": foreign.pk}).status_code == 404
    assert (
        b"Shop uses Ours"
        in owner_client.post(f"{page}/credentials/use", {"credential_id": credential.pk}, follow=True).content
    )
    assert list(application.credentials.all()) == [credential]
    owner_client.post(f"{page}/credentials/{credential.pk}/drop")
    assert not application.credentials.exists()


def test_a_domain_is_asked_for_its_ways(owner_client: Client, application: Application, credential: Credential) -> None:
    page = f"{application.get_absolute_url()}/connect"
    assert b"Go on" in owner_client.get(page).content
    assert b"is not a domain name" in owner_client.get(page, {"domain": "nothing at all"}).content
    shown = owner_client.get(page, {"domain": DOMAIN}).content.decode()
    assert "Squarespace serves the domain, and lets no program write records." in shown
    assert "DOMAIN_CONNECT_PROVIDER_ID is empty" in shown
    assert shown.index('value="manual" checked') < shown.index('value="credential"')


def test_the_best_way_is_that_of_the_provider_s_credential(
    owner_client: Client, application: Application, credential: Credential, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = lookup.NameServer("amy.ns.cloudflare.com", ())
    monkeypatch.setattr(lookup, "authority_of", lambda name: lookup.Authority("example.com", (server,)))
    page = f"{application.get_absolute_url()}/connect"
    assert 'value="credential" checked' in owner_client.get(page, {"domain": DOMAIN}).content.decode()
    Credential.objects.all().delete()
    cache.clear()
    shown = owner_client.get(page, {"domain": DOMAIN}).content.decode()
    assert "No DNS provider is connected." in shown
    assert "/settings/dns-providers/new/cloudflare" in shown or "Connect Cloudflare" in shown


def test_name_servers_that_nobody_can_ask_leave_the_way_by_hand(
    owner_client: Client, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(name: str) -> None:
        raise lookup.NoSuchDomain(f"{name} belongs to no domain that has name servers.", "Check its spelling.")

    monkeypatch.setattr(lookup, "authority_of", fail)
    shown = owner_client.get(f"{application.get_absolute_url()}/connect", {"domain": DOMAIN}).content.decode()
    assert "belongs to no domain that has name servers. Check its spelling." in shown
    assert 'value="manual" checked' in shown


def test_a_domain_is_connected_by_the_form(owner_client: Client, application: Application) -> None:
    page = f"{application.get_absolute_url()}/connect"
    refused = owner_client.post(page, form(Way.MANUAL, ("A", "", "nowhere"), ("A", "www", "203.0.113.10")))
    assert refused.status_code == 422
    assert "no address for a record of the type A" in refused.content.decode()
    assert 'value="203.0.113.10"' in refused.content.decode()
    assert owner_client.post(page, form(Way.MANUAL)).status_code == 422
    more = owner_client.post(page, form(Way.MANUAL, ("A", "", "203.0.113.10"), more="1"))
    assert more.content.count(b"<legend") == 7
    assert not Connection.objects.exists()

    done = owner_client.post(page, form(Way.MANUAL, ("A", "", "203.0.113.10"), ("A", "www", "203.0.113.10")))
    connection = Connection.objects.get()
    assert done["Location"] == connection.get_absolute_url()
    kept = [(row.type, row.name, row.value) for row in connection.records.all()]
    assert kept[:2] == [("A", "", "203.0.113.10"), ("A", "www", "203.0.113.10")]
    assert kept[2] == ("TXT", "_deploynix", f"deploynix-verification={connection.token}")
    again = owner_client.post(page, form(Way.MANUAL, ("A", "", "203.0.113.10")))
    assert "is connected already" in again.content.decode()


def test_what_is_entered_by_hand_is_shown_as_the_provider_wants_it_and_looked_for(
    owner: Actor, owner_client: Client, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = connected(owner, application, Way.MANUAL)
    move(owner, connection, State.PENDING, apex="example.com", dns_provider="Squarespace", checked_at=timezone.now())
    page = connection.get_absolute_url()
    shown = owner_client.get(page).content.decode()
    assert "Enter these at Squarespace, under Domains" in shown
    assert 'data-copy="shop"' in shown
    assert 'data-copy="_deploynix.shop"' in shown
    assert f'data-copy="deploynix-verification={connection.token}"' in shown
    assert shown.count("Not there yet") == 2

    first, second = connection.records.all()
    view = View("example.com", [], [Sight(first, True), Sight(second, False, "ns1 has no such record.")], frozenset())
    monkeypatch.setattr("domains.verification.look", lambda _: view)
    part = owner_client.get(page, headers={"HX-Request": "true"}).content.decode()
    assert (part.count(">There<"), part.count("> There<")) != (0, 0) or "There" in part
    assert part.count("Not there yet") == 1
    assert "ns1 has no such record." in part
    assert "<html" not in part


def test_conflicts_are_confirmed_one_by_one(
    owner: Actor, owner_client: Client, application: Application, credential: Credential
) -> None:
    connection = connected(owner, application, Way.CREDENTIAL, credential=credential)
    ours, other = (connection.conflicts.create(name=DOMAIN, type="A", value=f"192.0.2.{number}") for number in (1, 2))
    page = connection.get_absolute_url()
    shown = owner_client.get(page).content.decode()
    assert "192.0.2.1" in shown
    assert "Nothing of this is touched before you tick it" in shown
    # The job that connects it is still waiting.
    busy = owner_client.post(f"{page}/apply", {"conflicts": [ours.pk]}, follow=True)
    assert b"is being worked on" in busy.content
    from jobs.models import Job

    Job.objects.all().delete()
    owner_client.post(f"{page}/apply", {"conflicts": [ours.pk]})
    assert [row.confirmed_at is not None for row in (refreshed(ours), refreshed(other))] == [True, False]


def refreshed(row: Any) -> Any:
    row.refresh_from_db()
    return row


def test_a_disconnected_domain_can_be_forgotten_and_then_the_application(
    owner: Actor, owner_client: Client, application: Application
) -> None:
    connection = connected(owner, application, Way.MANUAL)
    page, own = application.get_absolute_url(), connection.get_absolute_url()
    assert b"Disconnect each of them" in owner_client.get(f"{page}/settings").content
    assert b"is connected to Shop" in owner_client.post(f"{page}/delete", {"confirm": "Shop"}, follow=True).content
    assert b"Nothing was done" in owner_client.post(f"{own}/disconnect", {"confirm": "shop"}, follow=True).content
    owner_client.post(f"{own}/disconnect", {"confirm": DOMAIN})
    assert refreshed(connection).state == State.DISCONNECTED
    assert owner_client.get(own).status_code == 200
    owner_client.post(f"{own}/delete")
    assert not Connection.objects.exists()
    owner_client.post(f"{page}/delete", {"confirm": "Shop"})
    assert not Application.objects.exists()


@pytest.fixture
def set_up(settings: Settings, tmp_path: Any) -> None:
    settings.BASE_URL = "https://panel.example.com"
    settings.DOMAIN_CONNECT_PROVIDER_ID = "panel.example.com"
    settings.DOMAIN_CONNECT_KEY = env.pem("DOMAIN_CONNECT_KEY", production=False, folder=tmp_path)


def test_domain_connect_that_is_not_set_up_says_so(owner_client: Client) -> None:
    assert b"DOMAIN_CONNECT_PROVIDER_ID is empty" in owner_client.get("/settings/domain-connect").content
    assert owner_client.get("/settings/domain-connect/template")["Location"] == "/settings/domain-connect"


@pytest.mark.usefixtures("set_up")
class TestDomainConnect:
    @pytest.fixture
    def connection(self, owner: Actor, application: Application) -> Connection:
        found = connected(owner, application, Way.DOMAIN_CONNECT)
        offered = {"sync_url": "https://dns.example/dc", "dns_provider": "Virtucon", "apex": "example.com"}
        move(owner, found, State.PENDING, **offered)
        return found

    def test_the_operator_downloads_what_providers_need(self, owner_client: Client) -> None:
        shown = owner_client.get("/settings/domain-connect").content.decode()
        assert f"{key_name()}.panel.example.com" in shown
        assert all(value in shown for value in public_records())
        file = owner_client.get("/settings/domain-connect/template")
        assert file["Content-Disposition"] == 'attachment; filename="panel.example.com.connect.json"'
        found = file.json()
        assert (found["providerId"], found["serviceId"]) == ("panel.example.com", "connect")
        assert found["syncPubKeyDomain"] == found["syncRedirectDomain"] == "panel.example.com"
        assert {row["groupId"] for row in found["records"]} >= {"ipv4", "token"}

    def test_what_does_not_fit_into_the_template_goes_another_way(
        self, owner_client: Client, application: Application
    ) -> None:
        rows = [("A", "", "203.0.113.10"), ("A", "", "203.0.113.11")]
        refused = owner_client.post(f"{application.get_absolute_url()}/connect", form(Way.DOMAIN_CONNECT, *rows))
        assert "Domain Connect has no place for a record of the type A at @" in refused.content.decode()
        assert not Connection.objects.exists()

    def sent(self, client: Client, connection: Connection) -> Mapping[str, list[str]]:
        """What goes to the provider with the person."""
        answer = client.get(f"{connection.get_absolute_url()}/go")
        assert answer["Location"].startswith("https://dns.example/dc/v2/domainTemplates/")
        return parse_qs(urlsplit(answer["Location"]).query)

    def test_the_person_goes_and_comes_back_once(
        self, owner_client: Client, member_client: Client, outsider_client: Client, connection: Connection
    ) -> None:
        query = self.sent(owner_client, connection)
        assert (query["domain"], query["host"], query["ipv4"]) == (["example.com"], ["shop"], ["203.0.113.10"])
        assert query["redirect_uri"] == ["https://panel.example.com/domain-connect/return"]
        [state] = query["state"]
        assert state not in str(list(Handover.objects.values()))
        assert member_client.get("/domain-connect/return", {"state": state}).status_code == 403
        assert outsider_client.get("/domain-connect/return", {"state": state})["Location"] == "/applications"
        assert refreshed(connection).state == State.PENDING

        assert owner_client.get("/domain-connect/return", {"state": state})["Location"] == connection.get_absolute_url()
        assert refreshed(connection).state == State.VERIFYING
        again = owner_client.get("/domain-connect/return", {"state": state}, follow=True)
        assert b"is not known, or not any more" in again.content

    def test_a_refusal_is_said_and_a_state_grows_old(self, owner_client: Client, connection: Connection) -> None:
        [state] = self.sent(owner_client, connection)["state"]
        said = owner_client.get("/domain-connect/return", {"state": state, "error": "access_denied"}, follow=True)
        assert b"was not allowed to write the records" in said.content
        assert refreshed(connection).state == State.PENDING
        [old] = self.sent(owner_client, connection)["state"]
        Handover.objects.update(expires_at=timezone.now())
        assert owner_client.get("/domain-connect/return", {"state": old})["Location"] == "/applications"
        assert owner_client.get("/domain-connect/return")["Location"] == "/applications"
