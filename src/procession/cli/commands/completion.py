"""`procession completion`."""

from __future__ import annotations

import click


@click.command(
    epilog="""\b
Examples:
  procession completion bash > ~/.local/share/bash-completion/completions/procession
  procession completion zsh > "${fpath[1]}/_procession"
  procession completion fish > ~/.config/fish/completions/procession.fish
"""
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the script that makes a SHELL complete commands and options."""
    from click.shell_completion import get_completion_class

    from procession.cli import procession

    complete = get_completion_class(shell)
    assert complete is not None  # noqa: S101 (click has these three)
    print(complete(procession, {}, "procession", "_PROCESSION_COMPLETE").source())
