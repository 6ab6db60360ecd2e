"""The ``scope-serve`` command: one module per command, registered in `main`."""
