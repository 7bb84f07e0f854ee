"""What may be done to sites, by whom, and what is refused."""

from dataclasses import replace
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from audit.models import AuditEvent
from deploynix.actor import Actor
from deploynix.errors import Conflict, Denied, Invalid, LimitReached
from deploynix.ids import new_id
from deploynix.redact import secrets_of
from jobs.models import Job
from servers.models import Server
from servers.models import Status as ServerStatus
from sites.actions.deployments import deploy_site, rollback_site
from sites.actions.environment import (
    create_environment_variable,
    delete_environment_variable,
    pull_environment,
    reveal_environment_variable,
    update_environment_variable,
)
from sites.actions.sites import (
    create_site,
    delete_site,
    enable_zero_downtime,
    forget_repository_host_key,
    resume_site,
    suspend_site,
    update_site,
    username_for,
)
from sites.models import Deployment, Release, Site, Status
from tests.sites.conftest import fields

pytestmark = pytest.mark.django_db

HOSTILE = [
    ("domain", "shop.example.com\nevil"),
    ("domain", "shop.example.com;"),
    ("domain", "-shop.example.com"),
    ("domain", "192.0.2.1"),
    ("domain", "localhost"),
    ("domain", "*.example.com"),
    ("domain", "a" * 64 + ".example.com"),
    ("domain", "shop.example.com/path"),
    ("aliases", ["www.example.com; return 200"]),
    ("aliases", ["www.example.com", "www.example.com"]),
    ("aliases", ["shop.example.com"]),
    ("aliases", ["${evil}.example.com"]),
    ("aliases", ["*.*.example.com"]),
    ("aliases", ["www.*.example.com"]),
    ("aliases", ["*.com"]),
    ("branch", "--upload-pack=touch /tmp/evil"),
    ("branch", "-main"),
    ("branch", "a..b"),
    ("branch", "a b"),
    ("branch", "a~1"),
    ("branch", "a.lock"),
    ("branch", "a/.b"),
    ("branch", "@{u}"),
    ("branch", "main\n"),
    ("branch", ""),
    ("web_root", "../../etc"),
    ("web_root", "public/../../etc"),
    ("web_root", "public; }"),
    ("web_root", "$document_root"),
    ("web_root", "public folder"),
    ("web_root", ".git"),
    ("web_root", "-public"),
    ("shared_folders", ["../other"]),
    ("shared_folders", ["storage", "storage/app"]),
    ("shared_folders", [""]),
    ("health_path", "up"),
    ("health_path", "/up down"),
    ("health_path", "/up\r\nHost: other"),
    ("repository_url", "https://user:password@git.example.com/shop.git"),
    ("repository_url", "https://token@git.example.com/shop.git"),
    ("repository_url", "ssh://git:password@git.example.com/shop.git"),
    ("repository_url", "http://git.example.com/shop.git"),
    ("repository_url", "file:///etc"),
    ("repository_url", "ext::sh -c whoami"),
    ("repository_url", "--upload-pack=whoami"),
    ("repository_url", "ssh://-oProxyCommand=whoami/shop.git"),
    ("repository_url", "git@-oProxyCommand=whoami:shop.git"),
    ("repository_url", "git@git.example.com:-shop.git"),
    ("repository_url", "https://localhost/shop.git"),
    ("repository_url", "https://127.0.0.1/shop.git"),
    ("repository_url", "https://127.1/shop.git"),
    ("repository_url", "https://0x7f.0.0.1/shop.git"),
    ("repository_url", "https://2130706433/shop.git"),
    ("repository_url", "https://169.254.169.254/shop.git"),
    ("repository_url", "https://git.example.com:99999/shop.git"),
    ("repository_url", "https://git.example.com/$(whoami).git"),
    ("repository_url", "https://git.example.com/a b.git"),
    ("build_commands", "true\0"),
    ("build_commands", "true\n" * 101),
    ("php_version", "9.9"),
    ("type", "cgi"),
]


@pytest.mark.parametrize(("field", "value"), HOSTILE)
def test_hostile_values_are_refused_by_name_and_change_nothing(
    owner: Actor, server: Server, field: str, value: Any
) -> None:
    with pytest.raises(ValidationError) as refusal:
        create_site(owner, server=server, **fields(type="php") | {field: value})
    assert set(refusal.value.message_dict) == {field}
    assert not Site.objects.exists()
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize(
    "url",
    [
        "https://git.example.com/acme/shop.git",
        "https://git.example.com:8443/~acme/shop",
        "git://git.example.com/shop.git",
        "ssh://git@git.example.com:2222/acme/shop.git",
        "git@git.example.com:acme/shop.git",
        "deploy@10.0.0.5:shop.git",
    ],
)
def test_ordinary_addresses_of_repositories_are_taken(owner: Actor, server: Server, url: str) -> None:
    assert create_site(owner, server=server, **fields(repository_url=url)).repository_url == url


def test_a_new_site_is_tidied_and_has_a_user_and_a_key_of_its_own(owner: Actor, server: Server) -> None:
    site = create_site(
        owner,
        server=server,
        **fields(
            domain=" Bücher.Example ",
            aliases=["WWW.bücher.example", "*.Bücher.example"],
            type="php",
            web_root="/public/",
            build_commands="one\r\ntwo\n",
        ),
    )
    assert site.domain == "xn--bcher-kva.example"
    assert site.aliases == ["www.xn--bcher-kva.example", "*.xn--bcher-kva.example"]
    assert (site.web_root, site.build_commands, site.php_version) == ("public", "one\ntwo", "8.2")
    assert site.deploy_public_key.startswith("ssh-ed25519 ")
    assert site.deploy_private_key in secrets_of(owner.organization.pk)
    assert site.is_zero_downtime
    assert AuditEvent.objects.get().event == "site.created"
    other = create_site(owner, server=server, **fields())
    assert other.deploy_public_key != site.deploy_public_key


def test_user_names_fit_linux_and_differ() -> None:
    names = {username_for("a-very-long-name.that-goes-on-and-on.example.com") for _ in range(20)}
    assert len(names) == 20
    assert all(len(name) <= 32 and name.startswith("s-a-very-long-name-that-g") for name in names)


def test_php_needs_a_server_that_has_it(owner: Actor, server: Server) -> None:
    with pytest.raises(ValidationError, match=r"The server has PHP 8\.2"):
        create_site(owner, server=server, **fields(type="php", php_version="8.3"))
    Server.objects.update(php_version=None)
    with pytest.raises(ValidationError, match="The server has no PHP"):
        create_site(owner, server=server, **fields(type="php"))


def test_a_name_is_given_once_per_server(owner: Actor, server: Server) -> None:
    create_site(owner, server=server, **fields(aliases=["www.example.com"]))
    for taken in (fields(), fields(domain="www.example.com"), fields(domain="new.test", aliases=["shop.example.com"])):
        with pytest.raises(ValidationError, match="taken by another site"):
            create_site(owner, server=server, **taken)


def test_the_plan_caps_sites(owner: Actor, server: Server) -> None:
    owner.organization.plan = "free"
    owner.organization.save()
    for number in range(3):
        create_site(owner, server=server, **fields(domain=f"s{number}.example.com"))
    with pytest.raises(LimitReached) as refusal:
        create_site(owner, server=server, **fields())
    assert refusal.value.limit == "max_sites"


def test_a_viewer_may_do_nothing(member: Actor, owner: Actor, live: Site) -> None:
    variable = create_environment_variable(owner, site=live, name="NAME", value="value")
    attempts: list[tuple[str, Any]] = [
        ("site:create", lambda: create_site(member, server=live.server, **fields())),
        ("site:update", lambda: update_site(member, site=live, branch="other")),
        ("site:update", lambda: forget_repository_host_key(member, site=live)),
        ("site:delete", lambda: delete_site(member, site=live)),
        ("site:deploy", lambda: deploy_site(member, site=live)),
        ("site:rollback", lambda: rollback_site(member, site=live)),
        ("site:suspend", lambda: suspend_site(member, site=live)),
        ("site:suspend", lambda: resume_site(member, site=live)),
        ("site:zero-downtime", lambda: enable_zero_downtime(member, site=live)),
        ("env:update", lambda: create_environment_variable(member, site=live, name="X", value="")),
        ("env:update", lambda: update_environment_variable(member, variable=variable, value="")),
        ("env:update", lambda: delete_environment_variable(member, variable=variable)),
        ("env:update", lambda: pull_environment(member, site=live)),
        ("env:reveal", lambda: reveal_environment_variable(member, variable=variable)),
    ]
    for ability, attempt in attempts:
        with pytest.raises(Denied) as refusal:
            attempt()
        assert refusal.value.ability == ability
    assert not Job.objects.exists()


def test_changes_are_audited_and_taken_to_the_server_where_it_matters(owner: Actor, live: Site) -> None:
    assert update_site(owner, site=live, branch="main") is None
    assert not AuditEvent.objects.filter(event="site.updated").exists()
    assert update_site(owner, site=live, branch="next") is None
    assert AuditEvent.objects.get(event="site.updated").changes == {"branch": ["main", "next"]}
    job = update_site(owner, site=live, web_root="public")
    assert job
    assert (job.kind, job.lane) == ("configure_site", f"site:{live.pk}")
    assert update_site(owner, site=live, is_https_forced=False)
    assert AuditEvent.objects.filter(event="site.updated").latest("id").changes == {"is_https_forced": [True, False]}


def test_another_host_of_the_repository_has_another_host_key(owner: Actor, site: Site) -> None:
    Site.objects.update(repository_host_key="ssh-ed25519 AAAA")
    update_site(owner, site=site, repository_url="ssh://git@git.example.com/acme/other.git")
    site.refresh_from_db()
    assert site.repository_host_key
    update_site(owner, site=site, repository_url="git@other.example.com:acme/shop.git")
    site.refresh_from_db()
    assert site.repository_host_key == ""


def test_turning_zero_downtime_off_needs_its_own_ability(owner: Actor, site: Site) -> None:
    weaker = Actor(organization=owner.organization, abilities=owner.abilities - {"site:zero-downtime"}, user=owner.user)
    with pytest.raises(Denied):
        update_site(weaker, site=site, is_zero_downtime=False)
    update_site(owner, site=site, is_zero_downtime=False)
    assert enable_zero_downtime(owner, site=site).is_zero_downtime


def test_a_deploy_is_queued_in_the_lane_of_the_site(owner: Actor, site: Site) -> None:
    deployment = deploy_site(owner, site=site)
    assert deployment.job
    assert (deployment.ref, deployment.job.kind, deployment.job.lane) == ("main", "deploy_site", f"site:{site.pk}")
    site.refresh_from_db()
    assert site.status == Status.INSTALLING
    assert deploy_site(owner, site=site, ref="v1.2").ref == "v1.2"
    assert AuditEvent.objects.filter(event="site.deployed").count() == 2
    with pytest.raises(ValidationError):
        deploy_site(owner, site=site, ref="--upload-pack=x")
    assert Deployment.objects.count() == 2


def test_nothing_is_deployed_to_a_server_that_is_not_ready(owner: Actor, site: Site) -> None:
    Server.objects.update(provisioned_at=None, status=ServerStatus.PENDING)
    with pytest.raises(Conflict, match="not provisioned"):
        deploy_site(owner, site=site)


def test_a_rollback_takes_the_release_before_that_is_still_there(owner: Actor, live: Site) -> None:
    deployment = rollback_site(owner, site=live)
    assert deployment.release
    assert deployment.release.folder == "01A"
    with pytest.raises(Conflict, match="no longer on the server"):
        rollback_site(owner, site=live, release=Release.objects.get(folder="01B"))
    with pytest.raises(Conflict, match="current one"):
        rollback_site(owner, site=live, release=Release.objects.get(folder="01C"))
    other = create_site(owner, server=live.server, **fields(domain="other.example.com"))
    with pytest.raises(Invalid):
        rollback_site(owner, site=other, release=Release.objects.get(folder="01A"))
    with pytest.raises(Conflict, match="no earlier release"):
        rollback_site(owner, site=other)


def test_only_an_active_site_is_suspended_and_only_a_suspended_one_resumed(owner: Actor, live: Site) -> None:
    with pytest.raises(Conflict):
        resume_site(owner, site=live)
    assert suspend_site(owner, site=live).params == {"status": "suspended", "before": "active"}
    Site.objects.update(status=Status.SUSPENDED)
    with pytest.raises(Conflict):
        suspend_site(owner, site=live)
    assert resume_site(owner, site=live).params == {"status": "active", "before": "suspended"}


def test_deleting_waits_for_the_server_to_be_clean(owner: Actor, live: Site, server: Server) -> None:
    job = delete_site(owner, site=live)
    live.refresh_from_db()
    assert job
    assert (job.kind, live.status) == ("delete_site", Status.DELETING)
    for refused in (lambda: deploy_site(owner, site=live), lambda: delete_site(owner, site=live)):
        with pytest.raises(Conflict):
            refused()
    with pytest.raises(Conflict, match="at work"):
        delete_site(owner, site=live, force=True)
    Job.objects.update(status="failed")
    assert delete_site(owner, site=live, force=True) is None
    assert not Site.objects.filter(pk=live.pk).exists()
    never_deployed = create_site(owner, server=server, **fields())
    assert delete_site(owner, site=never_deployed) is None


def test_values_of_the_environment_are_encrypted_write_only_and_audited(owner: Actor, live: Site) -> None:
    variable = create_environment_variable(owner, site=live, name="APP_KEY", value="s3cret-value")
    assert "s3cret-value" in secrets_of(owner.organization.pk)
    with pytest.raises(ValidationError, match="has a variable of this name"):
        create_environment_variable(owner, site=live, name="APP_KEY", value="other")
    for name in ("1A", "A B", "A=B", "A\n", ""):
        with pytest.raises(ValidationError):
            create_environment_variable(owner, site=live, name=name, value="x")
    with pytest.raises(ValidationError):
        update_environment_variable(owner, variable=variable, value="nul\0")
    update_environment_variable(owner, variable=variable, value="an0ther-value")
    assert reveal_environment_variable(owner, variable=variable) == "an0ther-value"
    delete_environment_variable(owner, variable=variable)
    assert pull_environment(owner, site=live).kind == "pull_environment"
    events = list(AuditEvent.objects.filter(event__startswith="env.").order_by("id").values_list("event", "changes"))
    assert [event for event, _ in events] == [
        *("env.updated", "env.updated", "env.revealed", "env.deleted", "env.pulled")
    ]
    assert "value" not in str(events)


def test_the_longest_names_are_cut_in_the_labels_of_jobs(owner: Actor, server: Server) -> None:
    domain = f"{'a' * 60}.{'b' * 60}.{'c' * 60}.{'d' * 60}.example"
    token = replace(owner, token_id=new_id(), token_name="t" * 400)
    site = create_site(token, server=server, **fields(domain=domain))
    job = deploy_site(token, site=site).job
    assert job is not None
    job.refresh_from_db()
    assert job.label.startswith("Deploy aaaa")
    assert job.label.endswith("…")
    assert (len(job.label), len(job.actor)) == (255, 320)
