# SPDX-License-Identifier: LGPL-2.1-or-later

include tests/unit/job-engine.mk
include tests/unit/job-front.mk
include tests/unit/job-promise.mk
