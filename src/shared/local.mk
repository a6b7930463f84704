# SPDX-License-Identifier: LGPL-2.1-or-later

noinst_LIBRARIES += libhyper-shared.a
libhyper_shared_a_SOURCES = \
	src/shared/address-range.c \
	src/shared/address-range.h \
	src/shared/auth-message.c \
	src/shared/auth-message.h \
	src/shared/api-key.c \
	src/shared/api-key.h \
	src/shared/bus-fields.c \
	src/shared/bus-fields.h \
	src/shared/bus-object.c \
	src/shared/bus-object.h \
	src/shared/bus-options.c \
	src/shared/bus-options.h \
	src/shared/bus-util.c \
	src/shared/bus-util.h \
	src/shared/daemon-arguments.c \
	src/shared/daemon-arguments.h \
	src/shared/daemon.c \
	src/shared/daemon.h \
	src/shared/error-table.c \
	src/shared/error-table.h \
	src/shared/machine.c \
	src/shared/machine.h \
	src/shared/object-list.c \
	src/shared/object-list.h \
	src/shared/refuse.c \
	src/shared/refuse.h \
	src/shared/role.c \
	src/shared/role.h \
	src/shared/secret.c \
	src/shared/secret.h \
	src/shared/session-token.c \
	src/shared/session-token.h \
	src/shared/settings-carbon.c \
	src/shared/settings-carbon.h \
	src/shared/settings-placement.c \
	src/shared/settings-placement.h \
	src/shared/settings-slurm.c \
	src/shared/settings-slurm.h \
	src/shared/settings-kind.c \
	src/shared/settings-kind.h \
	src/shared/settings-yaml.c \
	src/shared/settings-yaml.h \
	src/shared/settings.c \
	src/shared/settings.h \
	src/shared/step-reply.c \
	src/shared/step-reply.h \
	src/shared/thread-call.c \
	src/shared/thread-call.h \
	src/shared/webhook.c \
	src/shared/webhook.h
SHARED_LIBS = libhyper-shared.a $(DIALECT_LIBS) $(YAML_LIBS) $(NETTLE_LIBS)
EXTRA_DIST += src/shared/README.md
