from django.urls import path

from organizations.views import audit, billing, members, organizations, profile, registration

urlpatterns = [
    path("accounts/signup", registration.SignUpView.as_view(), name="account_signup"),
    path("invitations/<str:secret>", registration.InvitationView.as_view(), name="invitation"),
    path("organizations/new", organizations.CreateOrganizationView.as_view(), name="organization_create"),
    path("organizations/<str:pk>/switch", organizations.SwitchView.as_view(), name="organization_switch"),
    path("settings/profile", profile.ProfileView.as_view(), name="settings_profile"),
    path("settings/organization", organizations.OrganizationView.as_view(), name="settings_organization"),
    path("settings/organization/leave", organizations.LeaveView.as_view(), name="organization_leave"),
    path("settings/billing", billing.BillingView.as_view(), name="settings_billing"),
    path("settings/members", members.MembersView.as_view(), name="settings_members"),
    path("settings/members/invite", members.InviteView.as_view(), name="member_invite"),
    path("settings/members/<str:pk>", members.MemberView.as_view(), name="member_detail"),
    path("settings/members/<str:pk>/remove", members.RemoveMemberView.as_view(), name="member_remove"),
    path("settings/invitations/<str:pk>/resend", members.ResendInvitationView.as_view(), name="invitation_resend"),
    path(
        "settings/invitations/<str:pk>/withdraw",
        members.WithdrawInvitationView.as_view(),
        name="invitation_withdraw",
    ),
    path("settings/audit", audit.AuditView.as_view(), name="settings_audit"),
    path("settings/audit/export", audit.AuditExportView.as_view(), name="audit_export"),
]
