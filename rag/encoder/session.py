"""A model on onnxruntime, opened in one way for all."""

from __future__ import annotations

import onnxruntime


def session(model: bytes | str, threads: int) -> onnxruntime.InferenceSession:
    """Open a model, given as its bytes or its file's name, on `threads` threads. Raises what onnxruntime raises."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # A thread that waits by spinning takes the processor from whoever else works.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
