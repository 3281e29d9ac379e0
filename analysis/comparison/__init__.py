"""Runs side by side: levels aligned, figures compared with intervals, and what else differs between the runs."""
