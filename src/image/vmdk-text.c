/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <iconv.h>
#include <strings.h>

#include "basic/string-util.h"
#include "basic/utf8.h"
#include "image/vmdk-text.h"

#define BLANKS " \t"
#define BOM "\xef\xbb\xbf"

/* The encodings that VMware's programs write on the systems that they run on. In all of them the bytes of
 * ASCII that structure a descriptor (line ends, quotes, "=", "#") stand for nothing else, so that
 * "encoding=" can be found before it is known. Names from a descriptor never reach iconv_open(3). */
static const struct {
        const char *name; /* compared without case, "-" and "_" */
        const char *iconv; /* NULL: UTF-8 already */
} encodings[] = {
        { "utf8", NULL },
        { "usascii", "ASCII" },
        { "ascii", "ASCII" },
        { "windows874", "CP874" },
        { "windows1250", "CP1250" },
        { "windows1251", "CP1251" },
        { "windows1252", "CP1252" },
        { "windows1253", "CP1253" },
        { "windows1254", "CP1254" },
        { "windows1255", "CP1255" },
        { "windows1256", "CP1256" },
        { "windows1257", "CP1257" },
        { "windows1258", "CP1258" },
        { "iso88591", "ISO-8859-1" },
        { "iso88592", "ISO-8859-2" },
        { "iso88595", "ISO-8859-5" },
        { "iso88597", "ISO-8859-7" },
        { "iso88599", "ISO-8859-9" },
        { "iso885915", "ISO-8859-15" },
        { "koi8r", "KOI8-R" },
        { "big5", "BIG5" },
        { "windows950", "CP950" },
        { "gbk", "GBK" },
        { "gb2312", "GBK" },
        { "gb18030", "GB18030" },
        { "windows936", "GBK" },
        { "shiftjis", "CP932" },
        { "windows31j", "CP932" },
        { "windows932", "CP932" },
        { "eucjp", "EUC-JP" },
        { "euckr", "EUC-KR" },
        { "windows949", "CP949" },
};

static int complain(char **ret_error, const char *format, ...) _printf_(2, 3);
static int complain(char **ret_error, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        *ret_error = utf8_vprintf(format, ap);
        va_end(ap);
        return *ret_error ? -EBADMSG : -ENOMEM;
}

/* The same name, whatever its case, "-" and "_". */
static bool encoding_is(const char *given, const char *known) {
        for (;; given++, known++) {
                given += strspn(given, "-_");
                if (strncasecmp(given, known, 1) != 0)
                        return false;
                if (!*given)
                        return true;
        }
}

/* If the line from @line on is encoding=VALUE: a copy of VALUE in *ret. */
static int encoding_of_line(const char *line, char **ret) {
        static const char key[] = "encoding";
        size_t n = strcspn(line, "\r\n");
        _cleanup_free_ char *copy = strndup(line, n);

        if (!copy)
                return -ENOMEM;
        char *p = copy + strspn(copy, BLANKS);
        if (strncasecmp(p, key, strlen(key)) != 0)
                return 0;
        p += strlen(key);
        p += strspn(p, BLANKS);
        if (*p != '=')
                return 0;
        p++;
        p += strspn(p, BLANKS "\"");
        p[strcspn(p, BLANKS "\"")] = 0;
        return free_and_strdup(ret, p);
}

static int find_encoding(const char *text, char **ret) {
        for (const char *line = text; line && !*ret; line = strchr(line, '\n')) {
                line += *line == '\n';
                int r = encoding_of_line(line, ret);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int convert(const char *text, const char *from, char **ret) {
        size_t left = strlen(text), room = left * 4 + 4, size = room;
        _cleanup_free_ char *buffer = malloc(room + 1);
        char *in = (char *) text, *out = buffer;

        if (!buffer)
                return -ENOMEM;
        iconv_t cd = iconv_open("UTF-8", from);
        if (cd == (iconv_t) -1)
                return errno == ENOMEM ? -ENOMEM : -EOPNOTSUPP;
        size_t n = iconv(cd, &in, &left, &out, &room);
        int r = n == (size_t) -1 || left > 0 ? -EBADMSG : 0;
        (void) iconv_close(cd);
        if (r < 0)
                return r;
        buffer[size - room] = 0;
        *ret = TAKE_PTR(buffer);
        return 0;
}

static int decode(const char *text, const char *encoding, bool marked, char **ret, char **ret_error) {
        size_t k = 0;

        while (k < ELEMENTSOF(encodings) && !encoding_is(encoding, encodings[k].name))
                k++;
        if (k == ELEMENTSOF(encodings))
                return complain(ret_error,
                                "its encoding \"%.64s\" is not known: convert the descriptor to UTF-8 "
                                "and write "
                                "encoding=\"UTF-8\" into it",
                                utf8_is_valid(encoding) ? encoding : "?");
        if (marked && encodings[k].iconv)
                return complain(ret_error,
                                "it begins with the byte order mark of UTF-8, but says that its "
                                "encoding is %s",
                                encoding);
        int r = encodings[k].iconv ? convert(text, encodings[k].iconv, ret) : free_and_strdup(ret, text);
        if (r == -EOPNOTSUPP)
                return complain(ret_error, "this machine cannot convert from its encoding %s", encoding);
        if (r < 0 && r != -EBADMSG)
                return r;
        if (r < 0 || !utf8_is_valid(*ret)) {
                *ret = mfree(*ret);
                return complain(ret_error, "it says that its encoding is %s, but it is not", encoding);
        }
        return 0;
}

int vmdk_text_decode(const char *data, size_t size, char **ret, char **ret_error) {
        _cleanup_free_ char *text = strndup(data, size), *encoding = NULL;
        char *result = NULL;

        if (!text)
                return -ENOMEM;
        const char *begin = startswith(text, BOM);
        int r = find_encoding(begin ? begin : text, &encoding);
        if (r < 0)
                return r;
        if (encoding)
                r = decode(begin ? begin : text, encoding, begin != NULL, &result, ret_error);
        else if (utf8_is_valid(text))
                r = free_and_strdup(&result, begin ? begin : text);
        else
                r = complain(ret_error,
                                "it is not in UTF-8, and has no line that says in which encoding it is "
                                "(such as encoding=\"windows-1252\")");
        if (r < 0)
                return r;
        *ret = result;
        return 0;
}
