"""What a transaction costs and why, other tables of prices, and a book that AWS's price list keeps up to date."""
