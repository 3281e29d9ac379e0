"""What a wanted load will cost in a month: demand, options, instances, quotas, crossing points, what the winner hangs on."""
