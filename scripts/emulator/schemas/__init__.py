"""JSON that follows a JSON schema: what a simulated model answers where a request demands a tool or a form."""
