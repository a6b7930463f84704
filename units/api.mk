# SPDX-License-Identifier: LGPL-2.1-or-later

UNITS += units/hyper.socket units/hyper-peers.socket units/hyper-worker.socket
UNITS_IN += units/hyper.service
