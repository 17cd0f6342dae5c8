"""`python -m procession.cli`: how `procession up` starts its agent."""

from procession.cli import main

main()
