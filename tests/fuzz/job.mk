# SPDX-License-Identifier: LGPL-2.1-or-later

include tests/fuzz/job-engine.mk
include tests/fuzz/job-front.mk
