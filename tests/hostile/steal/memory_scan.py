"""Reads the whole writable memory of its process by /proc/self/mem for what an ancestor may have left there."""

import os

BACKWARDS = (
    (b"ram-neddih-atak", b"af0622d7e38c-rek"),
    (b"ram-noitulos-atak", b"e43da9c0f1b5-rek"),
    (b"es-elitsoh", b"10aa77-de"),
)
PAIRS = [(first[::-1], second[::-1]) for first, second in BACKWARDS]
STEP = 4 << 20

with open("/proc/self/maps") as file:
    areas = [line.split() for line in file]
memory = os.open("/proc/self/mem", os.O_RDONLY)
for span, access, *_ in areas:
    begin, end = (int(address, 16) for address in span.split("-"))
    for start in range(begin, end, STEP) if access.startswith("rw") else ():
        try:
            block = os.pread(memory, min(STEP + 64, end - start), start)
        except OSError:
            continue
        for first, second in PAIRS:
            at = block.find(first)
            while at >= 0:
                if block[at + len(first) :].startswith(second):
                    print("STO" + "LEN", span, block[max(0, at - 100) : at + 200])
                at = block.find(first, at + 1)
