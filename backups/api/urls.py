from django.urls import path

from backups.api import restores, schedules, views

urlpatterns = [
    path("backups", views.Backups.as_view()),
    path("backups/application", views.ApplicationBackups.as_view()),
    path("backups/drills", restores.Drills.as_view()),
    path("backups/drills/<str:drill>", restores.DrillDetail.as_view()),
    path("backups/restores", restores.Restores.as_view()),
    path("backups/restores/<str:restore>", restores.RestoreDetail.as_view()),
    path("backups/schedules", schedules.Schedules.as_view()),
    path("backups/schedules/<str:schedule>", schedules.ScheduleDetail.as_view()),
    path("backups/<str:backup>", views.BackupDetail.as_view()),
    path("backups/<str:backup>/download", views.DownloadBackup.as_view()),
    path("backups/<str:backup>/restore", views.RestoreBackup.as_view()),
    path("backups/<str:backup>/verify", views.VerifyBackup.as_view()),
    path("servers/<str:server>/databases/<str:database>/backups", views.DatabaseBackups.as_view()),
]
