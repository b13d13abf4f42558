"""`make bench`: the benchmarks that answer "how fast is it", in one run."""

from benchmarks.bench_worker import main

main()
