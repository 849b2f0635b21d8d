"""A worker without containment, for one's own code and for systems without a sandbox: a fresh process for each job.

Run as a program by `graders.sandbox.launch` with the descriptor of the channel.
"""

import os
import socket
import sys

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

import torch

from graders.sandbox import worker

if __name__ == "__main__":
    torch.set_num_threads(1)
    worker.serve(socket.socket(fileno=int(sys.argv[1])))
