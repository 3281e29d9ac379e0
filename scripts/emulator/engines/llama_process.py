"""The child process of the llama engine: llama.cpp's server. Prints its port, and ends when its standard input does.

Arguments: model file, slots, tokens a slot, threads. A process of its own keeps the model's work off the
emulator's clock, and lets a stop be a stop."""

import os
import sys


def main(path: str, slots: str, slot_tokens: str, threads: str) -> None:
    import xllamacpp

    os.nice(5)  # on a small machine the model takes every core: whoever measures it goes first
    p = xllamacpp.CommonParams()
    p.model.path = path
    p.n_parallel = int(slots)
    p.n_ctx = int(slots) * int(slot_tokens)
    p.kv_unified = False  # each slot its own context, or one long prompt could take the others' room
    p.ctx_shift = False
    p.cache_prompt = False
    p.cache_ram_mib = 0
    p.cpuparams.n_threads = p.cpuparams_batch.n_threads = int(threads)
    p.n_threads_http = int(slots) + 4
    p.verbosity = -1
    server = xllamacpp.Server(p)
    print(server.listening_address.rsplit(":", 1)[1].strip("/"), flush=True)
    sys.stdin.buffer.read()
    os._exit(0)  # llama.cpp's own shutdown waits for requests in progress


if __name__ == "__main__":
    main(*sys.argv[1:])
