# SPDX-License-Identifier: LGPL-2.1-or-later

FUZZERS += tests/fuzz/fuzz-domain-xml tests/fuzz/fuzz-host-uri
HOSTS_FUZZ_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)

tests_fuzz_fuzz_domain_xml_SOURCES = tests/fuzz/fuzz-domain-xml.c $(FUZZ_MAIN)
tests_fuzz_fuzz_domain_xml_CPPFLAGS = $(HOSTS_FUZZ_CPPFLAGS)
tests_fuzz_fuzz_domain_xml_LDADD = libhyper-hosts.la
tests_fuzz_fuzz_domain_xml_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_host_uri_SOURCES = tests/fuzz/fuzz-host-uri.c $(FUZZ_MAIN)
tests_fuzz_fuzz_host_uri_CPPFLAGS = $(HOSTS_FUZZ_CPPFLAGS)
tests_fuzz_fuzz_host_uri_LDADD = libhyper-hosts.la
tests_fuzz_fuzz_host_uri_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
