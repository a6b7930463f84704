/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <security/pam_appl.h>

#include "auth/pam-check.h"
#include "basic/log.h"
#include "basic/string-util.h"

/* What the modules are told when they ask. */
typedef struct Conversation {
        const char *password; /* NULL: there is none to give */
        bool was_given; /* the password */
        bool asks_more; /* a module has asked for something else */
} Conversation;

static int answer(Conversation *c, int style, char **ret) {
        *ret = NULL;
        switch (style) {
        case PAM_PROMPT_ECHO_OFF:
                if (!c->password || c->was_given)
                        break;
                c->was_given = true;
                *ret = strdup(c->password);
                return *ret ? PAM_SUCCESS : PAM_BUF_ERR;
        case PAM_ERROR_MSG:
        case PAM_TEXT_INFO:
                return PAM_SUCCESS; /* for a person at a terminal */
        }
        c->asks_more = true;
        return PAM_CONV_ERR;
}

static int converse(int n, const struct pam_message **messages, struct pam_response **ret, void *userdata) {
        struct pam_response *responses;
        int r = PAM_SUCCESS;

        if (n <= 0 || n > PAM_MAX_NUM_MSG)
                return PAM_CONV_ERR;
        responses = new0(struct pam_response, n);
        if (!responses)
                return PAM_BUF_ERR;
        for (int i = 0; r == PAM_SUCCESS && i < n; i++)
                r = answer(userdata, messages[i]->msg_style, &responses[i].resp);
        if (r != PAM_SUCCESS) {
                for (int i = 0; i < n; i++)
                        wipe_and_free(responses[i].resp);
                free(responses);
                return r;
        }
        *ret = responses;
        return PAM_SUCCESS;
}

/* Instead of a pause of random length after a failure: hyper-apid makes all failures equally long. */
static void no_delay(int status, unsigned usec, void *userdata) {
}

static int begin(const PamCheck *c, const struct pam_conv *conv, pam_handle_t **ret) {
        pam_handle_t *pam = NULL;
        int r = c->confdir ? pam_start_confdir(AUTH_PAM_SERVICE, c->username, conv, c->confdir, &pam)
                           : pam_start(AUTH_PAM_SERVICE, c->username, conv, &pam);

        if (r != PAM_SUCCESS)
                return r;
        r = pam_set_item(pam, PAM_FAIL_DELAY, (const void *) no_delay);
        if (r == PAM_SUCCESS)
                r = pam_set_item(pam, PAM_TTY, "hyper");
        if (r == PAM_SUCCESS && !isempty(c->address))
                r = pam_set_item(pam, PAM_RHOST, c->address);
        if (r != PAM_SUCCESS) {
                (void) pam_end(pam, r);
                return r;
        }
        *ret = pam;
        return PAM_SUCCESS;
}

static int explain(AuthResult result, const char *text, char **ret_message) {
        *ret_message = strdup(text);
        return *ret_message ? (int) result : -ENOMEM;
}

/* Some module could not find out. Its own words are in the journal. */
static int unknown(int error, char **ret_message) {
        log_error("PAM has failed: %s.", pam_strerror(NULL, error));
        return explain(AUTH_FAILED, "The password cannot be checked at present.", ret_message);
}

static int judge_password(int error, const Conversation *c, char **ret_message) {
        if (c->asks_more)
                return explain(AUTH_DENIED,
                                "PAM asks for more than a password, which this API cannot give. Use an API "
                                "key.",
                                ret_message);
        switch (error) {
        case PAM_AUTH_ERR:
        case PAM_USER_UNKNOWN:
        case PAM_MAXTRIES:
        case PAM_PERM_DENIED:
        case PAM_ACCT_EXPIRED:
        case PAM_CRED_INSUFFICIENT:
        case PAM_SYSTEM_ERR: /* also of pam_exec(8), if its program refuses */
                return AUTH_WRONG;
        case PAM_BUF_ERR:
                return -ENOMEM;
        default:
                return unknown(error, ret_message);
        }
}

static int judge_account(int error, AuthResult gone, char **ret_message) {
        switch (error) {
        case PAM_SUCCESS:
                return AUTH_OK;
        case PAM_USER_UNKNOWN:
                return gone;
        case PAM_NEW_AUTHTOK_REQD:
                return explain(AUTH_DENIED, "The password has expired and must be changed first.",
                                ret_message);
        case PAM_ACCT_EXPIRED:
        case PAM_AUTH_ERR:
        case PAM_PERM_DENIED:
                return explain(AUTH_DENIED, "The account is locked, has expired, or may not log in now.",
                                ret_message);
        case PAM_BUF_ERR:
                return -ENOMEM;
        default:
                return unknown(error, ret_message);
        }
}

/* The modules may know the user by another name than the one that was typed. */
static int read_user(pam_handle_t *pam, char **ret) {
        const void *user = NULL;

        if (pam_get_item(pam, PAM_USER, &user) != PAM_SUCCESS || !user)
                return -ENOMEM;
        *ret = strdup(user);
        return *ret ? AUTH_OK : -ENOMEM;
}

int pam_check_password(const PamCheck *c, const char *password, char **ret_username, char **ret_message) {
        Conversation conversation = { .password = password };
        const struct pam_conv conv = { converse, &conversation };
        pam_handle_t *pam = NULL;
        int r = begin(c, &conv, &pam), result;

        if (r != PAM_SUCCESS)
                return r == PAM_BUF_ERR ? -ENOMEM : unknown(r, ret_message);
        r = pam_authenticate(pam, PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK);
        if (r != PAM_SUCCESS)
                result = judge_password(r, &conversation, ret_message);
        else {
                r = pam_acct_mgmt(pam, PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK);
                result = judge_account(r, AUTH_WRONG, ret_message);
        }
        if (result == AUTH_OK)
                result = read_user(pam, ret_username);
        (void) pam_end(pam, r);
        return result;
}

int pam_check_account(const PamCheck *c, char **ret_message) {
        Conversation conversation = {};
        const struct pam_conv conv = { converse, &conversation };
        pam_handle_t *pam = NULL;
        int r = begin(c, &conv, &pam), result;

        if (r != PAM_SUCCESS)
                return r == PAM_BUF_ERR ? -ENOMEM : unknown(r, ret_message);
        r = pam_acct_mgmt(pam, PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK);
        result = judge_account(r, AUTH_ENDED, ret_message);
        (void) pam_end(pam, r);
        return result;
}
