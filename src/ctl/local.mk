# SPDX-License-Identifier: LGPL-2.1-or-later

noinst_LIBRARIES += libhyper-ctl.a
libhyper_ctl_a_SOURCES = \
	src/ctl/arguments.c \
	src/ctl/arguments.h \
	src/ctl/boot-view.c \
	src/ctl/boot-view.h \
	src/ctl/client.c \
	src/ctl/client.h \
	src/ctl/ctl.h \
	src/ctl/daemons.c \
	src/ctl/daemons.h \
	src/ctl/guest-view.c \
	src/ctl/guest-view.h \
	src/ctl/help.c \
	src/ctl/help.h \
	src/ctl/hosts-client.c \
	src/ctl/hosts-client.h \
	src/ctl/inspection.c \
	src/ctl/inspection.h \
	src/ctl/job-remedy.c \
	src/ctl/job-remedy.h \
	src/ctl/job-view.c \
	src/ctl/job-view.h \
	src/ctl/journal-print.c \
	src/ctl/journal-print.h \
	src/ctl/migrate-plan.c \
	src/ctl/migrate-plan.h \
	src/ctl/output-name.c \
	src/ctl/output-name.h \
	src/ctl/password.c \
	src/ctl/password.h \
	src/ctl/polkit-agent.c \
	src/ctl/polkit-agent.h \
	src/ctl/progress-bar.c \
	src/ctl/progress-bar.h \
	src/ctl/run.c \
	src/ctl/run.h \
	src/ctl/server-client.c \
	src/ctl/server-client.h \
	src/ctl/similar.c \
	src/ctl/similar.h \
	src/ctl/socket-view.c \
	src/ctl/socket-view.h \
	src/ctl/submit-spec.c \
	src/ctl/submit-spec.h \
	src/ctl/table.c \
	src/ctl/table.h \
	src/ctl/terminal.c \
	src/ctl/terminal.h \
	src/ctl/text.c \
	src/ctl/text.h \
	src/ctl/upload.c \
	src/ctl/upload.h \
	src/ctl/upload-bus.c \
	src/ctl/upload-bus.h \
	src/ctl/upload-digest.c \
	src/ctl/upload-digest.h \
	src/ctl/upload-http.c \
	src/ctl/upload-http.h \
	src/ctl/upload-state.c \
	src/ctl/upload-state.h \
	src/ctl/upload-target.h \
	src/ctl/verb-boot.c \
	src/ctl/verb-boot.h \
	src/ctl/verb-cancel.c \
	src/ctl/verb-cancel.h \
	src/ctl/verb-carbon.c \
	src/ctl/verb-carbon.h \
	src/ctl/verb-config.c \
	src/ctl/verb-config.h \
	src/ctl/verb-cutover.c \
	src/ctl/verb-cutover.h \
	src/ctl/verb-guest.c \
	src/ctl/verb-guest.h \
	src/ctl/verb-host.c \
	src/ctl/verb-host.h \
	src/ctl/verb-key.c \
	src/ctl/verb-key.h \
	src/ctl/verb-list.c \
	src/ctl/verb-list.h \
	src/ctl/verb-logs.c \
	src/ctl/verb-logs.h \
	src/ctl/verb-migrate.c \
	src/ctl/verb-migrate.h \
	src/ctl/verb-readiness.c \
	src/ctl/verb-readiness.h \
	src/ctl/verb-retry.c \
	src/ctl/verb-retry.h \
	src/ctl/verb-schedule.c \
	src/ctl/verb-schedule.h \
	src/ctl/verb-session.c \
	src/ctl/verb-session.h \
	src/ctl/verb-provider.c \
	src/ctl/verb-provider.h \
	src/ctl/verb-source.c \
	src/ctl/verb-source.h \
	src/ctl/verb-status.c \
	src/ctl/verb-status.h \
	src/ctl/verb-submit.c \
	src/ctl/verb-submit.h \
	src/ctl/verb-upload.c \
	src/ctl/verb-upload.h \
	src/ctl/verb-vm-console.c \
	src/ctl/verb-vm-console.h \
	src/ctl/verb-vm-top.c \
	src/ctl/verb-vm-top.h \
	src/ctl/verb-vm.c \
	src/ctl/verb-vm.h \
	src/ctl/verb-vsphere.c \
	src/ctl/verb-vsphere.h \
	src/ctl/verb-watch.c \
	src/ctl/verb-watch.h \
	src/ctl/verb-webhook.c \
	src/ctl/verb-webhook.h \
	src/ctl/verb-worker.c \
	src/ctl/verb-worker.h \
	src/ctl/verb.h \
	src/ctl/verbs.c \
	src/ctl/verbs.h \
	src/ctl/view.c \
	src/ctl/view.h \
	src/ctl/vsphere-address.c \
	src/ctl/vsphere-address.h \
	src/ctl/vsphere-client.c \
	src/ctl/vsphere-client.h \
	src/ctl/watch.c \
	src/ctl/watch.h
CTL_LIBS = libhyper-ctl.a $(HTTP_LIBS) -lm

bin_PROGRAMS += hyperctl
hyperctl_SOURCES = src/ctl/ctl-main.c
hyperctl_LDADD = $(CTL_LIBS)

# Installed under the name of the command, as bash-completion looks it up.
bashcompletion_DATA = src/ctl/completions/hyperctl
src/ctl/completions/hyperctl: src/ctl/hyperctl.bash-completion
	$(AM_V_GEN)$(MKDIR_P) $(@D) && cp $(srcdir)/src/ctl/hyperctl.bash-completion $@
CLEANFILES += src/ctl/completions/hyperctl

EXTRA_DIST += src/ctl/README.md src/ctl/hyperctl.bash-completion
