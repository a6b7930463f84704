/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* What libFuzzer calls for each input; returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* For decoders by libraries that reserve as much memory as their input claims: more than this at once fails,
 * as it does in the sandbox of parsers, where the address space is limited. Without it, the notes that
 * AddressSanitizer keeps of it use up what the fuzzer may have. Placed once, outside functions. */
#define FUZZ_LIMIT_RESERVATIONS                                                   \
        const char *__asan_default_options(void);                                 \
        const char *__asan_default_options(void) {                                \
                return "allocator_may_return_null=1:max_allocation_size_mb=1024"; \
        }
