"""What the report looks like: numbers in words, the page, the plots."""
