from django.urls import path

from backups.views import backups, making, restoring, schedules

urlpatterns = [
    path("backups", backups.BackupList.as_view(), name="backup_list"),
    path("backups/new", making.BackupCreate.as_view(), name="backup_create"),
    path("backups/restores", restoring.RestoreList.as_view(), name="restore_list"),
    path("backups/restores/<str:pk>", restoring.RestoreDetail.as_view(), name="restore_detail"),
    path("backups/schedules", schedules.ScheduleList.as_view(), name="schedule_list"),
    path("backups/schedules/new", schedules.ScheduleCreate.as_view(), name="schedule_create"),
    path("backups/schedules/times", schedules.NextTimes.as_view(), name="schedule_times"),
    path("backups/schedules/<str:pk>", schedules.ScheduleDetail.as_view(), name="schedule_detail"),
    path("backups/schedules/<str:pk>/delete", schedules.DeleteSchedule.as_view(), name="schedule_delete"),
    path("backups/schedules/<str:pk>/drill", schedules.DrillSchedule.as_view(), name="schedule_drill"),
    path("backups/schedules/<str:pk>/edit", schedules.ScheduleEdit.as_view(), name="schedule_edit"),
    path("backups/schedules/<str:pk>/pause", schedules.PauseSchedule.as_view(), name="schedule_pause"),
    path("backups/schedules/<str:pk>/resume", schedules.ResumeSchedule.as_view(), name="schedule_resume"),
    path("backups/schedules/<str:pk>/run", schedules.RunSchedule.as_view(), name="schedule_run"),
    path("backups/<str:pk>", backups.BackupDetail.as_view(), name="backup_detail"),
    path("backups/<str:pk>/delete", backups.DeleteBackup.as_view(), name="backup_delete"),
    path("backups/<str:pk>/download", backups.DownloadBackup.as_view(), name="backup_download"),
    path("backups/<str:pk>/drill", restoring.DrillBackup.as_view(), name="backup_drill"),
    path("backups/<str:pk>/restore", restoring.RestoreBackup.as_view(), name="backup_restore"),
    path("backups/<str:pk>/verify", backups.VerifyBackup.as_view(), name="backup_verify"),
]
