"""Run folders in S3: where they are, how they get there while they grow, and how they come back."""
