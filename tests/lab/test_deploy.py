"""Deploying for real: a provisioned host, a private Git repository, and what a visitor sees."""

import pytest

from deploynix.errors import Conflict
from jobs.actions import retry_job
from jobs.models import Status as JobStatus
from sites.actions.environment import create_environment_variable, pull_environment
from sites.actions.sites import (
    delete_site,
    enable_zero_downtime,
    forget_repository_host_key,
    resume_site,
    suspend_site,
    update_site,
)
from sites.models import Release, Site, Status
from tests.lab.sites import Shop, log_of, php_files, run, succeeded

pytestmark = [pytest.mark.lab, pytest.mark.django_db(transaction=True)]


def test_a_static_site_goes_live_from_a_private_repository(shop: Shop) -> None:
    site, repository = shop.static_site("hello", aliases=["www.alias.test"])
    job = succeeded(shop.deploy(site))
    site.refresh_from_db()
    assert shop.visit(site) == (200, "hello")
    assert shop.visit(site, host="www.alias.test") == (200, "hello")
    assert shop.visit(site, host="unknown.test")[0] == 404
    assert (site.status, site.repository_host_key) == (Status.ACTIVE, shop.git.host_key)
    assert site.current_release
    assert site.current_release.message == "First version"
    assert f"Commit {site.current_release.commit[:7]} by Lab: First version" in log_of(job)

    repository.commit({"index.html": "again"}, "Second version")
    succeeded(shop.deploy(site))
    assert shop.visit(site) == (200, "again")


def test_dotfiles_and_the_files_of_other_sites_stay_hidden(shop: Shop) -> None:
    other, _ = shop.static_site("the other's")
    succeeded(shop.deploy(other))
    site, repository = shop.static_site("mine", build_commands=f"ln -s {other.folder}/current/index.html stolen.html")
    repository.commit({".secret": "no", ".well-known/proof": "yes"}, "Dotfiles")
    succeeded(shop.deploy(site))
    assert shop.visit(site, "/.secret")[0] == 404
    assert shop.visit(site, "/.well-known/proof") == (200, "yes")
    assert shop.visit(site, "/stolen.html")[0] == 404
    for path in ("current/index.html", "releases", "repo.git/HEAD", "shared/folders"):
        assert "Permission denied" in shop.root(f"runuser -u {site.username} -- cat {other.folder}/{path}")


def test_a_php_site_runs_as_its_own_user_and_from_one_release(shop: Shop) -> None:
    repository = shop.repository(php_files("v1"))
    site = shop.site(repository, type="php", web_root="public")
    succeeded(shop.deploy(site))
    site.refresh_from_db()
    assert site.current_release
    assert shop.visit(site) == (200, f"{site.current_release_id} v1 v1 v1 {site.username}")
    assert shop.visit(site, "/nothing.php")[0] == 404
    assert shop.visit(site, "/lib/part.php")[0] == 404


def test_a_failing_build_names_the_command_and_leaves_the_old_release(shop: Shop) -> None:
    site, repository = shop.static_site("one")
    succeeded(shop.deploy(site))
    before = shop.releases_on_disk(site)
    update_site(shop.owner, site=site, build_commands="echo first\n# a comment\necho half >half && false\necho never")
    repository.commit({"index.html": "two"}, "Breaks")
    job = shop.deploy(site)
    assert job.status == JobStatus.FAILED
    assert job.error == "The build command `echo half >half && false` failed."
    assert "exit status 1: echo half >half && false" in log_of(job)
    assert "never" not in log_of(job).replace("echo never", "")
    assert shop.visit(site) == (200, "one")
    assert shop.releases_on_disk(site) == before

    update_site(shop.owner, site=site, build_commands="cat index.html")
    retry_job(shop.owner, job=job)
    succeeded(run(job))
    assert shop.visit(site) == (200, "two")


def test_a_failing_health_check_leaves_the_old_release(shop: Shop) -> None:
    repository = shop.repository(php_files("v1"))
    site = shop.site(repository, type="php", web_root="public")
    succeeded(shop.deploy(site))
    before, seen = shop.releases_on_disk(site), shop.visit(site)
    repository.commit({"public/index.php": "<?php http_response_code(500);"}, "Breaks")
    job = shop.deploy(site)
    assert (job.status, job.error) == (JobStatus.FAILED, "The health check failed: GET / answered 500.")
    assert shop.visit(site) == seen
    assert shop.releases_on_disk(site) == before

    repository.commit({"public/index.php": "<?php echo 'well';"}, "Mends")
    succeeded(shop.deploy(site))
    assert shop.visit(site) == (200, "well")


def test_a_release_that_fails_only_in_public_is_put_back(shop: Shop) -> None:
    repository = shop.repository({"index.php": "<?php echo 'one';"})
    site = shop.site(repository, type="php")
    succeeded(shop.deploy(site))
    # The check before going live comes over a socket, from no address.
    picky = "<?php if (str_starts_with($_SERVER['REMOTE_ADDR'], '127.')) { http_response_code(500); } echo 'two';"
    repository.commit({"index.php": picky}, "Breaks in public")
    job = shop.deploy(site)
    assert (job.status, job.error) == (JobStatus.FAILED, "The health check failed: GET / answered 500.")
    assert [step.status for step in job.steps.all()][3:5] == [JobStatus.SUCCEEDED, JobStatus.FAILED]
    assert shop.visit(site) == (200, "one")
    assert len(shop.releases_on_disk(site)) == 1


def test_a_branch_that_vanished_leaves_the_old_release(shop: Shop) -> None:
    site, repository = shop.static_site("one")
    repository.commit({"index.html": "side"}, "Side", branch="side")
    update_site(shop.owner, site=site, branch="side")
    succeeded(shop.deploy(site))
    repository.delete_branch("side")
    job = shop.deploy(site)
    assert (job.status, job.error) == (JobStatus.FAILED, "The repository has no branch, tag or commit 'side'.")
    assert shop.visit(site) == (200, "side")


def test_a_commit_or_another_branch_can_be_deployed_by_name(shop: Shop) -> None:
    site, repository = shop.static_site("one")
    second = repository.commit({"index.html": "two"}, "Two")
    repository.commit({"index.html": "three"}, "Three")
    repository.commit({"index.html": "side"}, "Side", branch="feature/side")
    for ref, text in ((second, "two"), ("feature/side", "side"), (None, "three")):
        succeeded(shop.deploy(site, ref))
        assert shop.visit(site) == (200, text)
    job = shop.deploy(site, "0123456789abcdef0123456789abcdef01234567")
    assert job.status == JobStatus.FAILED
    assert shop.visit(site) == (200, "three")


def test_a_full_disk_leaves_the_old_release(shop: Shop) -> None:
    site, repository = shop.static_site("one")
    succeeded(shop.deploy(site))
    releases = f"{site.folder}/releases"
    shop.root(
        f"cp -a {releases} /root/kept && mount -t tmpfs -o size=2m,mode=2750,uid=$(id -u {site.username}),"
        f"gid=$(id -g www-data) tmpfs {releases} && cp -a /root/kept/. {releases}/"
    )
    before = shop.releases_on_disk(site)
    repository.commit({"big": bytes(range(256)) * 16_384}, "Too big")
    job = shop.deploy(site)
    assert job.error == "The files of the commit could not be written: `git read-tree` failed."
    assert "The disk of the server is full." in log_of(job)
    assert shop.releases_on_disk(site) == before
    assert shop.visit(site) == (200, "one")

    update_site(shop.owner, site=site, build_commands="rm big\nhead -c 4m /dev/zero >filler")
    repository.commit({"big": "small"}, "Small again")
    job = shop.deploy(site)
    assert job.error == "The build command `head -c 4m /dev/zero >filler` failed."
    assert shop.releases_on_disk(site) == before
    assert shop.visit(site) == (200, "one")
    shop.root(f"umount {releases}")


def test_a_wrong_deploy_key_says_what_to_do(shop: Shop) -> None:
    site, _ = shop.static_site()
    other = shop.repository({"index.html": "other"})
    update_site(shop.owner, site=site, repository_url=other.ssh_url)
    job = shop.deploy(site)
    site.refresh_from_db()
    assert job.error == "`git fetch` failed."
    assert "deploy key" in job.hint
    assert (site.status, site.status_reason) == (Status.FAILED, "`git fetch` failed.")


def test_a_changed_host_key_of_the_repository_is_refused_with_both_fingerprints(shop: Shop) -> None:
    site, _ = shop.static_site()
    other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJfkNV4OS33ImTXvorZr72q4v5XhVEQKfvqsxOEJ/XaR"
    Site.objects.filter(pk=site.pk).update(repository_host_key=other)
    job = shop.deploy(site)
    assert job.status == JobStatus.FAILED
    assert job.error.count("SHA256:") == 2
    forget_repository_host_key(shop.owner, site=site)
    succeeded(shop.deploy(site))
    site.refresh_from_db()
    assert site.repository_host_key == shop.git.host_key


def test_rolling_back_and_pruning(shop: Shop) -> None:
    site, repository = shop.static_site("1")
    succeeded(shop.deploy(site))
    for number in range(2, 8):
        repository.commit({"index.html": str(number)}, f"Version {number}")
        succeeded(shop.deploy(site))
    assert len(shop.releases_on_disk(site)) == 5
    succeeded(shop.rollback(site))
    assert shop.visit(site) == (200, "6")
    oldest = Release.objects.filter(site=site).earliest("id")
    with pytest.raises(Conflict, match="no longer on the server"):
        shop.rollback(site, oldest)
    kept = Release.objects.filter(site=site, is_on_server=True).earliest("id")
    succeeded(shop.rollback(site, kept))
    assert shop.visit(site) == (200, "3")
    succeeded(shop.deploy(site))
    assert shop.visit(site) == (200, "7")
    site.refresh_from_db()
    assert sorted(shop.releases_on_disk(site)) == sorted(
        Release.objects.filter(site=site, is_on_server=True).values_list("folder", flat=True)
    )


def test_suspending_and_resuming(shop: Shop) -> None:
    site, repository = shop.static_site("one")
    succeeded(shop.deploy(site))
    succeeded(run(suspend_site(shop.owner, site=site)))
    status, page = shop.visit(site)
    assert status == 503
    assert "suspended" in page
    repository.commit({"index.html": "two"}, "Two")
    succeeded(shop.deploy(site))
    site.refresh_from_db()
    assert site.status == Status.SUSPENDED
    assert shop.visit(site)[0] == 503
    succeeded(run(resume_site(shop.owner, site=site)))
    assert shop.visit(site) == (200, "two")


def test_a_change_of_the_settings_reaches_the_server(shop: Shop) -> None:
    site, repository = shop.static_site("one")
    repository.commit({"dist/index.html": "built"}, "Built")
    succeeded(shop.deploy(site))
    succeeded(run(update_site(shop.owner, site=site, web_root="dist", domain="renamed.example.test")))
    site.refresh_from_db()
    assert shop.visit(site) == (200, "built")
    assert shop.visit(site, host="shop.example.test")[0] == 404


def test_the_environment_reaches_the_build_and_the_site(shop: Shop) -> None:
    site, _ = shop.static_site(build_commands='printf "%s" "$GREETING" >index.html\ncat .env >env.txt')
    create_environment_variable(shop.owner, site=site, name="GREETING", value='it\'s "$HOME" & more')
    succeeded(shop.deploy(site))
    assert shop.visit(site) == (200, 'it\'s "$HOME" & more')
    path = f"{site.folder}/shared/.env"
    assert shop.root(f"stat -c '%a %U' {path}").split() == ["600", site.username]

    shop.root(f"printf 'ADDED=\"by hand\"\\n' >>{path}")
    succeeded(run(pull_environment(shop.owner, site=site)))
    values = dict(site.environment.values_list("name", "value"))
    assert values == {"GREETING": 'it\'s "$HOME" & more', "ADDED": "by hand"}


def test_shared_folders_outlive_a_release(shop: Shop) -> None:
    site, repository = shop.static_site(shared_folders=["storage/app"])
    repository.commit({"storage/app/first.txt": "from the repository"}, "Storage")
    succeeded(shop.deploy(site))
    shop.root(f"runuser -u {site.username} -- touch {site.folder}/current/storage/app/upload")
    succeeded(shop.deploy(site))
    assert shop.root(f"ls {site.folder}/current/storage/app").split() == ["first.txt", "upload"]
    assert shop.visit(site, "/storage/app/first.txt") == (200, "from the repository")


def test_without_zero_downtime_the_build_is_in_place(shop: Shop) -> None:
    site, repository = shop.static_site("one", is_zero_downtime=False)
    repository.commit({"old.html": "old"}, "Old")
    succeeded(shop.deploy(site))
    assert shop.releases_on_disk(site) == ["live"]
    assert shop.visit(site) == (200, "one")
    update_site(shop.owner, site=site, build_commands="rm old.html\necho >>built")
    repository.commit({"index.html": "two"}, "Two")
    succeeded(shop.deploy(site))
    assert shop.visit(site) == (200, "two")
    assert shop.visit(site, "/old.html")[0] == 404
    with pytest.raises(Conflict, match="no earlier release"):
        shop.rollback(site)
    enable_zero_downtime(shop.owner, site=site)
    succeeded(shop.deploy(site))
    site.refresh_from_db()
    assert sorted(shop.releases_on_disk(site)) == sorted([str(site.current_release_id), "live"])
    succeeded(shop.rollback(site))
    assert shop.root(f"readlink {site.folder}/current").strip() == "releases/live"


def test_deleting_leaves_nothing(shop: Shop) -> None:
    kept, _ = shop.static_site("kept")
    succeeded(shop.deploy(kept))
    repository = shop.repository(php_files("v1"))
    site = shop.site(repository, type="php", web_root="public", build_commands="(sleep 600 &) >/dev/null 2>&1")
    create_environment_variable(shop.owner, site=site, name="NAME", value="value")
    succeeded(shop.deploy(site))
    assert shop.visit(site)[0] == 200
    job = succeeded(run(delete_site(shop.owner, site=site)))
    assert not Site.objects.filter(pk=site.pk).exists()
    assert job.label == f"Remove {site.domain}"
    assert shop.visit(site)[0] == 404
    assert shop.visit(kept) == (200, "kept")
    assert "no such user" in shop.root(f"id {site.username}")
    left = shop.root(f"find /etc /srv /var/log/sites /run/php /var/lib/deploynix -name '*{site.username}*'")
    assert left == ""
    assert site.username not in shop.root("cat /etc/passwd /etc/group /etc/shadow; ps -eo user:40,args")


def test_a_php_site_cannot_run_another_s_code_from_the_shared_cache(shop: Shop) -> None:
    other = shop.site(shop.repository({"index.php": "<?php echo 'cached'; $secret = 'known';"}), type="php")
    succeeded(shop.deploy(other))
    other.refresh_from_db()
    path = f"{other.folder}/releases/{other.current_release_id}/index.php"
    page = f"<?php $secret = 'unknown'; @include '{path}'; echo $secret;"
    site = shop.site(shop.repository({"index.php": page}), type="php")
    succeeded(shop.deploy(site))
    for _ in range(5):
        assert shop.visit(other) == (200, "cached")
        assert shop.visit(site) == (200, "unknown")
