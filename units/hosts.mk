# SPDX-License-Identifier: LGPL-2.1-or-later

UNITS += units/hyper-hosts-key.service units/hyper-hosts.socket
UNITS_IN += units/hyper-hostd.service
