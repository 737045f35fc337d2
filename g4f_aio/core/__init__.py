"""Values and contracts: what a message, an event, an error and a provider are. No I/O here."""
