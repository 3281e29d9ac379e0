"""Prices, bills, what a transaction costs."""
