"""What psutil takes for the figures that Hostbeat samples, once a second; with an argument, for the processes, every two.

Prints the milliseconds of processor time of one sample.
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
    wanted = ["pid", "name", "username", "cpu_percent", "memory_info", "num_threads", "create_time"]
    for process in psutil.process_iter(wanted):
        process.info


sample, interval = (processes, 2) if sys.argv[2:] else (host, 1)
samples = int(sys.argv[1])
sample()
spent = 0
for _ in range(samples):
    # Off the whole second, when others sample.
    time.sleep(interval - (time.time() - 0.6) % 1)
    before = time.thread_time()
    sample()
    spent += time.thread_time() - before
print(spent / samples * 1000)
