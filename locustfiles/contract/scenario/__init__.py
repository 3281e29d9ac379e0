"""The scenario and its sections, strict YAML, price books and what a target is billed by."""
