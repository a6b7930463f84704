# SPDX-License-Identifier: LGPL-2.1-or-later

SHARED_TEST_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) $(SYSTEMD_CFLAGS) $(JANSSON_CFLAGS)
SHARED_TEST_LDADD = libhyper-shared.la $(SYSTEMD_LIBS) $(JANSSON_LIBS) $(CHECK_LIBS)

UNIT_TESTS += tests/unit/test-daemon
tests_unit_test_daemon_SOURCES = tests/unit/test-daemon.c
tests_unit_test_daemon_CPPFLAGS = $(SHARED_TEST_CPPFLAGS)
tests_unit_test_daemon_LDADD = $(SHARED_TEST_LDADD)

UNIT_TESTS += tests/unit/test-error-table
tests_unit_test_error_table_SOURCES = tests/unit/test-error-table.c
tests_unit_test_error_table_CPPFLAGS = $(SHARED_TEST_CPPFLAGS)
tests_unit_test_error_table_LDADD = $(SHARED_TEST_LDADD)

UNIT_TESTS += tests/unit/test-job-file
tests_unit_test_job_file_SOURCES = tests/unit/test-job-file.c
tests_unit_test_job_file_CPPFLAGS = $(SHARED_TEST_CPPFLAGS)
tests_unit_test_job_file_LDADD = $(SHARED_TEST_LDADD)

UNIT_TESTS += tests/unit/test-job-id
tests_unit_test_job_id_SOURCES = tests/unit/test-job-id.c
tests_unit_test_job_id_CPPFLAGS = $(SHARED_TEST_CPPFLAGS)
tests_unit_test_job_id_LDADD = $(SHARED_TEST_LDADD)

UNIT_TESTS += tests/unit/test-job-spec
tests_unit_test_job_spec_SOURCES = tests/unit/test-job-spec.c
tests_unit_test_job_spec_CPPFLAGS = $(SHARED_TEST_CPPFLAGS)
tests_unit_test_job_spec_LDADD = $(SHARED_TEST_LDADD)

UNIT_TESTS += tests/unit/test-job-state
tests_unit_test_job_state_SOURCES = tests/unit/test-job-state.c
tests_unit_test_job_state_CPPFLAGS = $(SHARED_TEST_CPPFLAGS)
tests_unit_test_job_state_LDADD = $(SHARED_TEST_LDADD)

UNIT_TESTS += tests/unit/test-json-table
tests_unit_test_json_table_SOURCES = tests/unit/test-json-table.c
tests_unit_test_json_table_CPPFLAGS = $(SHARED_TEST_CPPFLAGS)
tests_unit_test_json_table_LDADD = $(SHARED_TEST_LDADD)

UNIT_TESTS += tests/unit/test-nbd-uri
tests_unit_test_nbd_uri_SOURCES = tests/unit/test-nbd-uri.c
tests_unit_test_nbd_uri_CPPFLAGS = $(SHARED_TEST_CPPFLAGS)
tests_unit_test_nbd_uri_LDADD = $(SHARED_TEST_LDADD)

UNIT_TESTS += tests/unit/test-utf8
tests_unit_test_utf8_SOURCES = tests/unit/test-utf8.c
tests_unit_test_utf8_CPPFLAGS = $(SHARED_TEST_CPPFLAGS)
tests_unit_test_utf8_LDADD = $(SHARED_TEST_LDADD)

UNIT_TESTS += tests/unit/test-job-event
tests_unit_test_job_event_SOURCES = tests/unit/test-job-event.c
tests_unit_test_job_event_CPPFLAGS = $(SHARED_TEST_CPPFLAGS)
tests_unit_test_job_event_LDADD = $(SHARED_TEST_LDADD)

UNIT_TESTS += tests/unit/test-settings
tests_unit_test_settings_SOURCES = tests/unit/test-settings.c
tests_unit_test_settings_CPPFLAGS = $(SHARED_TEST_CPPFLAGS)
tests_unit_test_settings_LDADD = $(SHARED_TEST_LDADD)

UNIT_TESTS += tests/unit/test-vmdk-descriptor
UNIT_TESTS += tests/unit/test-image-names
tests_unit_test_image_names_SOURCES = tests/unit/test-image-names.c
tests_unit_test_image_names_CPPFLAGS = $(SHARED_TEST_CPPFLAGS)
tests_unit_test_image_names_LDADD = $(SHARED_TEST_LDADD)
tests_unit_test_vmdk_descriptor_SOURCES = tests/unit/test-vmdk-descriptor.c
tests_unit_test_vmdk_descriptor_CPPFLAGS = $(SHARED_TEST_CPPFLAGS)
tests_unit_test_vmdk_descriptor_LDADD = $(SHARED_TEST_LDADD)

TESTS += tests/unit/check-layering tests/unit/check-schedule
EXTRA_DIST += tests/unit/check-layering tests/unit/check-schedule

UNIT_TESTS += tests/unit/test-journal
tests_unit_test_journal_SOURCES = tests/unit/test-journal.c
tests_unit_test_journal_CPPFLAGS = $(SHARED_TEST_CPPFLAGS)
tests_unit_test_journal_LDADD = $(SHARED_TEST_LDADD)

UNIT_TESTS += tests/unit/test-polkit
tests_unit_test_polkit_SOURCES = tests/unit/test-polkit.c
tests_unit_test_polkit_CPPFLAGS = $(SHARED_TEST_CPPFLAGS)
tests_unit_test_polkit_LDADD = $(SHARED_TEST_LDADD)

UNIT_TESTS += tests/unit/test-cron
tests_unit_test_cron_SOURCES = tests/unit/test-cron.c
tests_unit_test_cron_CPPFLAGS = $(SHARED_TEST_CPPFLAGS)
tests_unit_test_cron_LDADD = $(SHARED_TEST_LDADD)

check_PROGRAMS += tests/unit/cron/cron-tool
tests_unit_cron_cron_tool_SOURCES = tests/unit/cron/cron-tool.c
tests_unit_cron_cron_tool_CPPFLAGS = $(SHARED_TEST_CPPFLAGS)
tests_unit_cron_cron_tool_LDADD = libhyper-shared.la $(JANSSON_LIBS)
TESTS += tests/unit/cron/check-cron
EXTRA_DIST += tests/unit/cron/check-cron

UNIT_TESTS += tests/unit/test-webhook
tests_unit_test_webhook_SOURCES = tests/unit/test-webhook.c
tests_unit_test_webhook_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_webhook_LDADD = libhyper-shared.la $(CHECK_LIBS) $(JANSSON_LIBS)

UNIT_TESTS += tests/unit/test-capability
tests_unit_test_capability_SOURCES = tests/unit/test-capability.c
tests_unit_test_capability_CPPFLAGS = $(SHARED_TEST_CPPFLAGS)
tests_unit_test_capability_LDADD = $(SHARED_TEST_LDADD)

UNIT_TESTS += tests/unit/test-api-key
tests_unit_test_api_key_SOURCES = tests/unit/test-api-key.c
tests_unit_test_api_key_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_api_key_LDADD = libhyper-api-key.la $(CHECK_LIBS)

UNIT_TESTS += tests/unit/test-address-range
tests_unit_test_address_range_SOURCES = tests/unit/test-address-range.c
tests_unit_test_address_range_CPPFLAGS = $(SHARED_TEST_CPPFLAGS)
tests_unit_test_address_range_LDADD = $(SHARED_TEST_LDADD)

UNIT_TESTS += tests/unit/test-ovf-names
tests_unit_test_ovf_names_SOURCES = tests/unit/test-ovf-names.c
tests_unit_test_ovf_names_CPPFLAGS = $(SHARED_TEST_CPPFLAGS)
tests_unit_test_ovf_names_LDADD = $(SHARED_TEST_LDADD)
