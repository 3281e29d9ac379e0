"""Prompt -> body of a request, bytes of an answer -> what it says; one file a family."""
