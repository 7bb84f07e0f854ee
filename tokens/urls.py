from django.urls import path

from tokens.views import bulk, handover, keys, lists, making, token, watching

ONE = "settings/tokens/<str:pk>"

urlpatterns = [
    path("settings/access-tokens", lists.AccessTokenList.as_view(), name="settings_access_tokens"),
    path("settings/access-tokens/new", making.NewAccessToken.as_view(), name="access_token_create"),
    path("settings/access-tokens/revoke", bulk.RevokeAccessTokens.as_view(), name="access_tokens_revoke"),
    path("settings/api-keys", lists.ApiKeyList.as_view(), name="settings_api_keys"),
    path("settings/api-keys/new", making.NewApiKey.as_view(), name="api_key_create"),
    path("settings/api-keys/revoke", bulk.RevokeApiKeys.as_view(), name="api_keys_revoke"),
    path("settings/api-keys/handover/<str:secret>", handover.HandoverView.as_view(), name="api_key_handover"),
    path("settings/tokens", lists.PersonalTokenList.as_view(), name="settings_tokens"),
    path("settings/tokens/new", making.NewPersonalToken.as_view(), name="token_create"),
    path("settings/tokens/revoke", bulk.RevokePersonalTokens.as_view(), name="tokens_revoke"),
    path(ONE, token.TokenDetail.as_view(), name="token_detail"),
    path(f"{ONE}/close-rotation", keys.CloseRotation.as_view(), name="api_key_close_rotation"),
    path(f"{ONE}/edit", keys.EditApiKey.as_view(), name="api_key_edit"),
    path(f"{ONE}/remove-unused", watching.RemoveUnused.as_view(), name="token_remove_unused"),
    path(f"{ONE}/revoke", token.RevokeToken.as_view(), name="token_revoke"),
    path(f"{ONE}/rotate", keys.RotateApiKey.as_view(), name="api_key_rotate"),
    path(f"{ONE}/simulator", watching.TokenSimulator.as_view(), name="token_simulator"),
    path(f"{ONE}/switch-off", keys.SwitchApiKey.as_view(), {"active": False}, name="api_key_switch_off"),
    path(f"{ONE}/switch-on", keys.SwitchApiKey.as_view(), {"active": True}, name="api_key_switch_on"),
    path(f"{ONE}/use", watching.TokenUse.as_view(), name="token_use"),
]
