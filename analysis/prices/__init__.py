"""Price tables beside the project's own: AWS's Price List API, another's file, and what differs from ours."""
