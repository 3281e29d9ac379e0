"""What the tests share: runs made by hand, samples of answers, servers and clients of the wire, processes."""
