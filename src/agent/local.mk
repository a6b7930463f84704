# SPDX-License-Identifier: LGPL-2.1-or-later

noinst_LIBRARIES += libhyper-agent.a
libhyper_agent_a_SOURCES = \
	src/agent/agent-service.c \
	src/agent/agent-service.h \
	src/agent/agent-settings.c \
	src/agent/agent-settings.h \
	src/agent/agent-state.h \
	src/agent/agent-util.c \
	src/agent/agent-util.h \
	src/agent/agent.c \
	src/agent/agent.h \
	src/agent/answer.c \
	src/agent/answer.h \
	src/agent/check.c \
	src/agent/check.h \
	src/agent/dequeue.c \
	src/agent/dequeue.h \
	src/agent/forward.c \
	src/agent/forward.h \
	src/agent/held-job.c \
	src/agent/held-job.h \
	src/agent/held.c \
	src/agent/held.h \
	src/agent/link.c \
	src/agent/link.h \
	src/agent/one-job.c \
	src/agent/one-job.h \
	src/agent/report.c \
	src/agent/report.h \
	src/agent/server.c \
	src/agent/server.h
AGENT_LIBS = libhyper-agent.a $(HTTP_LIBS) $(CRYPTO_LIBS)

libexec_PROGRAMS += hyper-agentd
hyper_agentd_SOURCES = src/agent/agent-main.c
hyper_agentd_LDADD = $(AGENT_LIBS)

exampledir = $(docdir)
dist_example_DATA = src/agent/agent.yaml.example src/agent/agent-job.example src/agent/agent-job.rules.example
EXTRA_DIST += src/agent/README.md
