/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store/limit-book.h"

#include "basic/string-util.h"
#include "spec/placement.h"
#include "store/facts.h"
#include "store/placement.h"
#include "store/sql.h"

static void set_free(LimitSet *set) {
        strv_free(set->placement);
        free(set->names);
        free(set->classes);
        free(set);
}

static LimitBook *book_free(LimitBook *b) {
        LimitName *name, *next_name;
        LimitSet *set, *next_set;

        if (!b)
                return NULL;
        HASH_ITER(hh, b->sets, set, next_set) {
                HASH_DEL(b->sets, set);
                set_free(set);
        }
        HASH_ITER(hh, b->names, name, next_name) {
                HASH_DEL(b->names, name);
                free(name->name);
                free(name->holders);
                free(name);
        }
        strv_free(b->machines);
        free(b->classes);
        free(b->full);
        limit_rules_done(&b->rules);
        return mfree(b);
}

void limits_forget(Store *s) {
        s->limits = book_free(s->limits);
}

/* --- sets and names -------------------------------------------------------------------------------- */

static int read_any(Store *s, bool *ret) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_LIMIT_SETS_ANY);
        int r = sql_row(s, st);

        if (r >= 0)
                *ret = sqlite3_column_int(st, 0);
        return r;
}

static int read_rules(Store *s, LimitBook *b) {
        _cleanup_free_ char *text = NULL;
        int r = store_get_fact(s, LIMITS_FACT, &text);

        return r == -ENOENT ? 0 : r < 0 ? r : limit_rules_from_text(&b->rules, text);
}

int limits_book(Store *s, LimitBook **ret) {
        if (!s->limits) {
                LimitBook *b = new0(LimitBook, 1);
                int r = b ? read_any(s, &b->has_sets) : -ENOMEM;

                if (r >= 0 && b->has_sets && sqlite3_db_readonly(s->db, "main"))
                        r = read_rules(s, b);
                if (r < 0) {
                        book_free(b);
                        return r;
                }
                s->limits = b;
                s->forget_limits = limits_forget;
        }
        *ret = s->limits;
        return 0;
}

static int get_name(Store *s, LimitBook *b, const char *text, LimitName **ret) {
        LimitName *name;

        HASH_FIND_STR(b->names, text, name);
        if (!name) {
                name = new0(LimitName, 1);
                if (!name || !(name->name = strdup(text))) {
                        free(name);
                        return -ENOMEM;
                }
                name->max = limit_rules_max(s->limit_rules ?: &b->rules, text);
                HASH_ADD_KEYPTR(hh, b->names, name->name, strlen(name->name), name);
        }
        *ret = name;
        return 0;
}

static int add_names(Store *s, LimitBook *b, LimitSet *set, char *text) {
        size_t n = 1;

        for (const char *p = text; *p; p++)
                n += *p == '\n';
        set->names = new0(LimitName *, n);
        if (!set->names)
                return -ENOMEM;
        for (char *word; (word = strsep(&text, "\n"));) {
                bool is_name = !placement_is_word(word);
                int r = is_name ? get_name(s, b, word, &set->names[set->n_names])
                                : strv_extend(&set->placement, word);

                if (r < 0)
                        return r;
                set->n_names += is_name;
        }
        return 0;
}

int limits_set(Store *s, LimitBook *b, int64_t id, LimitSet **ret) {
        _cleanup_free_ char *text = NULL;
        LimitSet *set;
        int r;

        HASH_FIND(hh, b->sets, &id, sizeof(id), set);
        if (set) {
                *ret = set;
                return 0;
        }
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_LIMIT_SET_GET);
        if (!st)
                return sql_errno(s);
        (void) sqlite3_bind_int64(st, 1, id);
        r = sql_row(s, st);
        if (r >= 0)
                r = sql_column_strdup(st, 0, &text);
        if (r < 0)
                return r == -ENOENT ? -EBADMSG : r;
        set = new0(LimitSet, 1);
        if (!set)
                return -ENOMEM;
        set->id = id;
        r = add_names(s, b, set, text);
        if (r < 0) {
                set_free(set);
                return r;
        }
        HASH_ADD(hh, b->sets, id, sizeof(set->id), set);
        *ret = set;
        return 0;
}

int limits_intern(Store *s, const char *names, int64_t *ret) {
        _cleanup_sql_done_ sqlite3_stmt *find = sql_statement(s, SQL_LIMIT_SET_FIND),
                                        *insert = sql_statement(s, SQL_LIMIT_SET_INSERT);
        LimitBook *b;
        int r;

        if (!find || !insert)
                return sql_errno(s);
        sql_bind_text(find, 1, names);
        r = sql_row(s, find);
        if (r >= 0)
                *ret = sqlite3_column_int64(find, 0);
        if (r != -ENOENT)
                return r;
        sql_bind_text(insert, 1, names);
        r = sql_run(s, insert);
        if (r < 0)
                return r;
        *ret = sqlite3_last_insert_rowid(s->db);
        r = limits_book(s, &b);
        if (r >= 0)
                b->has_sets = true;
        return r;
}

/* --- who holds what -------------------------------------------------------------------------------- */

/* Puts the name among those that are full, or takes it out. */
static int note_full(LimitBook *b, LimitName *name) {
        bool full = limit_name_is_full(name, 0);

        if (full == (name->full_index > 0))
                return 0;
        if (full) {
                if (!GREEDY_REALLOC(b->full, b->allocated_full, b->n_full + 1))
                        return -ENOMEM;
                b->full[b->n_full++] = name;
                name->full_index = b->n_full;
        } else {
                LimitName *other = b->full[--b->n_full];

                b->full[name->full_index - 1] = other;
                other->full_index = name->full_index;
                name->full_index = 0;
        }
        return 0;
}

static int hold(LimitBook *b, LimitSet *set, const LimitPlace *place) {
        for (size_t i = 0; i < set->n_names; i++) {
                LimitName *name = set->names[i];

                if (!GREEDY_REALLOC(name->holders, name->allocated, name->n + 1))
                        return -ENOMEM;
                if (name->n == 0 || limit_place_is_before(&name->last, place))
                        name->last = *place;
                name->holders[name->n++] = *place;
                int r = note_full(b, name);
                if (r < 0)
                        return r;
        }
        return 0;
}

static void let_go_of(LimitName *name, const LimitPlace *place) {
        for (size_t k = 0; k < name->n; k++)
                if (name->holders[k].seq == place->seq) {
                        name->holders[k] = name->holders[--name->n];
                        break;
                }
        if (name->n == 0 || name->last.seq != place->seq)
                return;
        name->last = name->holders[0];
        for (size_t k = 1; k < name->n; k++)
                if (limit_place_is_before(&name->last, &name->holders[k]))
                        name->last = name->holders[k];
}

static void let_go(LimitBook *b, LimitSet *set, const LimitPlace *place) {
        for (size_t i = 0; i < set->n_names; i++) {
                let_go_of(set->names[i], place);
                (void) note_full(b, set->names[i]); /* (it needs no memory then) */
        }
}

static int read_holders(Store *s, LimitBook *b) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_LIMIT_HELD);
        int r;

        while ((r = sql_next(s, st)) > 0) {
                const LimitPlace place = { (unsigned) sqlite3_column_int64(st, 1),
                        sqlite3_column_int64(st, 2) };
                LimitSet *set;

                r = limits_set(s, b, sqlite3_column_int64(st, 0), &set);
                if (r >= 0)
                        r = hold(b, set, &place);
                if (r < 0)
                        return r;
        }
        b->knows_holders = r >= 0;
        return r;
}

/* Another process writes what is read here: what is known is of use as long as it has written nothing. */
static int forget_if_changed(Store *s) {
        int64_t version;

        if (!s->limits || !sqlite3_db_readonly(s->db, "main"))
                return 0;
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_VERSION);
        int r = sql_row(s, st);
        if (r < 0)
                return r;
        version = sqlite3_column_int64(st, 0);
        if (version == s->limits->version)
                return 0;
        limits_forget(s);
        LimitBook *b;
        r = limits_book(s, &b);
        if (r >= 0)
                b->version = version;
        return r;
}

int limits_holders(Store *s, LimitBook **ret) {
        LimitBook *b;
        int r = forget_if_changed(s);

        if (r >= 0)
                r = limits_book(s, &b);
        if (r >= 0 && b->has_sets && !b->knows_holders)
                r = read_holders(s, b);
        if (r < 0) {
                limits_forget(s);
                return r;
        }
        *ret = b->has_sets ? b : NULL;
        return 0;
}

static bool is_held(JobState state) {
        return state == JOB_ASSIGNED || state == JOB_RUNNING;
}

bool limit_set_contains(const LimitSet *set, const LimitName *name) {
        for (size_t i = 0; i < set->n_names; i++)
                if (set->names[i] == name)
                        return true;
        return false;
}

/* --- who waits ------------------------------------------------------------------------------------- */

static int get_class(LimitBook *b, LimitSet *set, bool any_worker, uint64_t demand, LimitClass **ret) {
        for (size_t i = 0; i < set->n_classes; i++) {
                LimitClass *c = &b->classes[set->classes[i]];

                if (c->any_worker == any_worker && c->demand == demand) {
                        *ret = c;
                        return 0;
                }
        }
        if (!GREEDY_REALLOC(set->classes, set->allocated, set->n_classes + 1) ||
                        !GREEDY_REALLOC(b->classes, b->allocated, b->n_classes + 1))
                return -ENOMEM;
        set->classes[set->n_classes++] = b->n_classes;
        *ret = &b->classes[b->n_classes++];
        **ret = (LimitClass){ .set = set, .any_worker = any_worker, .demand = demand };
        b->knows_firsts = false;
        return 0;
}

static int read_classes(Store *s, LimitBook *b) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_LIMIT_CLASSES);
        int r;

        while ((r = sql_next(s, st)) > 0) {
                LimitClass *c;
                LimitSet *set;

                r = limits_set(s, b, sqlite3_column_int64(st, 0), &set);
                if (r >= 0)
                        r = get_class(b, set, sqlite3_column_int(st, 1),
                                        (uint64_t) sqlite3_column_int64(st, 2), &c);
                if (r < 0)
                        return r;
        }
        b->knows_classes = r >= 0;
        return r;
}

/* The first job of the class. */
static int find_first(Store *s, LimitClass *c) {
        int r;

        if (c->is_known)
                return 0;
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_LIMIT_HEAD);
        if (!st)
                return sql_errno(s);
        (void) sqlite3_bind_int64(st, 1, c->set->id);
        sql_bind_uint(st, 2, c->any_worker);
        sql_bind_uint(st, 3, c->demand);
        r = sql_next(s, st);
        if (r < 0)
                return r;
        c->is_known = true;
        c->is_empty = r == 0;
        if (r > 0)
                c->first = (LimitPlace){ (unsigned) sqlite3_column_int64(st, 0),
                        sqlite3_column_int64(st, 1) };
        return 0;
}

int limits_all(Store *s, LimitBook **ret) {
        LimitBook *b;
        int r = limits_holders(s, &b);

        if (r >= 0 && b && !b->knows_classes)
                r = read_classes(s, b);
        for (size_t i = 0; r >= 0 && b && !b->knows_firsts && i < b->n_classes; i++)
                r = find_first(s, &b->classes[i]);
        if (r < 0) {
                limits_forget(s);
                return r;
        }
        if (b)
                b->knows_firsts = true;
        *ret = b;
        return 0;
}

/* A name of the set is held by as many as may be, and by one that comes behind @place. */
static bool was_passed(const LimitSet *set, const LimitPlace *place) {
        for (size_t i = 0; i < set->n_names; i++)
                if (limit_name_is_full(set->names[i], 0) &&
                                limit_place_is_before(place, &set->names[i]->last))
                        return true;
        return false;
}

static const LimitReserve *find_reserve(Store *s, LimitBook *b) {
        LimitReserve found = {};
        LimitPlace last = {};

        if (b->knows_reserve)
                return &b->reserve;
        /* None that comes behind all of those that hold what is full was passed. */
        for (size_t i = 0; i < b->n_full; i++)
                if (i == 0 || limit_place_is_before(&last, &b->full[i]->last))
                        last = b->full[i]->last;
        for (size_t i = 0; b->n_full > 0 && i < b->n_classes; i++) {
                const LimitClass *c = &b->classes[i];

                if (!c->is_empty && limit_place_is_before(&c->first, &last) &&
                                (!found.set || limit_place_is_before(&c->first, &found.place)) &&
                                was_passed(c->set, &c->first) && placement_may_be_done(s, b, c))
                        found = (LimitReserve){ c->set, c->first };
        }
        b->reserve = found;
        b->knows_reserve = true;
        return &b->reserve;
}

static bool is_free(const LimitSet *set, const LimitPlace *place, const LimitReserve *reserve) {
        bool behind = reserve->set && limit_place_is_before(&reserve->place, place);

        for (size_t i = 0; i < set->n_names; i++)
                if (limit_name_is_full(set->names[i],
                                    behind && limit_set_contains(reserve->set, set->names[i])))
                        return false;
        return true;
}

int limits_first(Store *s, const LimitAsker *asker, bool others, LimitPlace *ret) {
        bool found = false;
        LimitBook *b;
        int r = limits_all(s, &b);

        if (r < 0 || !b)
                return r;
        b->knows_reserve = false; /* there may be other workers */
        const LimitReserve *reserve = find_reserve(s, b);
        for (size_t i = 0; i < b->n_classes; i++) {
                const LimitClass *c = &b->classes[i];

                if (c->is_empty || !c->any_worker || (found && !limit_place_is_before(&c->first, ret)) ||
                                !asker->meets(asker->userdata, c->demand) ||
                                !is_free(c->set, &c->first, reserve))
                        continue;
                int fit = placement_fit(s, b, c->set, asker->labels);
                if (fit < 0)
                        return fit;
                if (fit == PLACEMENT_REFUSED || (fit == PLACEMENT_LEFT && !others))
                        continue;
                *ret = c->first;
                found = true;
        }
        return found;
}

int limits_ready(Store *s, LimitPlace *places, size_t max, size_t *ret_n) {
        LimitBook *b;
        int r = limits_all(s, &b);

        *ret_n = 0;
        if (r < 0 || !b)
                return r;
        const LimitReserve *reserve = find_reserve(s, b);
        for (size_t i = 0; i < b->n_classes && *ret_n < max; i++) {
                const LimitClass *c = &b->classes[i];

                if (c->any_worker && !c->is_empty && is_free(c->set, &c->first, reserve))
                        places[(*ret_n)++] = c->first;
        }
        return 0;
}

int limits_job_id(Store *s, int64_t seq, char **ret) {
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_LIMIT_JOB_ID);
        int r;

        if (!st)
                return sql_errno(s);
        (void) sqlite3_bind_int64(st, 1, seq);
        r = sql_row(s, st);
        return r < 0 ? r : sql_column_strdup(st, 0, ret);
}

/* --- changes --------------------------------------------------------------------------------------- */

int limits_job_find(Store *s, const char *id, LimitedJob *ret) {
        LimitBook *b;
        int r = limits_book(s, &b);

        *ret = (LimitedJob){};
        if (r < 0 || !b->has_sets)
                return r;
        _cleanup_sql_done_ sqlite3_stmt *st = sql_statement(s, SQL_LIMIT_JOB);
        if (!st)
                return sql_errno(s);
        sql_bind_text(st, 1, id);
        r = sql_next(s, st);
        if (r > 0)
                *ret = (LimitedJob){
                        .limit_set = sqlite3_column_int64(st, 1),
                        .place = { (unsigned) sqlite3_column_int64(st, 2), sqlite3_column_int64(st, 0) },
                        .any_worker = sqlite3_column_int(st, 3),
                        .demand = (uint64_t) sqlite3_column_int64(st, 4),
                        .due_at = (usec_t) sqlite3_column_int64(st, 5),
                };
        return r < 0 ? r : 0;
}

bool limits_are_free(Store *s, const LimitedJob *j) {
        LimitSet *set;
        LimitBook *b;

        if (j->limit_set == 0)
                return true;
        if (limits_holders(s, &b) < 0 || !b || limits_set(s, b, j->limit_set, &set) < 0)
                return false;
        return is_free(set, &j->place, &(LimitReserve){});
}

static int enter_class(LimitBook *b, LimitSet *set, const LimitedJob *j) {
        LimitClass *c;
        int r = get_class(b, set, j->any_worker, j->demand, &c);

        if (r < 0)
                return r;
        if (c->is_known && (c->is_empty || limit_place_is_before(&j->place, &c->first))) {
                c->is_empty = false;
                c->first = j->place;
        }
        return 0;
}

/* The one behind it is the first now. */
static int leave_class(Store *s, LimitBook *b, LimitSet *set, const LimitedJob *j) {
        int r = 0;

        for (size_t i = 0; i < set->n_classes && r >= 0; i++) {
                LimitClass *c = &b->classes[set->classes[i]];

                if (!c->is_known || c->is_empty || c->first.seq != j->place.seq)
                        continue;
                c->is_known = false;
                r = find_first(s, c);
        }
        return r;
}

static int follow(Store *s, const LimitedJob *j, JobState from, JobState to, usec_t due_at) {
        LimitBook *b = s->limits;
        LimitSet *set;
        int r;

        if (j->limit_set == 0 || !b || (!b->knows_holders && !b->knows_classes))
                return 0;
        b->knows_reserve = false;
        r = limits_set(s, b, j->limit_set, &set);
        if (r >= 0 && from == JOB_QUEUED)
                r = leave_class(s, b, set, j);
        if (r >= 0 && b->knows_classes && to == JOB_QUEUED && due_at == 0)
                r = enter_class(b, set, j);
        if (r < 0 || !b->knows_holders || is_held(from) == is_held(to))
                return r;
        if (is_held(to))
                return hold(b, set, &j->place);
        let_go(b, set, &j->place);
        return 0;
}

void limits_job_changed(Store *s, const LimitedJob *j, JobState from, JobState to, usec_t due_at) {
        if (follow(s, j, from, to, due_at) < 0)
                limits_forget(s);
}

void limits_job_entered(Store *s, const LimitedJob *j, JobState state) {
        limits_job_changed(s, j, _JOB_STATE_INVALID, state, j->due_at);
}

bool limit_set_is_free(Store *s, LimitBook *b, const LimitSet *set, const LimitPlace *place) {
        return is_free(set, place, find_reserve(s, b));
}
