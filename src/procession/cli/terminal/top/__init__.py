"""The full screen of `procession top`."""
