"""What both halves share: the record, the run folder, the manifest, spools, error classes, exit codes, bad input."""
