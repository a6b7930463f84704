# SPDX-License-Identifier: LGPL-2.1-or-later

UNIT_TESTS += tests/unit/test-hosts-bus tests/unit/test-hosts-worker tests/unit/test-hosts-uri tests/unit/test-hosts-xml
HOSTS_TEST_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) $(SYSTEMD_CFLAGS) $(JANSSON_CFLAGS) $(XML_CFLAGS) $(LIBVIRT_CFLAGS)
HOSTS_TEST_LDADD = libhyper-hosts.la $(CHECK_LIBS)

tests_unit_test_hosts_bus_SOURCES = tests/unit/test-hosts-bus.c $(PRIVATE_BUS_SOURCES) $(INTROSPECTION_SOURCES)
tests_unit_test_hosts_bus_CPPFLAGS = $(HOSTS_TEST_CPPFLAGS)
tests_unit_test_hosts_bus_LDADD = $(HOSTS_TEST_LDADD)
tests_unit_test_hosts_worker_SOURCES = tests/unit/test-hosts-worker.c
tests_unit_test_hosts_worker_CPPFLAGS = $(HOSTS_TEST_CPPFLAGS)
tests_unit_test_hosts_worker_LDADD = $(HOSTS_TEST_LDADD)
tests_unit_test_hosts_uri_SOURCES = tests/unit/test-hosts-uri.c
tests_unit_test_hosts_uri_CPPFLAGS = $(HOSTS_TEST_CPPFLAGS)
tests_unit_test_hosts_uri_LDADD = $(HOSTS_TEST_LDADD)
tests_unit_test_hosts_xml_SOURCES = tests/unit/test-hosts-xml.c
tests_unit_test_hosts_xml_CPPFLAGS = $(HOSTS_TEST_CPPFLAGS)
tests_unit_test_hosts_xml_LDADD = $(HOSTS_TEST_LDADD)

# The API's part
UNIT_TESTS += tests/unit/test-hosts-json
tests_unit_test_hosts_json_SOURCES = tests/unit/test-hosts-json.c
tests_unit_test_hosts_json_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS) $(SYSTEMD_CFLAGS)
tests_unit_test_hosts_json_LDADD = libhyper-dialects.la $(CHECK_LIBS)
UNIT_TESTS += tests/unit/test-hosts-api
tests_unit_test_hosts_api_SOURCES = tests/unit/test-hosts-api.c tests/unit/api-test.c tests/unit/api-test.h \
	tests/unit/ws-client.c tests/unit/ws-client.h tests/unit/ws-frames.c tests/unit/ws-frames.h $(PRIVATE_BUS_SOURCES)
tests_unit_test_hosts_api_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS) $(SYSTEMD_CFLAGS) $(MICROHTTPD_CFLAGS)
tests_unit_test_hosts_api_LDADD = libhyper-dialects.la libhyper-api.la $(CHECK_LIBS)
