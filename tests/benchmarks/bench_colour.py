"""What colour conversion costs per picture. Run with ``python tests/benchmarks/bench_colour.py``.

Prints milliseconds per picture and direction for swscale and for tensor operations, on the CPU
and on a GPU if there is one, and how many times as long as swscale each takes.
"""

import time

import torch

from scope_serve.stages.colour import ColourConverter, SwscaleConverter, TensorConverter
from scope_serve.stages.timestamps import FrameTime

SIZES = [(640, 360), (642, 362), (1280, 720), (1920, 1080)]
BATCHES = [1, 4]
MIN_TIME_S = 0.5


def milliseconds(work, pictures):
    """Return the best of three mean times per picture."""
    work()
    best = float("inf")
    for _ in range(3):
        rounds, start = 0, time.perf_counter()
        while (spent := time.perf_counter() - start) < MIN_TIME_S / 3:
            work()
            rounds += 1
        best = min(best, spent / rounds / pictures * 1000)
    return best


def measure(converter: ColourConverter, device, width, height, batch):
    """Return the times of both directions."""
    rgb = torch.randint(0, 256, (batch, height, width, 3), dtype=torch.uint8, device=device)
    times = [FrameTime()] * batch
    frames = converter.to_i420(rgb, times)

    def decode():
        converter.to_rgb(frames)
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    return milliseconds(decode, batch), milliseconds(lambda: converter.to_i420(rgb, times), batch)


def main():
    """Print one line per size, batch and converter."""
    torch.set_num_threads(1)  # as in an actor with one CPU
    cpu = torch.device("cpu")
    candidates = [("swscale", SwscaleConverter(), cpu), ("tensor/cpu", TensorConverter(cpu), cpu)]
    if torch.cuda.is_available():
        cuda = torch.device("cuda")
        candidates.append(("tensor/cuda", TensorConverter(cuda), cuda))
    print(f"{'size':>10} {'batch':>5} {'converter':>12} {'to RGB':>16} {'to I420':>16}")
    for width, height in SIZES:
        for batch in BATCHES:
            base = None
            for name, converter, device in candidates:
                down, up = measure(converter, device, width, height, batch)
                base = base or (down, up)
                print(
                    f"{width}x{height:>5} {batch:>5} {name:>12}"
                    f" {down:>7.3f} ms x{down / base[0]:<5.1f}"
                    f" {up:>7.3f} ms x{up / base[1]:<5.1f}"
                )


if __name__ == "__main__":
    main()
