"""Hides secrets in command lines. Pure: the agent scrubs before anything leaves the host, the server once more.

`scrubber` puts together what the others find: `words` what a Datadog Agent hides, `forms` the values behind names of
secrets (`names`), `urls` passwords in addresses, `token_shapes` what is a secret by its looks, and `clients` the
options of known programs (`programs` has the table, `commands` finds the programs in a line).
"""

from procession.scrubbing.scrubber import MASK, Scrubber
from procession.scrubbing.words import DEFAULT_WORDS, SensitiveWord, sensitive_words

__all__ = ["DEFAULT_WORDS", "MASK", "Scrubber", "SensitiveWord", "sensitive_words"]
