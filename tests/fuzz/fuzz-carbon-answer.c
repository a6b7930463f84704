/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Answers of services for carbon intensity, and what hyper-carbond keeps: the first byte says which. What is
 * taken can be searched for windows, and is read again as it was written. */

#include "basic/string-util.h"
#include "carbon/carbon-answer.h"
#include "fuzz/fuzz.h"
#include "spec/carbon-window.h"
#include "json/json-table.h"

#define NOW ((usec_t) 1750000000 * USEC_PER_SEC)

static void check_order(const CarbonData *d) {
        for (size_t i = 0; i < d->n_points; i++)
                if (d->points[i].from >= d->points[i].to ||
                                (i > 0 && d->points[i].from < d->points[i - 1].to))
                        abort();
}

static void use(const CarbonData *d) {
        const CarbonWish wish = { .not_after = NOW + USEC_PER_DAY,
                .duration = USEC_PER_HOUR,
                .refresh = USEC_PER_HOUR / 4,
                .max_intensity = 100 };
        CarbonChoice choice;
        CarbonWindow windows[8];
        const CarbonSearch search = {
                .from = NOW, .until = USEC_INFINITY, .start_until = wish.not_after, .duration = wish.duration
        };

        check_order(d);
        if (d->n_points > 512) /* it takes longer, but nothing else */
                return;
        if (carbon_windows(d, &search, windows, ELEMENTSOF(windows)) < 0 ||
                        carbon_choose(d, &wish, NOW, &choice) < 0)
                abort();
        if (choice.until > wish.not_after)
                abort();
}

static void write_and_read(const CarbonData *d) {
        _cleanup_(carbon_data_freep) CarbonData *again = NULL;
        _cleanup_json_ json_t *json = carbon_data_to_json(d);
        _cleanup_free_ char *text = json ? json_dumps(json, JSON_COMPACT) : NULL, *error = NULL;

        if (!text || strlen(text) > CARBON_TEXT_MAX)
                return;
        if (carbon_data_decode(text, strlen(text), &again, &error) < 0 || again->n_points != d->n_points)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = NULL, *error = NULL, *token = NULL;
        _cleanup_(carbon_data_freep) CarbonData *d = carbon_data_new();
        int r;

        if (size == 0 || !d)
                return 0;
        text = strndup((const char *) data + 1, size - 1);
        d->zone = strdup(data[0] == 'R' ? "13" : data[0] == 'E' || data[0] == 'F' ? "DE" : "GB");
        d->updated_at = NOW;
        if (!text || !d->zone)
                return 0;
        switch (data[0]) {
        case 'E':
                r = carbon_answer_latest(text, strlen(text), NOW, d, &error);
                break;
        case 'F':
                r = carbon_answer_forecast(text, strlen(text), d, &error);
                break;
        case 'W':
                r = carbon_answer_watttime(text, strlen(text), d, &error);
                break;
        case 'L':
                r = carbon_answer_login(text, strlen(text), &token, &error);
                break;
        case 'D':
                d = carbon_data_free(d);
                r = carbon_data_decode(text, strlen(text), &d, &error);
                break;
        default:
                r = carbon_answer_gb(text, strlen(text), d, &error);
        }
        if (r < 0 && !error && r != -ENOMEM)
                abort();
        if (r >= 0 && data[0] != 'L') {
                use(d);
                write_and_read(d);
        }
        return 0;
}
