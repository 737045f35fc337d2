"""The subcommands, one module each, imported when asked for."""
