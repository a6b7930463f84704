# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The dialects: what stands between the HTTP server and the job spec. Their routes need libhyper-api.la at link time,
# their decoders and renderers do not.

noinst_LTLIBRARIES += libhyper-dialects.la
libhyper_dialects_la_SOURCES = \
	src/api/dialect-metrics.c \
	src/api/dialect-metrics.h \
	src/api/dialect-schema.c \
	src/api/dialect-schema.h \
	src/api/hosts/hosts-api.h \
	src/api/hosts/hosts-json.c \
	src/api/hosts/hosts-json.h \
	src/api/hosts/hosts-routes.c \
	src/api/hosts/hosts-ws.c \
	src/api/hypersdk/hypersdk-cancel.c \
	src/api/hypersdk/hypersdk-decode.c \
	src/api/hypersdk/hypersdk-decode.h \
	src/api/hypersdk/hypersdk-json.c \
	src/api/hypersdk/hypersdk-json.h \
	src/api/hypersdk/hypersdk-metrics.c \
	src/api/hypersdk/hypersdk-routes.c \
	src/api/hypersdk/hypersdk-schedule-json.c \
	src/api/hypersdk/hypersdk-schedule-json.h \
	src/api/hypersdk/hypersdk-schedules.c \
	src/api/hypersdk/hypersdk-schedules.h \
	src/api/hypersdk/hypersdk-webhooks.c \
	src/api/hypersdk/hypersdk-webhooks.h \
	src/api/hypersdk/hypersdk-submit.c \
	src/api/hypersdk/hypersdk-ws.c \
	src/api/hypersdk/hypersdk-ws.h \
	src/api/hypersdk/hypersdk.h \
	src/api/job-json.c \
	src/api/job-json.h \
	src/api/job-submit.c \
	src/api/job-submit.h \
	src/api/openapi.c \
	src/api/openapi.h \
	src/api/schema.c \
	src/api/schema.h \
	src/api/worker/worker-decode.c \
	src/api/worker/worker-decode.h \
	src/api/worker/worker-dequeue.c \
	src/api/worker/worker-json.c \
	src/api/worker/worker-workers.c \
	src/api/worker/worker-workers.h \
	src/api/worker/worker-json.h \
	src/api/worker/worker-metrics.c \
	src/api/worker/worker-pages.c \
	src/api/worker/worker-routes.c \
	src/api/worker/worker.h
libhyper_dialects_la_CPPFLAGS = $(AM_CPPFLAGS) $(SYSTEMD_CFLAGS) $(JANSSON_CFLAGS)
libhyper_dialects_la_LIBADD = libhyper-store.la $(SYSTEMD_LIBS) $(JANSSON_LIBS)
EXTRA_DIST += src/api/hosts/README.md src/api/hypersdk/README.md src/api/worker/README.md

# Pages for browsers, and what they are made of; see their README
docspagesdir = $(datadir)/hyper/docs
dist_docspages_DATA = \
	src/api/worker/pages/docs.html \
	src/api/worker/pages/docs.js \
	src/api/worker/pages/redoc.LICENSE \
	src/api/worker/pages/redoc.html \
	src/api/worker/pages/redoc.js \
	src/api/worker/pages/redoc.standalone.js \
	src/api/worker/pages/redoc.standalone.js.LICENSE.txt \
	src/api/worker/pages/swagger-ui-bundle.js \
	src/api/worker/pages/swagger-ui-bundle.js.LICENSE.txt \
	src/api/worker/pages/swagger-ui.LICENSE \
	src/api/worker/pages/swagger-ui.NOTICE \
	src/api/worker/pages/swagger-ui.css
EXTRA_DIST += src/api/worker/pages/README.md
