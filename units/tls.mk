# SPDX-License-Identifier: LGPL-2.1-or-later

UNITS += units/hyper-auth.socket units/hyper-tls.socket units/hyper-tls-certificate.path units/hyper-tls-certificate.timer \
	units/hyper-tls-unlock@.service
UNITS_IN += units/hyper-auth@.service units/hyper-tls-certificate.service units/hyper-tls-renew.service
