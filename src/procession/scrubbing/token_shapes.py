"""What is a secret by its looks, whatever stands before it: the issuers of tokens give them a front of their own."""

from __future__ import annotations

import re
from collections.abc import Set

from procession.scrubbing.spans import Span

_TOKEN = re.compile(
    r"""[AGNSdefghklnpqrstxy](?<![A-Za-z0-9_\-].)(?:
    (?<=g)h[opusr]_[A-Za-z0-9]{20,}                                     # GitHub
    |(?<=g)ithub_pat_\w{20,}
    |(?<=g)l(?:pat|dt|rt|cbt|ptt|ft|soat|agent|imt)-[\w\-]{16,}         # GitLab
    |(?<=g)lsa_\w{20,}                                                  # Grafana
    |(?<=x)(?:ox[abeoprs]|app)-[\w\-]{10,}                              # Slack
    |(?<=A)(?:KIA|SIA|BIA|CCA)[A-Z0-9]{16}(?![A-Za-z0-9])               # AWS
    |(?<=A)Iza[\w\-]{35}(?![\w\-])                                      # Google
    |(?<=A)GE-SECRET-KEY-1[A-Z0-9]{20,}
    |(?<=A)TATT3[\w\-=]{20,}                                            # Atlassian
    |(?<=y)a29\.[\w\-]{20,}
    |(?<=[sr])k_(?:live|test)_[A-Za-z0-9]{10,}                          # Stripe
    |(?<=s)k-(?:[a-z]+\d*-)*[A-Za-z0-9_]{20,}                           # OpenAI, Anthropic
    |(?<=s)hp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}                            # Shopify
    |(?<=s)q0(?:atp|csp)-[\w\-]{20,}
    |(?<=e)yJ[\w\-]{8,}\.[\w\-]{8,}\.[\w\-]{8,}                    # JSON Web Token
    |(?<=S)G\.[\w\-]{16,}\.[\w\-]{16,}                                  # SendGrid
    |(?<=n)pm_[A-Za-z0-9]{30,}
    |(?<=p)ypi-[\w\-]{16,}
    |(?<=d)(?:op|oo|or)_v1_[0-9a-f]{40,}                                # DigitalOcean
    |(?<=d)ckr_(?:pat|oat)_[\w\-]{20,}                                  # Docker
    |(?<=d)api[0-9a-f]{32}(?![0-9a-f])                                  # Databricks
    |(?<=h)(?:v[sbr]\.[\w\-]{20,}|f_[A-Za-z0-9]{30,})                   # Vault, Hugging Face
    |(?<=k)ey-[0-9a-f]{32}(?![0-9a-f])                                  # Mailgun
    |(?<=t)skey-[\w\-]{16,}                                             # Tailscale
    |(?<=l)in_api_\w{30,}                                               # Linear
    |(?<=r)ubygems_[0-9a-f]{40,}
    |(?<=N)RA[KAL]-\w{20,}                                              # New Relic
    |(?<=q)lt_[\w\-]{30,}
    |(?<=f)lyv1_[\w\-=+/]{20,}
    )""",
    re.VERBOSE,
)
# Of Telegram.
_BOT = re.compile(r"(?<!\w)\d{8,10}:AA[\w\-]{30,}")
_PEM = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?P<value>[^\-]*+(?:-(?!----END)[^\-]*+)*+)")


# A run of letters that each of them holds; those that go on with letters have no run of their own.
_RUNS = frozenset(
    """age atatt dckr doo dop dor flyv gho ghp ghr ghs ghu github glagent glcbt gldt glft glimt glpat glptt glrt glsa
    glsoat hf hvb hvr hvs key lin npm nraa nrak nral pypi qlt rk rubygems sg shpat shpca shppa shpss sk sq tskey xapp
    xoxa xoxb xoxe xoxo xoxp xoxr xoxs ya""".split()  # noqa: SIM905 (a list has a line for each)
)
_FRONTS = ("AKIA", "ASIA", "ABIA", "ACCA", "AIza", "dapi", "eyJ")


def tokens(line: str, runs: Set[str]) -> list[Span]:
    """Tokens with a known front, and the insides of private keys. `runs`: the line's runs of letters, in small ones."""
    if (
        ":AA" not in line
        and "PRIVATE KEY" not in line
        and _RUNS.isdisjoint(runs)
        and not any(front in line for front in _FRONTS)
    ):
        return []
    spans = [match.span() for match in _TOKEN.finditer(line)]
    if ":AA" in line:
        spans += (match.span() for match in _BOT.finditer(line))
    if "PRIVATE KEY" in line:
        spans += (match.span("value") for match in _PEM.finditer(line))
    return spans
