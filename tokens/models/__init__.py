"""Tokens of every kind, and what is kept about their use."""

from tokens.models.handover import Handover
from tokens.models.token import (
    KEY_ID_PREFIX,
    AccessToken,
    ApiKey,
    Environment,
    Kind,
    PersonalToken,
    RateType,
    Token,
    TokenQuerySet,
)
from tokens.models.use import TokenAbility, TokenAlert, TokenCaller, TokenDay, TokenFailure, TokenNetwork

__all__ = [
    "KEY_ID_PREFIX",
    "AccessToken",
    "ApiKey",
    "Environment",
    "Handover",
    "Kind",
    "PersonalToken",
    "RateType",
    "Token",
    "TokenAbility",
    "TokenAlert",
    "TokenCaller",
    "TokenDay",
    "TokenFailure",
    "TokenNetwork",
    "TokenQuerySet",
]
