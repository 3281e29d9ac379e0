"""The instrument's own error, and the error bar of a report."""
