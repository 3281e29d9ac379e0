"""The Report as HTML, Markdown, JSON, CSV and text."""
