## The floor for "make bench": no test, and built with the rest so that it keeps compiling.
noinst_PROGRAMS += %D%/floor
tests_bench_floor_SOURCES = %D%/floor.c
EXTRA_DIST += %D%/moving.py %D%/private.py %D%/run %D%/soak %D%/websocket.py
