# SPDX-License-Identifier: LGPL-2.1-or-later
#
# make bench: everything that is measured, in one run, against peers in the same run.

BENCHES = tests/bench/bare-http tests/bench/fanout-client tests/bench/measure
EXTRA_PROGRAMS = $(BENCHES)
CLEANFILES += $(BENCHES)

tests_bench_bare_http_SOURCES = tests/bench/bare-http.c
tests_bench_bare_http_CPPFLAGS = $(AM_CPPFLAGS) $(MICROHTTPD_CFLAGS)
tests_bench_bare_http_LDADD = libhyper-basic.a $(MICROHTTPD_LIBS)
tests_bench_fanout_client_SOURCES = tests/bench/fanout-client.c
tests_bench_fanout_client_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
tests_bench_fanout_client_LDADD = libhyper-basic.a $(JANSSON_LIBS)
tests_bench_measure_SOURCES = tests/bench/measure.c
tests_bench_measure_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
tests_bench_measure_LDADD = libhyper-basic.a $(JANSSON_LIBS)

bench-programs: $(BENCHES)
bench: all $(BENCHES)
	$(srcdir)/tests/bench/run --build $(abs_top_builddir)
.PHONY: bench bench-programs

EXTRA_DIST += tests/bench/README.md tests/bench/disks.sh tests/bench/fanout-peer.js tests/bench/fanout.sh tests/bench/guest.sh tests/bench/holds.sh tests/bench/loop-hold.c tests/bench/parts.sh tests/bench/queue-peer.py tests/bench/queue-register.py tests/bench/queue.lua tests/bench/queue.sh tests/bench/run tests/bench/schedules.sh tests/bench/slow-flush.c tests/bench/stats-clients.js \
	tests/bench/tls.sh \
	tests/bench/vsphere.sh \
	tests/bench/warm.sh \
	tests/bench/webhooks.sh
