"""SageMaker endpoints for the time of a test: created, waited for, told what they cost, and deleted whatever happens."""
