"""Run folders in S3, against moto's server with a front that fails on demand."""
