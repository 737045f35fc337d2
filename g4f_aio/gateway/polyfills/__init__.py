"""What a provider lacks, supplied here: requests and events rewritten, without any I/O."""
