"""Measures what sampling the same values as Hostbeat costs with psutil.

Usage: samples.py COUNT [processes]

Takes COUNT samples: of the host once a second, or of processes every two seconds. Prints the mean CPU time of a sample
in milliseconds.
"""

import sys
import time

import psutil


def host():
    psutil.cpu_times(percpu=True)
    psutil.cpu_stats()
    psutil.virtual_memory()
    psutil.swap_memory()
    psutil.getloadavg()
    psutil.net_io_counters(pernic=True)
    psutil.disk_io_counters(perdisk=True)


def processes():
    attributes = ["pid", "name", "username", "cpu_percent", "memory_info", "num_threads", "create_time"]
    for process in psutil.process_iter(attributes):
        process.info


sample, interval = (processes, 2) if sys.argv[2:] else (host, 1)
count = int(sys.argv[1])
sample()
cpu_time = 0
for _ in range(count):
    # Between whole seconds, when the other samplers are idle.
    time.sleep(interval - (time.time() - 0.6) % 1)
    before = time.thread_time()
    sample()
    cpu_time += time.thread_time() - before
print(cpu_time / count * 1000)
