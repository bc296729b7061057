"""How long `/v1/ask` takes, as a client sees it: every question of a file, some rounds, one after the other.

adfontes --collection raw serve --port 8099 &
python -m benchmarks.answers.latency http://127.0.0.1:8099 ../shared/gold/article-public.jsonl
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import httpx


def main() -> None:
    """Ask, and print the middle and the slowest twentieth in milliseconds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address")
    parser.add_argument("questions", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    questions = [json.loads(line)["question"] for line in arguments.questions.read_text(encoding="utf-8").splitlines()]
    took = []
    with httpx.Client(base_url=arguments.address, timeout=60) as client:
        client.post("/v1/ask", json={"question": questions[0]}).raise_for_status()  # what is loaded once is not counted
        for _ in range(arguments.rounds):
            for question in questions:
                started = time.perf_counter()
                client.post("/v1/ask", json={"question": question}).raise_for_status()
                took.append(1000 * (time.perf_counter() - started))
    took.sort()
    p50, p95 = took[len(took) // 2], took[int(len(took) * 0.95)]
    print(json.dumps({"requests": len(took), "p50_ms": round(p50, 1), "p95_ms": round(p95, 1)}))


if __name__ == "__main__":
    main()
