# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Units as they are go to UNITS, those with @paths@ in them to UNITS_IN (as NAME.in); both are installed.

UNITS = units/hyper-credential-key.service units/hyper-inspect.socket units/hyper-jobs.slice
UNITS_IN = units/hyper-agent-job@.service units/hyper-agentd.service units/hyper-appliance.service units/hyper-inspect@.service units/hyper-managerd.service units/hyper-notifyd.service \
	units/hyper-resume.service units/hyper-schedules.service
include units/api.mk
include units/hosts.mk
include units/vsphere.mk
include units/carbon.mk
include units/slurm.mk
include units/tls.mk

# For every file that is made from a .in file, here and in dbus/
fill_in = $(AM_V_GEN)$(MKDIR_P) $(@D) && $(SED) \
	-e 's|@libexecdir[@]|$(libexecdir)|g' \
	-e 's|@bindir[@]|$(bindir)|g' \
	-e 's|@localstatedir[@]|$(localstatedir)|g' \
	-e 's|@sysconfdir[@]|$(sysconfdir)|g' \
	-e 's|@VERSION[@]|$(VERSION)|g' \
	<$< >$@.new && mv $@.new $@

$(UNITS_IN): %: %.in Makefile
	$(fill_in)

dist_systemdsystemunit_DATA = $(UNITS)
nodist_systemdsystemunit_DATA = $(UNITS_IN)
EXTRA_DIST += $(UNITS_IN:=.in) units/hyper.sysusers units/hyper-agent.sysusers units/hyper.tmpfiles
CLEANFILES += $(UNITS_IN)
dist_catalog_DATA = units/hyper.catalog
# For all units whose names begin so
schedule_dropindir = $(systemdsystemunitdir)/hyper-schedule-.service.d
dist_schedule_dropin_DATA = units/hyper-schedule.conf

# sysusers.d and tmpfiles.d require names that end in .conf. The directories of the configuration are created here.
install-data-local: install-units-conf
install-units-conf:
	$(MKDIR_P) '$(DESTDIR)$(sysusersdir)' '$(DESTDIR)$(tmpfilesdir)' '$(DESTDIR)$(sysconfdir)/hyper/config.d'
	for name in hyper hyper-agent; do \
		$(INSTALL_DATA) $(srcdir)/units/$$name.sysusers "$(DESTDIR)$(sysusersdir)/$$name.conf" || exit; \
	done
	$(INSTALL_DATA) $(srcdir)/units/hyper.tmpfiles '$(DESTDIR)$(tmpfilesdir)/hyper.conf'
uninstall-local: uninstall-units-conf
uninstall-units-conf:
	rm -f '$(DESTDIR)$(sysusersdir)/hyper.conf' '$(DESTDIR)$(sysusersdir)/hyper-agent.conf' \
		'$(DESTDIR)$(tmpfilesdir)/hyper.conf'
	-rmdir '$(DESTDIR)$(sysconfdir)/hyper/config.d' '$(DESTDIR)$(sysconfdir)/hyper' 2>/dev/null
.PHONY: install-units-conf uninstall-units-conf

include units/debian/local.mk
