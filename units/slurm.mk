# SPDX-License-Identifier: LGPL-2.1-or-later

UNITS_IN += units/hyper-slurmd.service
