# SPDX-License-Identifier: LGPL-2.1-or-later

noinst_LTLIBRARIES += libhyper-shared.la
libhyper_shared_la_SOURCES = \
	src/shared/address-range.c \
	src/shared/address-range.h \
	src/shared/bus-options.c \
	src/shared/bus-util.c \
	src/shared/bus-util.h \
	src/shared/capability.c \
	src/shared/capability.h \
	src/shared/cron-calendar.c \
	src/shared/cron.c \
	src/shared/cron.h \
	src/shared/daemon-arguments.c \
	src/shared/daemon.c \
	src/shared/daemon.h \
	src/shared/dialect-complete.c \
	src/shared/dialect-job.c \
	src/shared/dialect-job.h \
	src/shared/error-table.c \
	src/shared/error-table.h \
	src/shared/hyperv-names.c \
	src/shared/hyperv-names.h \
	src/shared/image-names.c \
	src/shared/image-names.h \
	src/shared/image-paths.c \
	src/shared/disk-format.c \
	src/shared/disk-format.h \
	src/shared/endpoint-kind.c \
	src/shared/endpoint-kind.h \
	src/shared/job-demand.c \
	src/shared/job-demand.h \
	src/shared/job-id.h \
	src/shared/job-path.h \
	src/shared/operation.c \
	src/shared/operation.h \
	src/shared/job-event.c \
	src/shared/job-event.h \
	src/shared/job-file-internal.h \
	src/shared/job-file.c \
	src/shared/job-file.h \
	src/shared/job-id.c \
	src/shared/job-misplaced.c \
	src/shared/job-misplaced.h \
	src/shared/job-parameters.c \
	src/shared/job-parameters.h \
	src/shared/job-path.c \
	src/shared/job-result.c \
	src/shared/job-secrets.c \
	src/shared/job-secrets.h \
	src/shared/job-spec.c \
	src/shared/job-spec.h \
	src/shared/job-state.c \
	src/shared/job-state.h \
	src/shared/job-template.c \
	src/shared/job-template.h \
	src/shared/journal-follow.c \
	src/shared/journal-follow.h \
	src/shared/journal-open.h \
	src/shared/journal-read.c \
	src/shared/journal-sync.c \
	src/shared/journal-sync.h \
	src/shared/json-parse.c \
	src/shared/json-redact.c \
	src/shared/json-table.c \
	src/shared/json-table.h \
	src/shared/machine.c \
	src/shared/machine.h \
	src/shared/nbd-uri.c \
	src/shared/nbd-uri.h \
	src/shared/ovf-names.c \
	src/shared/ovf-names.h \
	src/shared/refuse.c \
	src/shared/refuse.h \
	src/shared/role.c \
	src/shared/role.h \
	src/shared/schedule-event.c \
	src/shared/schedule-event.h \
	src/shared/settings-internal.h \
	src/shared/settings-yaml.c \
	src/shared/settings.c \
	src/shared/settings.h \
	src/shared/vmdk-descriptor.c \
	src/shared/vmdk-descriptor.h \
	src/shared/vmdk-embedded.c \
	src/shared/vmdk-embedded.h \
	src/shared/vmdk-text.c \
	src/shared/vmdk-text.h \
	src/shared/webhook.c \
	src/shared/webhook.h \
	src/shared/worker-job.c \
	src/shared/worker-job.h \
	src/shared/worker-message.c \
	src/shared/worker-message.h
libhyper_shared_la_CPPFLAGS = $(AM_CPPFLAGS) $(SYSTEMD_CFLAGS) $(JANSSON_CFLAGS) $(YAML_CFLAGS) $(XML_CFLAGS)
libhyper_shared_la_LIBADD = libhyper-basic.la $(SYSTEMD_LIBS) $(JANSSON_LIBS) $(YAML_LIBS) $(XML_LIBS)
# What talks HTTP to other machines, apart, so that nothing else is linked with libcurl
noinst_LTLIBRARIES += libhyper-http.la
libhyper_http_la_SOURCES = src/shared/http-client.c src/shared/http-client.h
libhyper_http_la_CPPFLAGS = $(AM_CPPFLAGS) $(SYSTEMD_CFLAGS) $(CURL_CFLAGS)
libhyper_http_la_LIBADD = libhyper-basic.la $(SYSTEMD_LIBS) $(CURL_LIBS)

# Apart, for those who hash keys: only they are linked to libnettle.
noinst_LTLIBRARIES += libhyper-api-key.la
libhyper_api_key_la_SOURCES = \
	src/shared/api-key.c \
	src/shared/api-key.h
libhyper_api_key_la_CPPFLAGS = $(AM_CPPFLAGS) $(NETTLE_CFLAGS)
libhyper_api_key_la_LIBADD = libhyper-basic.la $(NETTLE_LIBS)
EXTRA_DIST += src/shared/README.md
