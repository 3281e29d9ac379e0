"""The analysis: run folders in; metrics, costs, verdicts and recommendations out.

Nothing here sends a request, and importing it loads neither Locust nor boto3.
"""
