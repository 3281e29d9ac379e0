"""The local endpoint: its wire, its faults and limits, its engines, its log of the truth."""
