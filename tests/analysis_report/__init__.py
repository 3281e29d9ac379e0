"""What the report shows: formats, HTML, plots."""
