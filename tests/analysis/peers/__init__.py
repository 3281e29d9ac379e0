"""Result files of other load testers, imported."""
