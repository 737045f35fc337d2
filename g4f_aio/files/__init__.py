"""Files: those of the web that somebody names by URL, and what kind of file something is."""
