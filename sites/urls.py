from django.urls import path

from sites.views import environment, projects, schedule, sites

SITE = "servers/<str:server>/sites/<str:site>"
VARIABLE = f"{SITE}/environment/<str:variable>"

urlpatterns = [
    path("projects", projects.ProjectList.as_view(), name="project_list"),
    path("projects/new", projects.ProjectCreate.as_view(), name="project_create"),
    path("projects/<str:pk>", projects.ProjectDetail.as_view(), name="project_detail"),
    path("projects/<str:pk>/add-sites", projects.AddSites.as_view(), name="project_add_sites"),
    path("projects/<str:pk>/delete", projects.DeleteProject.as_view(), name="project_delete"),
    path("projects/<str:pk>/settings", projects.ProjectSettings.as_view(), name="project_settings"),
    path("projects/<str:pk>/sites/<str:site>/remove", projects.RemoveSite.as_view(), name="project_remove_site"),
    path("sites", sites.SiteList.as_view(), name="site_list"),
    path("servers/<str:server>/sites/new", sites.SiteCreate.as_view(), name="site_create"),
    path(SITE, sites.SiteDetail.as_view(), name="site_detail"),
    path(f"{SITE}/cancel-scheduled-deploy", schedule.CancelScheduledDeploy.as_view(), name="site_cancel_scheduled"),
    path(f"{SITE}/delete", sites.DeleteSite.as_view(), name="site_delete"),
    path(f"{SITE}/delete/force", sites.DeleteSite.as_view(), {"force": True}, name="site_force_delete"),
    path(f"{SITE}/deploy", sites.DeploySite.as_view(), name="site_deploy"),
    path(f"{SITE}/enable-zero-downtime", sites.EnableZeroDowntime.as_view(), name="site_enable_zero_downtime"),
    path(f"{SITE}/environment", environment.Environment.as_view(), name="site_environment"),
    path(f"{SITE}/environment/pull", environment.PullEnvironment.as_view(), name="site_environment_pull"),
    path(VARIABLE, environment.Variable.as_view(), name="site_variable"),
    path(f"{VARIABLE}/delete", environment.DeleteVariable.as_view(), name="site_variable_delete"),
    path(f"{VARIABLE}/reveal", environment.RevealVariable.as_view(), name="site_variable_reveal"),
    path(f"{SITE}/forget-host-key", sites.ForgetHostKey.as_view(), name="site_forget_host_key"),
    path(f"{SITE}/resume", sites.ResumeSite.as_view(), name="site_resume"),
    path(f"{SITE}/roll-back/<str:release>", sites.RollbackSite.as_view(), name="site_rollback"),
    path(f"{SITE}/schedule-deploy", schedule.ScheduleDeploy.as_view(), name="site_schedule"),
    path(f"{SITE}/settings", sites.SiteSettings.as_view(), name="site_settings"),
    path(f"{SITE}/setup-deploy-key", sites.SetupDeployKey.as_view(), name="site_setup_deploy_key"),
    path(f"{SITE}/suspend", sites.SuspendSite.as_view(), name="site_suspend"),
]
