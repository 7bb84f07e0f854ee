from django.urls import path

from activity.api import activity, errors

urlpatterns = [
    path("activity/analytics", activity.ActivityAnalytics.as_view()),
    path("activity/events", activity.Events.as_view()),
    path("errors", errors.Errors.as_view()),
    path("errors/<str:pk>", errors.ErrorDetail.as_view()),
    path("errors/<str:pk>/reopen", errors.ReopenError.as_view()),
    path("errors/<str:pk>/resolve", errors.ResolveError.as_view()),
]
