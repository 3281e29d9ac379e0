"""What is billed of a call, by which price, and where that price is from."""
