"""Engines: what stands behind an endpoint or a model.

An engine has `start(clock)` and `stop()` (coroutines) and `submit(answer)`, which sets `answer.prompt_tokens`,
calls the answer's `started`, `token` and `finished` (or `fits`, `fail`) as time goes by, and returns a job
with `cancel()`, or None when it is over."""
