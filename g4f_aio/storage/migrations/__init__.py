"""How the tables came to be as they are: one module for each step, in the form of Alembic."""
