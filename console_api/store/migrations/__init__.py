"""The console database's schema, step by step (Alembic)."""
