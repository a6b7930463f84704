# SPDX-License-Identifier: LGPL-2.1-or-later

noinst_LTLIBRARIES += libhyper-spec.la
libhyper_spec_la_SOURCES = \
	src/spec/capability.c \
	src/spec/capability.h \
	src/spec/disk-format.c \
	src/spec/disk-format.h \
	src/spec/endpoint-kind.c \
	src/spec/endpoint-kind.h \
	src/spec/host-uri.c \
	src/spec/host-uri.h \
	src/spec/job-demand.c \
	src/spec/job-demand.h \
	src/spec/job-document.c \
	src/spec/job-document.h \
	src/spec/job-fields.c \
	src/spec/job-fields.h \
	src/spec/job-file-internal.h \
	src/spec/job-file.c \
	src/spec/job-file.h \
	src/spec/job-fix.c \
	src/spec/job-fix.h \
	src/spec/job-guest.c \
	src/spec/job-guest.h \
	src/spec/job-id.c \
	src/spec/job-id.h \
	src/spec/job-misplaced.c \
	src/spec/job-misplaced.h \
	src/spec/job-parameters.c \
	src/spec/job-parameters.h \
	src/spec/job-path.c \
	src/spec/job-path.h \
	src/spec/job-remains.c \
	src/spec/job-remains.h \
	src/spec/job-result.c \
	src/spec/job-result.h \
	src/spec/job-secrets.c \
	src/spec/job-secrets.h \
	src/spec/job-settings.h \
	src/spec/job-spec.c \
	src/spec/job-spec.h \
	src/spec/job-state.c \
	src/spec/job-state.h \
	src/spec/job-template.c \
	src/spec/job-template.h \
	src/spec/kvm-boot.c \
	src/spec/kvm-boot.h \
	src/spec/kvm-domain.c \
	src/spec/kvm-domain.h \
	src/spec/kvm-outcome.c \
	src/spec/kvm-outcome.h \
	src/spec/kvm-spec.c \
	src/spec/kvm-spec.h \
	src/spec/kvm-target.c \
	src/spec/kvm-target.h \
	src/spec/nbd-uri.c \
	src/spec/nbd-uri.h \
	src/spec/operation.c \
	src/spec/operation.h \
	src/spec/vm-json.c \
	src/spec/vm-json.h \
	src/spec/vm-value.c \
	src/spec/vm-value.h \
	src/spec/vm.c \
	src/spec/vm.h \
	src/spec/vsphere-server.c \
	src/spec/vsphere-server.h \
	src/spec/vsphere-spec.c \
	src/spec/vsphere-spec.h \
	src/spec/warm-spec.c \
	src/spec/warm-spec.h \
	src/spec/warm-state.c \
	src/spec/warm-state.h
SPEC_LIBS = libhyper-spec.la $(JSON_LIBS) $(XML_LIBS) $(SYSTEMD_LIBS)
EXTRA_DIST += src/spec/README.md
