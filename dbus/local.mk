# SPDX-License-Identifier: LGPL-2.1-or-later

dist_dbussystemservices_DATA = dbus/org.hyper1.service
dist_dbuspolicy_DATA = dbus/org.hyper1.conf
dist_dbusinterfaces_DATA = dbus/org.hyper1.Manager.xml dbus/org.hyper1.Job.xml dbus/org.hyper1.Schedule.xml \
	dbus/org.hyper1.Deliveries.xml dbus/org.hyper1.Sessions.xml dbus/org.hyper1.Slurm.xml \
	dbus/org.hyper1.Sources.xml
dist_polkitaction_DATA = dbus/org.hyper1.policy
dist_polkitrules_DATA = dbus/org.hyper1.rules

# hyper-apid's
dist_dbuspolicy_DATA += dbus/org.hyper1.Api.conf
dist_dbusinterfaces_DATA += dbus/org.hyper1.Api.xml

# hyper-agentd's
dist_dbuspolicy_DATA += dbus/org.hyper1.Agent.conf
dist_dbusinterfaces_DATA += dbus/org.hyper1.Agent.xml

# hyper-hostd's
dist_dbussystemservices_DATA += dbus/org.hyper1.Hosts.service
dist_dbuspolicy_DATA += dbus/org.hyper1.Hosts.conf
dist_dbusinterfaces_DATA += dbus/org.hyper1.Hosts.Manager.xml dbus/org.hyper1.Hosts.Host.xml \
	dbus/org.hyper1.Hosts.Vm.xml

# hyper-vsphered's
dist_dbussystemservices_DATA += dbus/org.hyper1.VSphere.service
dist_dbuspolicy_DATA += dbus/org.hyper1.VSphere.conf
dist_dbusinterfaces_DATA += dbus/org.hyper1.VSphere.xml

# hyper-carbond's
dist_dbussystemservices_DATA += dbus/org.hyper1.Carbon.service
dist_dbuspolicy_DATA += dbus/org.hyper1.Carbon.conf
dist_dbusinterfaces_DATA += dbus/org.hyper1.Carbon.xml
