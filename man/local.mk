# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Manual pages, in mdoc(7), written by hand. check-man holds them against the programs.

dist_man_MANS += \
	man/hyper-agentd.8 \
	man/hyper-api.7 \
	man/hyper-apid.8 \
	man/hyper-auth.8 \
	man/hyper-carbond.8 \
	man/hyper-certificate.8 \
	man/hyper-config.5 \
	man/hyper-hostd.8 \
	man/hyper-job.8 \
	man/hyper-managerd.8 \
	man/hyper-notifyd.8 \
	man/hyper-slurmd.8 \
	man/hyper-vsphered.8 \
	man/hyper.7 \
	man/hyper.socket.8 \
	man/hyperctl.1 \
	man/org.hyper1.5 \
	man/org.hyper1.Carbon.5 \
	man/org.hyper1.Hosts.5 \
	man/org.hyper1.VSphere.5

TESTS += man/check-man
EXTRA_DIST += man/check-man
