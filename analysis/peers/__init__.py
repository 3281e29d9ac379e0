"""Result files of other load testers, read into what a run folder holds: one file a tool."""
