/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "carbon/carbon-source.h"

#include <ctype.h>
#include <stdio.h>

#include "basic/parse-util.h"
#include "basic/string-util.h"

#define REGIONS 17u /* of Great Britain */

static const struct {
        const char *name;
        const char *url; /* NULL: it must be given */
        bool needs_token;
} sources[_CARBON_SOURCE_MAX] = {
        [CARBON_SOURCE_GB] = { "carbonintensity-gb", "https://api.carbonintensity.org.uk", false },
        [CARBON_SOURCE_ELECTRICITY_MAPS] = { "electricitymaps", "https://api.electricitymaps.com/v3", true },
        [CARBON_SOURCE_WATTTIME] = { "watttime", "https://api.watttime.org", true },
        [CARBON_SOURCE_FILE] = { "file", NULL, false },
};

CarbonSourceKind carbon_source_from_string(const char *s) {
        for (CarbonSourceKind i = 0; i < _CARBON_SOURCE_MAX; i++)
                if (streq(s, sources[i].name))
                        return i;
        return _CARBON_SOURCE_INVALID;
}

/* "RG10", "SW1A": the outward part of a postcode */
static bool is_postcode(const char *s) {
        size_t letters = 0, n = strlen(s);

        while (isupper((unsigned char) s[letters]))
                letters++;
        if (letters < 1 || letters > 2 || n < letters + 1 || n > letters + 2 ||
                        !isdigit((unsigned char) s[letters]))
                return false;
        return n == letters + 1 || isdigit((unsigned char) s[letters + 1]) ||
                        isupper((unsigned char) s[letters + 1]);
}

static bool is_region(const char *s) {
        unsigned n;

        return parse_unsigned(s, &n) >= 0 && n >= 1 && n <= REGIONS;
}

static const char *refuse_zone(const Settings *s, CarbonSourceKind kind) {
        const char *zone = s->carbon.zone;

        if (!zone)
                return "carbon.zone: must be set";
        if (kind == CARBON_SOURCE_GB && !streq(zone, "GB") && !is_region(zone) && !is_postcode(zone))
                return "carbon.zone: must be GB, a region from 1 to 17, or an outward postcode such as RG10";
        return NULL;
}

static const char *refuse_url(const Settings *s, CarbonSourceKind kind) {
        const char *url = s->carbon.url;
        bool is_file = url && startswith(url, "file://");

        if (!url && !sources[kind].url)
                return "carbon.url: must be set, to file:///PATH";
        if (url && is_file != (kind == CARBON_SOURCE_FILE))
                return is_file ? "carbon.url: must be https:// for this carbon.source"
                               : "carbon.url: must be file:///PATH for the source \"file\"";
        return NULL;
}

int carbon_source_check(const Settings *s, bool has_token, CarbonSourceKind *ret, char **ret_error) {
        CarbonSourceKind kind = s->carbon.source ? carbon_source_from_string(s->carbon.source)
                                                 : _CARBON_SOURCE_INVALID;
        const char *why;

        if (kind < 0)
                return -ENODATA;
        why = refuse_zone(s, kind);
        if (!why)
                why = refuse_url(s, kind);
        if (!why && sources[kind].needs_token && !has_token)
                why = "the credential hyper.carbon-token must be in /etc/credstore or "
                      "/etc/credstore.encrypted";
        if (why) {
                *ret_error = strdup(why);
                return *ret_error ? -EBADMSG : -ENOMEM;
        }
        *ret = kind;
        return 0;
}

const char *carbon_source_url(const Settings *s, CarbonSourceKind kind) {
        return s->carbon.url ? s->carbon.url : sources[kind].url;
}

char *carbon_source_gb_url(const Settings *s, usec_t now) {
        const char *base = carbon_source_url(s, CARBON_SOURCE_GB), *zone = s->carbon.zone;
        char time[RFC3339_SIZE];

        /* It takes times to the minute. */
        format_rfc3339(time, now);
        if (streq(zone, "GB"))
                return strprintf("%s/intensity/%.16sZ/fw48h", base, time);
        return strprintf("%s/regional/intensity/%.16sZ/fw48h/%s/%s", base, time,
                        is_region(zone) ? "regionid" : "postcode", zone);
}
