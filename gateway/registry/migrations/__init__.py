"""Migrations of the registry's database; run by `gateway.registry.migrate`."""
