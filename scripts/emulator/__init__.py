"""A local endpoint that speaks the wire of the SageMaker and Bedrock runtimes and of OpenAI's routes, with a simulated or
a real model behind it.

Start it with `python -m scripts.emulator --config configs/emulator/simulated.yaml --port 8800 --truth truth.jsonl`.
A request travels through the modules in this order: sockets (TLS), connection (which HTTP), http1 or http2 (both give an
exchange: a request, and how to answer it), service (route, signature), hosted (target, quota, fault), dialects (body in,
events out), engines (tokens and their times), answer (truth record), delivery (the fault strikes), sender (frames on the
wire, stamps).
"""
