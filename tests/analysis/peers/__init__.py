"""Result files of other load testers, read into run folders, and what such runs are then worth."""
