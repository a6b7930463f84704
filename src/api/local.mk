# SPDX-License-Identifier: LGPL-2.1-or-later

noinst_LTLIBRARIES += libhyper-api.la
libhyper_api_la_SOURCES = \
	src/api/api-bus.c \
	src/api/api-bus.h \
	src/api/api-state.c \
	src/api/api-state.h \
	src/api/api.c \
	src/api/api.h \
	src/api/auth-client.c \
	src/api/auth-client.h \
	src/api/database.c \
	src/api/database.h \
	src/api/bus-client.c \
	src/api/bus-client.h \
	src/api/metrics.c \
	src/api/metrics.h \
	src/api/queue-waiters.c \
	src/api/queue-waiters.h \
	src/api/http/cors.c \
	src/api/http/cors.h \
	src/api/http/http-server-state.c \
	src/api/http/http-server-state.h \
	src/api/http/http-server.c \
	src/api/http/http-server.h \
	src/api/http/reply-header.c \
	src/api/http/reply-header.h \
	src/api/http/reply.c \
	src/api/http/reply.h \
	src/api/http/list-reply.c \
	src/api/http/list-reply.h \
	src/api/http/origin.c \
	src/api/http/origin.h \
	src/api/http/query.c \
	src/api/http/query.h \
	src/api/http/rate-limit.c \
	src/api/http/rate-limit.h \
	src/api/http/reply-cache.c \
	src/api/http/reply-cache.h \
	src/api/http/request-park.c \
	src/api/http/request-park.h \
	src/api/http/request-body.c \
	src/api/http/request-body.h \
	src/api/http/request-handle.c \
	src/api/http/request-handle.h \
	src/api/http/request-state.h \
	src/api/http/request.c \
	src/api/http/request.h \
	src/api/http/router.c \
	src/api/http/router.h \
	src/api/http/uri.c \
	src/api/http/uri.h \
	src/api/http/yaml-body.c \
	src/api/http/yaml-body.h \
	src/api/access/access-check.c \
	src/api/access/access-check.h \
	src/api/access/access.c \
	src/api/access/access.h \
	src/api/access/audit.c \
	src/api/access/audit.h \
	src/api/access/client-address.c \
	src/api/access/client-address.h \
	src/api/access/login-limit.c \
	src/api/access/login-limit.h \
	src/api/access/peer.c \
	src/api/access/peer.h \
	src/api/access/role-cache.c \
	src/api/access/role-cache.h \
	src/api/access/session-check.c \
	src/api/access/session-check.h \
	src/api/access/socket-diag.c \
	src/api/access/socket-diag.h \
	src/api/stream/event-hub.c \
	src/api/stream/event-hub.h \
	src/api/stream/journal-position.c \
	src/api/stream/journal-position.h \
	src/api/stream/sse-state.h \
	src/api/stream/sse-stream.h \
	src/api/stream/sse-stream.c \
	src/api/stream/sse.c \
	src/api/stream/sse.h \
	src/api/stream/websocket-closing.c \
	src/api/stream/websocket-closing.h \
	src/api/stream/websocket-handshake.c \
	src/api/stream/websocket-handshake.h \
	src/api/stream/websocket-io.c \
	src/api/stream/websocket-io.h \
	src/api/stream/websocket-protocol.h \
	src/api/stream/websocket-state.h \
	src/api/stream/websocket.c \
	src/api/stream/websocket.h \
	src/api/stream/ws-codec.c \
	src/api/stream/ws-codec.h \
	src/api/stream/ws-message.c \
	src/api/stream/ws-message.h

# The dialects: what stands between the HTTP server and the job spec.
noinst_LTLIBRARIES += libhyper-dialects.la
libhyper_dialects_la_SOURCES = \
	src/api/dialect-metrics.c \
	src/api/dialect-metrics.h \
	src/api/job-json.c \
	src/api/job-json.h \
	src/api/jobs-reply.c \
	src/api/jobs-reply.h \
	src/api/job-cutover.c \
	src/api/job-cutover.h \
	src/api/job-retry.c \
	src/api/job-retry.h \
	src/api/job-submit.c \
	src/api/job-submit.h \
	src/api/openapi/dialect-schema.c \
	src/api/openapi/dialect-schema.h \
	src/api/openapi/openapi.c \
	src/api/openapi/openapi.h \
	src/api/openapi/schema.c \
	src/api/openapi/schema.h \
	src/api/hosts/hosts-client.c \
	src/api/hosts/hosts-client.h \
	src/api/hosts/hosts-console.c \
	src/api/hosts/hosts-console.h \
	src/api/hosts/hosts-dashboard.c \
	src/api/hosts/hosts-dashboard.h \
	src/api/hosts/hosts-gather.c \
	src/api/hosts/hosts-gather.h \
	src/api/hosts/hosts-host.c \
	src/api/hosts/hosts-host.h \
	src/api/hosts/hosts-json.c \
	src/api/hosts/hosts-json.h \
	src/api/hosts/hosts-lists.c \
	src/api/hosts/hosts-lists.h \
	src/api/hosts/hosts-routes.c \
	src/api/hosts/hosts-routes.h \
	src/api/hosts/hosts-schema.c \
	src/api/hosts/hosts-schema.h \
	src/api/hosts/hosts-settings.c \
	src/api/hosts/hosts-settings.h \
	src/api/hosts/hosts-vm-list.c \
	src/api/hosts/hosts-vm-list.h \
	src/api/hosts/hosts-vm.c \
	src/api/hosts/hosts-vm.h \
	src/api/hosts/hosts-ws.c \
	src/api/hosts/hosts-ws.h \
	src/api/hypersdk/hypersdk-cancel.c \
	src/api/hypersdk/hypersdk-cancel.h \
	src/api/hypersdk/hypersdk-dashboard.c \
	src/api/hypersdk/hypersdk-dashboard.h \
	src/api/hypersdk/hypersdk-decode.c \
	src/api/hypersdk/hypersdk-decode.h \
	src/api/hypersdk/hypersdk-definition.c \
	src/api/hypersdk/hypersdk-definition.h \
	src/api/hypersdk/hypersdk-json.c \
	src/api/hypersdk/hypersdk-json.h \
	src/api/hypersdk/hypersdk-manifest.c \
	src/api/hypersdk/hypersdk-manifest.h \
	src/api/hypersdk/hypersdk-metrics.c \
	src/api/hypersdk/hypersdk-metrics.h \
	src/api/hypersdk/hypersdk-quirks.c \
	src/api/hypersdk/hypersdk-quirks.h \
	src/api/hypersdk/hypersdk-read.c \
	src/api/hypersdk/hypersdk-read.h \
	src/api/hypersdk/hypersdk-reply.c \
	src/api/hypersdk/hypersdk-reply.h \
	src/api/hypersdk/hypersdk-retry.c \
	src/api/hypersdk/hypersdk-retry.h \
	src/api/hypersdk/hypersdk-routes.c \
	src/api/hypersdk/hypersdk-routes.h \
	src/api/hypersdk/hypersdk-schedule-json.c \
	src/api/hypersdk/hypersdk-schedule-json.h \
	src/api/hypersdk/hypersdk-schedules.c \
	src/api/hypersdk/hypersdk-schedules.h \
	src/api/hypersdk/hypersdk-sources.c \
	src/api/hypersdk/hypersdk-sources.h \
	src/api/hypersdk/hypersdk-submit.c \
	src/api/hypersdk/hypersdk-submit.h \
	src/api/hypersdk/hypersdk-vms.c \
	src/api/hypersdk/hypersdk-vms.h \
	src/api/hypersdk/hypersdk-webhooks.c \
	src/api/hypersdk/hypersdk-webhooks.h \
	src/api/hypersdk/hypersdk-workflow.c \
	src/api/hypersdk/hypersdk-workflow.h \
	src/api/hypersdk/hypersdk-ws.c \
	src/api/hypersdk/hypersdk-ws.h \
	src/api/hypersdk/hypersdk-routes.h \
	src/api/worker/worker-decode.c \
	src/api/worker/worker-decode.h \
	src/api/worker/worker-dequeue.c \
	src/api/worker/worker-dequeue.h \
	src/api/worker/worker-json.c \
	src/api/worker/worker-json.h \
	src/api/worker/worker-metrics.c \
	src/api/worker/worker-metrics.h \
	src/api/worker/worker-pages.c \
	src/api/worker/worker-pages.h \
	src/api/worker/worker-routes.c \
	src/api/worker/worker-routes.h \
	src/api/worker/worker-workers.c \
	src/api/worker/worker-workers.h \
	src/api/v1/v1-auth.c \
	src/api/v1/v1-auth.h \
	src/api/v1/v1-job-json.c \
	src/api/v1/v1-job-json.h \
	src/api/v1/v1-jobs.c \
	src/api/v1/v1-jobs.h \
	src/api/v1/v1-json.c \
	src/api/v1/v1-login.c \
	src/api/v1/v1-login.h \
	src/api/v1/v1-page.c \
	src/api/v1/v1-page.h \
	src/api/v1/v1-session.c \
	src/api/v1/v1-session.h \
	src/api/v1/v1-json.h \
	src/api/v1/v1-routes.c \
	src/api/v1/v1-routes.h
API_LIBS = libhyper-dialects.la libhyper-api.la $(STORE_LIBS) $(MICROHTTPD_LIBS) $(TLS_LIBS) $(WSLAY_LIBS) -lm

libexec_PROGRAMS += hyper-apid
hyper_apid_SOURCES = src/api/apid-main.c
hyper_apid_LDADD = $(API_LIBS)
EXTRA_DIST += src/api/README.md src/api/access/README.md src/api/hosts/README.md src/api/http/README.md \
	src/api/hypersdk/README.md src/api/openapi/README.md src/api/stream/README.md src/api/v1/README.md \
	src/api/worker/README.md

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
