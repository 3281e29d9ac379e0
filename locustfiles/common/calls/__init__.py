"""One call: target and prompt in, a RequestRecord for each attempt out."""
