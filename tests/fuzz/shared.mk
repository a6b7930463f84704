# SPDX-License-Identifier: LGPL-2.1-or-later

SHARED_FUZZ_CPPFLAGS = $(AM_CPPFLAGS) $(SYSTEMD_CFLAGS) $(JANSSON_CFLAGS)
SHARED_FUZZ_LDADD = libhyper-shared.la $(SYSTEMD_LIBS) $(JANSSON_LIBS)

FUZZERS += tests/fuzz/fuzz-job-event
tests_fuzz_fuzz_job_event_SOURCES = tests/fuzz/fuzz-job-event.c $(FUZZ_MAIN)
tests_fuzz_fuzz_job_event_CPPFLAGS = $(SHARED_FUZZ_CPPFLAGS)
tests_fuzz_fuzz_job_event_LDADD = $(SHARED_FUZZ_LDADD)
tests_fuzz_fuzz_job_event_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

FUZZERS += tests/fuzz/fuzz-job-file
tests_fuzz_fuzz_job_file_SOURCES = tests/fuzz/fuzz-job-file.c $(FUZZ_MAIN)
tests_fuzz_fuzz_job_file_CPPFLAGS = $(SHARED_FUZZ_CPPFLAGS)
tests_fuzz_fuzz_job_file_LDADD = $(SHARED_FUZZ_LDADD)
tests_fuzz_fuzz_job_file_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

FUZZERS += tests/fuzz/fuzz-job-spec
tests_fuzz_fuzz_job_spec_SOURCES = tests/fuzz/fuzz-job-spec.c $(FUZZ_MAIN)
tests_fuzz_fuzz_job_spec_CPPFLAGS = $(SHARED_FUZZ_CPPFLAGS)
tests_fuzz_fuzz_job_spec_LDADD = $(SHARED_FUZZ_LDADD)
tests_fuzz_fuzz_job_spec_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

FUZZERS += tests/fuzz/fuzz-nbd-uri
tests_fuzz_fuzz_nbd_uri_SOURCES = tests/fuzz/fuzz-nbd-uri.c $(FUZZ_MAIN)
tests_fuzz_fuzz_nbd_uri_CPPFLAGS = $(SHARED_FUZZ_CPPFLAGS)
tests_fuzz_fuzz_nbd_uri_LDADD = $(SHARED_FUZZ_LDADD)
tests_fuzz_fuzz_nbd_uri_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

FUZZERS += tests/fuzz/fuzz-rfc3339
tests_fuzz_fuzz_rfc3339_SOURCES = tests/fuzz/fuzz-rfc3339.c $(FUZZ_MAIN)
tests_fuzz_fuzz_rfc3339_CPPFLAGS = $(SHARED_FUZZ_CPPFLAGS)
tests_fuzz_fuzz_rfc3339_LDADD = $(SHARED_FUZZ_LDADD)
tests_fuzz_fuzz_rfc3339_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

FUZZERS += tests/fuzz/fuzz-settings
tests_fuzz_fuzz_settings_SOURCES = tests/fuzz/fuzz-settings.c $(FUZZ_MAIN)
tests_fuzz_fuzz_settings_CPPFLAGS = $(SHARED_FUZZ_CPPFLAGS)
tests_fuzz_fuzz_settings_LDADD = $(SHARED_FUZZ_LDADD)
tests_fuzz_fuzz_settings_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

FUZZERS += tests/fuzz/fuzz-vmdk-descriptor
tests_fuzz_fuzz_vmdk_descriptor_SOURCES = tests/fuzz/fuzz-vmdk-descriptor.c $(FUZZ_MAIN)
tests_fuzz_fuzz_vmdk_descriptor_CPPFLAGS = $(SHARED_FUZZ_CPPFLAGS)
tests_fuzz_fuzz_vmdk_descriptor_LDADD = $(SHARED_FUZZ_LDADD)
tests_fuzz_fuzz_vmdk_descriptor_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

FUZZERS += tests/fuzz/fuzz-cron
tests_fuzz_fuzz_cron_SOURCES = tests/fuzz/fuzz-cron.c $(FUZZ_MAIN)
tests_fuzz_fuzz_cron_CPPFLAGS = $(SHARED_FUZZ_CPPFLAGS)
tests_fuzz_fuzz_cron_LDADD = $(SHARED_FUZZ_LDADD)
tests_fuzz_fuzz_cron_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

FUZZERS += tests/fuzz/fuzz-webhook
tests_fuzz_fuzz_webhook_SOURCES = tests/fuzz/fuzz-webhook.c $(FUZZ_MAIN)
tests_fuzz_fuzz_webhook_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS) $(SYSTEMD_CFLAGS)
tests_fuzz_fuzz_webhook_LDADD = libhyper-shared.la $(JANSSON_LIBS)
tests_fuzz_fuzz_webhook_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

FUZZERS += tests/fuzz/fuzz-worker-message
tests_fuzz_fuzz_worker_message_SOURCES = tests/fuzz/fuzz-worker-message.c $(FUZZ_MAIN)
tests_fuzz_fuzz_worker_message_CPPFLAGS = $(SHARED_FUZZ_CPPFLAGS)
tests_fuzz_fuzz_worker_message_LDADD = $(SHARED_FUZZ_LDADD)
tests_fuzz_fuzz_worker_message_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

FUZZERS += tests/fuzz/fuzz-api-key
tests_fuzz_fuzz_api_key_SOURCES = tests/fuzz/fuzz-api-key.c $(FUZZ_MAIN)
tests_fuzz_fuzz_api_key_CPPFLAGS = $(AM_CPPFLAGS)
tests_fuzz_fuzz_api_key_LDADD = libhyper-api-key.la
tests_fuzz_fuzz_api_key_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

FUZZERS += tests/fuzz/fuzz-image-names
tests_fuzz_fuzz_image_names_SOURCES = tests/fuzz/fuzz-image-names.c $(FUZZ_MAIN)
tests_fuzz_fuzz_image_names_CPPFLAGS = $(SHARED_FUZZ_CPPFLAGS)
tests_fuzz_fuzz_image_names_LDADD = $(SHARED_FUZZ_LDADD)
tests_fuzz_fuzz_image_names_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

FUZZERS += tests/fuzz/fuzz-ovf-names
tests_fuzz_fuzz_ovf_names_SOURCES = tests/fuzz/fuzz-ovf-names.c $(FUZZ_MAIN)
tests_fuzz_fuzz_ovf_names_CPPFLAGS = $(SHARED_FUZZ_CPPFLAGS)
tests_fuzz_fuzz_ovf_names_LDADD = $(SHARED_FUZZ_LDADD)
tests_fuzz_fuzz_ovf_names_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
