"""Providers: one file per family of upstreams, registered through entry points like anybody's."""
