"""The jobs of sites. What a step learns is in the database before the next one starts."""

from typing import cast

from django.utils import timezone

from deploynix.dotenv import parse_dotenv
from deploynix.errors import Error
from jobs.kinds import JobKind, Step, register
from jobs.models import Job
from jobs.run import Run
from providers.contracts.git import GitProvider
from repositories.models import GitRepository
from sites import remote
from sites.actions.deployments import deploy_site
from sites.checks import require_place
from sites.models import (
    LIVE_FOLDER,
    SCHEDULED_DEPLOY,
    SETUP_DEPLOY_KEY,
    Deployment,
    EnvironmentVariable,
    Release,
    Site,
    Status,
)
from sites.validators import ssh_address

KEPT_RELEASES = 5


def site_of(run: Run) -> Site:
    return Site.objects.select_related("server", "current_release").get(pk=run.job.subject_id)


def deployment_of(run: Run) -> Deployment:
    return Deployment.objects.select_related("release").get(pk=run.job.params["deployment"])


def release_of(run: Run) -> Release:
    release = deployment_of(run).release
    if release is None:
        raise Error("The release is no longer known.", "Deploy again.")
    return release


def repository_of(run: Run) -> GitRepository:
    rows = GitRepository.objects.select_related("credential")
    repository = rows.filter(pk=run.job.params["repository"], organization=run.job.organization_id).first()
    if repository is None:
        raise Error("The repository has been disconnected.", "Connect it again under Git Providers.")
    return repository


class ReleaseJob(JobKind):
    """What deploying and rolling back have in common: a release that is checked, then put live."""

    def check(self, run: Run) -> None:
        site, release = site_of(run), release_of(run)
        if not remote.check(run, site, release):
            self.make_again(run)
            if not remote.check(run, site, release):
                raise Error("The release has gone from the server.", "Deploy its commit again.")

    def activate(self, run: Run) -> None:
        site, release = site_of(run), release_of(run)
        is_public = site.status != Status.SUSPENDED
        if not remote.activate(run, site, release, is_public=is_public):
            # Removed when an earlier attempt failed its check.
            self.check(run)
            remote.activate(run, site, release, is_public=is_public)
        self.record_activation(run, site, release)

    def make_again(self, run: Run) -> None:
        """Brings a release back that an earlier attempt removed. Raises Error where it cannot be."""
        raise Error("The release has gone from the server.", "Deploy its commit again.")

    def record_activation(self, run: Run, site: Site, release: Release) -> None:
        with run.write():
            if release.folder == LIVE_FOLDER:
                site.releases.filter(folder=LIVE_FOLDER).exclude(pk=release.pk).update(is_on_server=False)
            Release.objects.filter(pk=release.pk).update(is_on_server=True, activated_at=timezone.now())
            Site.objects.filter(pk=site.pk).update(current_release=release, updated_at=timezone.now())
            Site.objects.filter(pk=site.pk, status__in=(Status.PENDING, Status.INSTALLING, Status.FAILED)).update(
                status=Status.ACTIVE, status_reason=""
            )
        run.result(release=release.pk, commit=release.commit)

    def on_failed(self, job: Job, error: Error) -> None:
        self._end_first_deploy(job, Status.FAILED, error.message)

    def on_cancelled(self, job: Job) -> None:
        self._end_first_deploy(job, Status.PENDING, "")

    def _end_first_deploy(self, job: Job, status: Status, reason: str) -> None:
        site = Site.objects.filter(pk=job.subject_id, status=Status.INSTALLING)
        site.update(status=status, status_reason=reason, updated_at=timezone.now())


@register
class DeploySite(ReleaseJob):
    name = "deploy_site"
    ability = "site:deploy"
    steps = (
        Step("prepare", "Prepare the server"),
        Step("fetch", "Fetch the repository"),
        Step("build", "Build the release"),
        Step("check", "Check the release"),
        Step("activate", "Put the release live"),
        Step("prune", "Remove old releases"),
    )

    def prepare(self, run: Run) -> None:
        site = site_of(run)
        remote.prepare(site)
        if site.installed_at is None:
            with run.write():
                Site.objects.filter(pk=site.pk).update(installed_at=timezone.now())
        remote.configure(run, site)

    def fetch(self, run: Run) -> None:
        site, deployment = site_of(run), deployment_of(run)
        fetched = remote.fetch(run, site, deployment.ref)
        with run.write():
            if fetched.host_key:
                Site.objects.filter(pk=site.pk, repository_host_key="").update(repository_host_key=fetched.host_key)
            release, _ = Release.objects.update_or_create(
                pk=deployment.pk,
                defaults={
                    "site": site,
                    "folder": deployment.pk if site.is_zero_downtime else LIVE_FOLDER,
                    "commit": fetched.commit,
                    "author": fetched.author,
                    "message": fetched.message,
                },
            )
            Deployment.objects.filter(pk=deployment.pk).update(release=release)
        run.progress(30)

    def build(self, run: Run) -> None:
        remote.build(run, site_of(run), release_of(run))
        run.progress(70)

    def make_again(self, run: Run) -> None:
        self.build(run)

    def prune(self, run: Run) -> None:
        """Keeps the newest, and in any case the current one and the one that a rollback would return to."""
        site = site_of(run)
        served = site.releases.filter(is_on_server=True).order_by("-id")
        kept = {release.pk: release.folder for release in served[:KEPT_RELEASES]}
        for release in (site.current_release, served.filter(pk__lt=site.current_release_id).first()):
            if release:
                kept[release.pk] = release.folder
        remote.prune(site, sorted(set(kept.values())))
        with run.write():
            site.releases.filter(is_on_server=True).exclude(pk__in=kept).update(is_on_server=False)


@register
class RollbackSite(ReleaseJob):
    name = "rollback_site"
    ability = "site:rollback"
    steps = (Step("check", "Check the release"), Step("activate", "Put the release live"))


@register
class StartScheduledDeploy(JobKind):
    """Makes the deployment only when its time has come: releases go by age, and others may be deployed before it."""

    name = SCHEDULED_DEPLOY
    ability = "site:schedule"
    queue = "interactive"
    steps = (Step("start", "Start the deployment"),)

    def start(self, run: Run) -> None:
        if "deployment" in run.job.result:
            return
        with run.write():
            deployment = deploy_site(run.actor, site=site_of(run), ref=run.job.params["ref"])
            run.result(deployment=deployment.pk)
        run.line(f"Job {deployment.job_id} deploys {deployment.ref}.")


@register
class ConfigureSite(JobKind):
    name = "configure_site"
    ability = "site:update"
    steps = (Step("configure", "Apply the configuration"),)

    def configure(self, run: Run) -> None:
        remote.configure(run, site_of(run))


@register
class ChangeSiteStatus(JobKind):
    """Suspends or resumes: `params` hold the status to reach, and the one before."""

    name = "change_site_status"
    ability = "site:suspend"
    steps = (Step("configure", "Apply the configuration"), Step("confirm", "See what visitors get"))

    def configure(self, run: Run) -> None:
        with run.write():
            Site.objects.filter(pk=run.job.subject_id, status=run.job.params["before"]).update(
                status=run.job.params["status"], updated_at=timezone.now()
            )
        remote.configure(run, site_of(run))

    def confirm(self, run: Run) -> None:
        remote.await_status(run, site_of(run), is_suspended=run.job.params["status"] == Status.SUSPENDED)

    def on_failed(self, job: Job, error: Error) -> None:
        self.on_cancelled(job)

    def on_cancelled(self, job: Job) -> None:
        Site.objects.filter(pk=job.subject_id, status=job.params["status"]).update(status=job.params["before"])


@register
class DeleteSite(JobKind):
    name = "delete_site"
    ability = "site:delete"
    steps = (Step("configure", "Remove the configuration"), Step("remove", "Remove the user and all files"))

    def configure(self, run: Run) -> None:
        remote.configure(run, site_of(run), always=True)

    def remove(self, run: Run) -> None:
        remote.remove(site_of(run))

    def on_succeeded(self, job: Job) -> None:
        Site.objects.filter(pk=job.subject_id).delete()

    def on_failed(self, job: Job, error: Error) -> None:
        Site.objects.filter(pk=job.subject_id).update(status_reason=error.message, updated_at=timezone.now())


@register
class PullEnvironment(JobKind):
    name = "pull_environment"
    ability = "env:update"
    steps = (Step("pull", "Import the variables"),)

    def pull(self, run: Run) -> None:
        site = site_of(run)
        found = parse_dotenv(remote.read_dotenv(site))
        for name, value in found.items():
            EnvironmentVariable(site=site, name=name, value=value).clean_fields()
        with run.write():
            for name, value in found.items():
                EnvironmentVariable.objects.update_or_create(site=site, name=name, defaults={"value": value})
        run.line(f"Imported {len(found)}: {', '.join(sorted(found)) or 'the file is empty'}")
        run.result(imported=len(found))


@register
class SetupDeployKey(JobKind):
    name = SETUP_DEPLOY_KEY
    ability = "site:update"
    queue = "provider"
    steps = (Step("add", "Add the deploy key"),)

    def add(self, run: Run) -> None:
        site, repository = site_of(run), repository_of(run)
        # Both may have been changed since the job was queued.
        require_place(site, repository)
        provider = cast(GitProvider, repository.credential.adapter)
        key_id = provider.ensure_deploy_key(repository.provider_id, f"Deploynix: {site}", site.deploy_public_key)
        run.line(f"{site} may read {repository} at {provider.label}.")
        if ssh_address(site.repository_url) is None:
            run.line(f"Deploys use no key for {site.repository_url}: change it to {repository.ssh_url}.")
        run.result(key_id=key_id)
