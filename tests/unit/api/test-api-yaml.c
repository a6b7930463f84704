/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Bodies in YAML: what they stand for, and what is refused. */

#include "api/http/yaml-body.h"
#include "basic/string-util.h"
#include "unit/lib/test.h"
#include "json/json-parse.h"
#include "json/json-table.h"

static void assert_is(const char *yaml, const char *wanted) {
        _cleanup_free_ char *error = NULL, *text = NULL;
        _cleanup_json_ json_t *value = NULL;
        int r = yaml_parse_any(yaml, strlen(yaml), &value, &error);

        ck_assert_msg(r == 0, "%s: %d, %s", yaml, r, strna(error));
        text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);
        ck_assert_msg(streq(text, wanted), "%s: %s, not %s", yaml, text, wanted);
}

static void assert_refused(const char *yaml, size_t size, const char *wanted) {
        _cleanup_free_ char *error = NULL;
        _cleanup_json_ json_t *value = NULL;
        int r = yaml_parse_any(yaml, size, &value, &error);

        ck_assert_msg(r == -EBADMSG, "%.100s: %d", yaml, r);
        ck_assert_ptr_null(value);
        ck_assert_msg(strstr(error, wanted), "%.100s: %s", yaml, error);
}

START_TEST(types_are_those_of_the_text) {
        static const char *const texts[][2] = {
                { "jobs:\n  - vm_path: /srv/a.vmdk\n    format: qcow2\n  - vm_path: '/srv/b.vmdk'\n",
                                "{\"jobs\":[{\"format\":\"qcow2\",\"vm_path\":\"/srv/"
                                "a.vmdk\"},{\"vm_path\":\"/srv/b.vmdk\"}]}" },
                { "- 1\n- -7\n- 2.5\n- 1e3\n- .5\n", "[1,-7,2.5,1000.0,0.5]" },
                { "[true, False, yes, no, on]", "[true,false,\"yes\",\"no\",\"on\"]" },
                { "[~, null, NULL, '']", "[null,null,null,\"\"]" },
                { "[007, 0x1F, 1_000, 1.2.3, \"12\", '12', !!str 12, -, 12:30, 2026-01-17]",
                                "[\"007\",\"0x1F\",\"1_000\",\"1.2.3\",\"12\",\"12\",\"12\",\"-\",\"12:30\","
                                "\"2026-01-17\"]" },
                { "a: |\n  two\n  lines\n", "{\"a\":\"two\\nlines\\n\"}" }, { "--- {}\n...\n", "{}" },
                { "plain", "\"plain\"" },
                { "{\"a\": [1, {\"b\": null}]}", "{\"a\":[1,{\"b\":null}]}" }, /* JSON is YAML */
        };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                assert_is(texts[i][0], texts[i][1]);
}
END_TEST

START_TEST(anchors_stand_for_their_values) {
        assert_is("a: &x {u: 1}\nb: *x\n", "{\"a\":{\"u\":1},\"b\":{\"u\":1}}");
        assert_is("a: &x {u: 1, v: 2}\nb:\n  <<: *x\n  v: 3\n",
                        "{\"a\":{\"u\":1,\"v\":2},\"b\":{\"u\":1,\"v\":3}}");
        assert_is("[&a {u: 1}, &b {u: 2, w: 3}, {<<: [*a, *b]}]",
                        "[{\"u\":1},{\"u\":2,\"w\":3},{\"u\":1,\"w\":3}]");
        assert_is("{'<<': 1}", "{\"<<\":1}");
}
END_TEST

START_TEST(what_json_does_not_have_is_refused) {
        static const char *const texts[][2] = {
                { "", "there is no document" },
                { "# nothing\n", "there is no document" },
                { "a: 1\n---\nb: 2\n", "there must be a single document" },
                { "a: 1\nb: 2\na: 3\n", "line 3, column 1: the key is given twice" },
                { "? [a]\n: b\n", "a key must be a word" },
                { "a: !!binary aGk=\n", "the tag is not supported" },
                { "a: !!python/object:os.system x\n", "the tag is not supported" },
                { "a: !mine x\n", "the tag is not supported" },
                { "a: *x\n", "there is no such anchor before this" },
                { "&a [*a]", "there is no such anchor before this" },
                { "a: &x 1\nb:\n  <<: *x\n", "the value of << must be a mapping" },
                { "a: \"\\0\"\n", "there is a NUL byte" },
                { "a: 99999999999999999999\n", "the number is out of range" },
                { "a: 1e999\n", "the number is out of range" },
                { "a: [\n", "line 2, column 1: " },
                { "\ta: 1\n", "line 1, column 1: " },
                { "a: \xff\n", "line 1" },
        };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                assert_refused(texts[i][0], strlen(texts[i][0]), texts[i][1]);
}
END_TEST

START_TEST(depth_and_number_of_values_are_limited) {
        _cleanup_free_ char *deep = malloc(4096), *many = malloc(2 * (YAML_VALUES_MAX + 10) + 2);
        _cleanup_free_ char *bomb = strdup("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");

        memset(deep, '[', 4096);
        assert_refused(deep, 4096, "nested too deeply");
        assert_refused(deep, JSON_DEPTH_MAX + 1, "nested too deeply");
        for (size_t i = 0; i < YAML_VALUES_MAX + 10; i++)
                memcpy(many + 2 * i, i == 0 ? "[1" : ",1", 2);
        strcpy(many + 2 * (YAML_VALUES_MAX + 10), "]");
        assert_refused(many, strlen(many), "too many values");
        for (unsigned i = 1; i < 9; i++) {
                char *longer = strprintf("%sa%u: &a%u [*a%u,*a%u,*a%u,*a%u,*a%u,*a%u,*a%u,*a%u]\n", bomb, i,
                                i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);

                free(bomb);
                bomb = longer;
        }
        assert_refused(bomb, strlen(bomb), "too many values");

        /* A chain of aliases cannot get deeper than the limit either. */
        _cleanup_free_ char *chain = strdup("- &b0 []\n");
        for (unsigned i = 1; i < JSON_DEPTH_MAX + 2; i++) {
                char *longer = strprintf("%s- &b%u [*b%u]\n", chain, i, i - 1);

                free(chain);
                chain = longer;
        }
        assert_refused(chain, strlen(chain), "nested too deeply");
}
END_TEST

START_TEST(content_types) {
        ck_assert(content_type_is_yaml("application/x-yaml"));
        ck_assert(content_type_is_yaml("application/yaml; charset=utf-8"));
        ck_assert(content_type_is_yaml("Text/YAML"));
        ck_assert(!content_type_is_yaml("application/json"));
        ck_assert(!content_type_is_yaml("application/yamlish"));
        ck_assert(!content_type_is_yaml(""));
        ck_assert(!content_type_is_yaml(NULL));
}
END_TEST

TEST_MAIN("api-yaml", types_are_those_of_the_text, anchors_stand_for_their_values,
                what_json_does_not_have_is_refused, depth_and_number_of_values_are_limited, content_types)
