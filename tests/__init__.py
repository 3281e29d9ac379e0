"""Tests: in each folder those of one part, in `helpers` what they share."""
