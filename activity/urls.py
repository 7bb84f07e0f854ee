from django.urls import path

from activity.views import activity, errors

urlpatterns = [
    path("activity", activity.Activity.as_view(), name="activity_list"),
    path("errors", errors.ErrorList.as_view(), name="error_list"),
    path("errors/<str:pk>", errors.ErrorDetail.as_view(), name="error_detail"),
    path("errors/<str:pk>/reopen", errors.ReopenError.as_view(), name="error_reopen"),
    path("errors/<str:pk>/resolve", errors.ResolveError.as_view(), name="error_resolve"),
]
