"""The console over HTTP: thin handlers around the core's functions."""
