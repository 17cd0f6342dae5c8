"""Signing in by a provider that speaks OpenID Connect: the code flow with PKCE, and what is believed of its answers.

A server without providers imports none of the libraries for it.
"""

from procession.oidc.attempt import Attempt
from procession.oidc.configuration import ProviderSettings, read_providers
from procession.oidc.provider import Provider

__all__ = ["Attempt", "Provider", "ProviderSettings", "read_providers"]
