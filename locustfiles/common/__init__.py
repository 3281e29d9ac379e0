"""The load side; a folder imports only from those before it: {transport, prompts} < dialects < {calls, planning} <
recording < stages < swarm."""
