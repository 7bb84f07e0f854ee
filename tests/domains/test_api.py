"""Applications, and the DNS credentials they bring, under /api/v1."""

import pytest

from audit.models import AuditEvent
from deploynix.actor import Actor
from deploynix.errors import Conflict
from domains import actions
from domains.models import Application
from providers.actions import delete_credential
from providers.models import Credential
from tests.apiclient import ApiClient

pytestmark = pytest.mark.django_db
SECRET = "canary-4711-token"


@pytest.fixture
def application(owner: Actor) -> Application:
    return actions.create_application(owner, name="Shop")


def test_applications_are_added_listed_and_removed(api: ApiClient, outsider_api: ApiClient) -> None:
    made = api.post("/applications", {"name": " Shop "})
    assert made.status_code == 201
    data = made.json()["data"]
    assert data["name"] == "Shop"
    assert api.post("/applications", {"name": "Shop"}).json()["errors"] == {
        "name": ["The name has already been taken."]
    }
    assert api.get("/applications").json()["data"] == [data]
    assert api.get(f"/applications/{data['id']}").json()["data"] == data
    assert outsider_api.get("/applications").json()["data"] == []
    for path in ("", "/credentials"):
        assert outsider_api.get(f"/applications/{data['id']}{path}").status_code == 404
    assert outsider_api.delete(f"/applications/{data['id']}").status_code == 404
    assert api.delete(f"/applications/{data['id']}").status_code == 204
    told = AuditEvent.objects.filter(target_type="application").order_by("created_at")
    assert list(told.values_list("event", flat=True)) == [
        "application.created",
        "application.deleted",
    ]


def test_a_credential_is_stored_under_its_provider_key_and_never_comes_back(
    api: ApiClient, application: Application
) -> None:
    path = f"/applications/{application.pk}/credentials"
    answer = api.post(path, {"provider": "cloudflare", "credential": SECRET})
    assert answer.status_code == 201
    data = answer.json()["data"]
    assert (data["kind"], data["provider"], data["name"]) == ("dns", "cloudflare", "Shop cloudflare")
    assert answer.json()["job"]["id"]
    assert Credential.objects.get().secrets == {"api_token": SECRET}
    shown = api.get(path)
    assert [row["id"] for row in shown.json()["data"]] == [data["id"]]
    assert (
        SECRET.encode() not in answer.content + shown.content + api.get(f"/providers/credentials/{data['id']}").content
    )


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"provider": "nobody", "credential": SECRET}, "provider"),
        ({"credential": SECRET}, "provider"),
        ({"provider": "cloudflare"}, "values.api_token"),
        ({"provider": "cloudflare", "credential": SECRET, "kind": "server"}, "kind"),
    ],
)
def test_bad_input_changes_nothing(api: ApiClient, application: Application, sent: dict[str, str], field: str) -> None:
    answer = api.post(f"/applications/{application.pk}/credentials", sent)
    assert (answer.status_code, list(answer.json()["errors"])) == (422, [field])
    assert not Credential.objects.exists()


def test_a_credential_in_use_stays(owner: Actor, application: Application) -> None:
    credential = actions.add_credential(owner, application=application, provider="cloudflare", text=SECRET)
    with pytest.raises(Conflict, match="is used by the application Shop"):
        delete_credential(owner, credential=credential)
    actions.delete_application(owner, application=application)
    delete_credential(owner, credential=credential)
    assert not Credential.objects.exists()


def test_a_viewer_adds_nothing(member_api: ApiClient, application: Application) -> None:
    assert member_api.post("/applications", {"name": "Other"}).status_code == 403
    path = f"/applications/{application.pk}"
    body = {"provider": "cloudflare", "credential": SECRET}
    assert member_api.post(f"{path}/credentials", body).status_code == 403
    assert member_api.delete(path).status_code == 403
    assert member_api.get(f"{path}/credentials").json()["data"] == []
