from django.urls import path

from sites.api import environment, instances, projects, repositories, views

SITE = "servers/<str:server>/sites/<str:site>"

urlpatterns = [
    path("git-repositories/<str:git_repository>/setup-deploy-key", repositories.SetupDeployKey.as_view()),
    path("instances", instances.Instances.as_view()),
    path("instances/<str:instance>", instances.InstanceDetail.as_view()),
    path("projects", projects.Projects.as_view()),
    path("projects/<str:project>", projects.ProjectDetail.as_view()),
    path("sites", views.AllSites.as_view()),
    path("servers/<str:server>/sites", views.Sites.as_view()),
    path(SITE, views.SiteDetail.as_view()),
    path(f"{SITE}/cancel-scheduled-deploy", views.CancelScheduledDeploy.as_view()),
    path(f"{SITE}/deploy", views.Deploy.as_view()),
    path(f"{SITE}/enable-zero-downtime", views.EnableZeroDowntime.as_view()),
    path(f"{SITE}/environment-variables", environment.Variables.as_view()),
    path(f"{SITE}/environment-variables/pull", environment.Pull.as_view()),
    path(f"{SITE}/environment-variables/<str:variable>", environment.VariableDetail.as_view()),
    path(f"{SITE}/forget-host-key", views.ForgetHostKey.as_view()),
    path(f"{SITE}/releases", views.Releases.as_view()),
    path(f"{SITE}/resume", views.Resume.as_view()),
    path(f"{SITE}/rollback", views.Rollback.as_view()),
    path(f"{SITE}/schedule-deploy", views.ScheduleDeploy.as_view()),
    path(f"{SITE}/suspend", views.Suspend.as_view()),
]
