"""What is handed to users: made by `make artefacts` out of a commit, into `dist/`."""
