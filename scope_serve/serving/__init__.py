"""Ray Serve: the only code that speaks to Ray, and where everything is put together."""
