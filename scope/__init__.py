"""The import names that Daydream Scope plugins use; everything here is defined in scope_serve."""
