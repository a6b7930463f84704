# SPDX-License-Identifier: LGPL-2.1-or-later

include tests/unit/api-core.mk
include tests/unit/api-dialects.mk
