"""Organizations under the name that API keys know them by."""

import pytest
from pytest_django import DjangoAssertNumQueries

from audit.models import AuditEvent
from deploynix.actor import Actor
from deploynix.errors import Denied
from organizations.actions import add_organization
from organizations.models import Membership, Organization
from tests import factories
from tests.apiclient import ApiClient

pytestmark = pytest.mark.django_db


def test_the_list_holds_the_organization_of_the_token(owner: Actor, api: ApiClient, outsider: Actor) -> None:
    assert owner.user
    Membership.objects.create(organization=factories.organization("Second"), user=owner.user, role="owner")
    body = api.get("/teams").json()
    assert body["meta"]["total"] == 1
    row = body["data"][0]
    assert (row["id"], row["name"], row["plan"], row["members_count"]) == (
        *(owner.organization.pk, "Acme", "enterprise", 1),
    )
    assert api.get(f"/teams/{row['id']}").json() == {"data": row}


def test_a_new_one_belongs_to_the_user_and_both_logs_tell(owner: Actor, api: ApiClient) -> None:
    response = api.post("/teams", {"name": " Second "})
    assert response.status_code == 201
    data = response.json()["data"]
    assert (data["name"], data["members_count"]) == ("Second", 1)
    membership = Membership.objects.get(organization=data["id"])
    assert (membership.user, membership.role) == (owner.user, "owner")
    events = AuditEvent.objects.filter(event="organization.created").order_by("id")
    assert [(row.organization_id, "(token tests)" in row.actor) for row in events] == [
        (data["id"], False),
        (owner.organization.pk, True),
    ]
    # The token stays where it is.
    assert [row["name"] for row in api.get("/teams").json()["data"]] == ["Acme"]
    assert api.get(f"/teams/{data['id']}").status_code == 404


def test_renames(owner: Actor, api: ApiClient) -> None:
    path = f"/teams/{owner.organization.pk}"
    response = api.call("PATCH", path, {"name": "Acme & Sons"})
    assert (response.status_code, response.json()["data"]["name"]) == (200, "Acme & Sons")
    response = api.call("PATCH", path, response.json()["data"] | {"name": "Acme"})
    assert response.json()["data"]["name"] == "Acme"
    assert api.call("PATCH", path, {}).status_code == 200


@pytest.mark.parametrize("body", [{"name": ""}, {"name": " "}, {"name": "x" * 256}, {"name": 1}, {"colour": "red"}])
def test_bad_input_changes_nothing(owner: Actor, api: ApiClient, body: dict[str, object]) -> None:
    assert api.post("/teams", body).status_code == 422
    assert api.call("PATCH", f"/teams/{owner.organization.pk}", body).status_code == 422
    assert [row.name for row in Organization.objects.all()] == ["Acme"]


def test_a_viewer_and_a_stranger(owner: Actor, member: Actor, member_api: ApiClient, outsider_api: ApiClient) -> None:
    path = f"/teams/{owner.organization.pk}"
    assert member_api.get(path).status_code == 200
    assert outsider_api.get(path).status_code == 404
    assert [row["name"] for row in outsider_api.get("/teams").json()["data"]] == ["Other"]
    assert member_api.post("/teams", {"name": "Mine"}).status_code == 403
    assert member_api.call("PATCH", path, {"name": "Mine"}).status_code == 403
    assert outsider_api.call("PATCH", path, {"name": "Mine"}).status_code == 404
    with pytest.raises(Denied, match="organization:create"):
        add_organization(member, name="Mine")
    assert not Organization.objects.filter(name="Mine").exists()


def test_abilities_of_a_token(owner: Actor) -> None:
    reader = ApiClient.signed_in(owner, ["organization:read"])
    assert reader.get("/teams").status_code == 200
    assert reader.post("/teams", {"name": "Second"}).status_code == 403
    assert ApiClient.signed_in(owner, ["server:read"]).get("/teams").status_code == 403
    assert ApiClient.signed_in(owner, ["organization:create"]).post("/teams", {"name": "Second"}).status_code == 201


def test_the_list_takes_two_queries(api: ApiClient, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    api.get("/teams")
    with django_assert_num_queries(2):
        api.get("/teams")
