/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vsphere/soap-request.h"

#include <libxml/xmlwriter.h>

#include "basic/string-util.h"

#define SOAP_ENVELOPE "http://schemas.xmlsoap.org/soap/envelope/"
#define XSI "http://www.w3.org/2001/XMLSchema-instance"

struct SoapRequest {
        xmlTextWriter *writer;
        xmlBuffer *buffer;
        char *method;
        int error;
};

static const xmlChar *str(const char *s) {
        return (const xmlChar *) s;
}

/* Remembers the first error. */
static void done(SoapRequest *q, int result) {
        if (result < 0 && q->error == 0)
                q->error = -ENOMEM;
}

/* Characters that XML 1.0 permits: no control characters but tab and line breaks */
static bool is_permitted(const char *text) {
        for (const char *p = text; *p; p++)
                if ((unsigned char) *p < 0x20 && *p != '\t' && *p != '\n' && *p != '\r')
                        return false;
        return utf8_is_valid(text) && !strstr(text, "\xEF\xBF\xBE") && !strstr(text, "\xEF\xBF\xBF");
}

static void put(SoapRequest *q, const char *text) {
        if (!is_permitted(text)) {
                if (q->error == 0)
                        q->error = -EINVAL;
                return;
        }
        done(q, xmlTextWriterWriteString(q->writer, str(text)));
}

void soap_request_open(SoapRequest *q, const char *name, const char *type) {
        done(q, xmlTextWriterStartElement(q->writer, str(name)));
        if (type)
                done(q, xmlTextWriterWriteAttribute(q->writer, str("xsi:type"), str(type)));
}

void soap_request_close(SoapRequest *q) {
        done(q, xmlTextWriterEndElement(q->writer));
}

void soap_request_text(SoapRequest *q, const char *name, const char *text) {
        soap_request_open(q, name, NULL);
        put(q, text);
        soap_request_close(q);
}

void soap_request_number(SoapRequest *q, const char *name, uint64_t number) {
        char text[32];

        (void) snprintf(text, sizeof(text), "%llu", (unsigned long long) number);
        soap_request_text(q, name, text);
}

void soap_request_bool(SoapRequest *q, const char *name, bool value) {
        soap_request_text(q, name, value ? "true" : "false");
}

void soap_request_object(SoapRequest *q, const char *name, const char *type, const char *id) {
        done(q, xmlTextWriterStartElement(q->writer, str(name)));
        done(q, xmlTextWriterWriteAttribute(q->writer, str("type"), str(type)));
        put(q, id);
        soap_request_close(q);
}

int soap_request_new(const char *method, const char *type, const char *id, SoapRequest **ret) {
        _cleanup_request_ SoapRequest *q = new0(SoapRequest, 1);

        if (!q)
                return -ENOMEM;
        q->method = strdup(method);
        q->buffer = xmlBufferCreateSize(4096);
        q->writer = q->buffer ? xmlNewTextWriterMemory(q->buffer, 0) : NULL;
        if (!q->method || !q->writer)
                return -ENOMEM;
        done(q, xmlTextWriterStartDocument(q->writer, "1.0", "UTF-8", NULL));
        done(q, xmlTextWriterStartElementNS(q->writer, str("e"), str("Envelope"), str(SOAP_ENVELOPE)));
        done(q, xmlTextWriterWriteAttribute(q->writer, str("xmlns:xsi"), str(XSI)));
        done(q, xmlTextWriterStartElement(q->writer, str("e:Body")));
        done(q, xmlTextWriterStartElement(q->writer, str(method)));
        done(q, xmlTextWriterWriteAttribute(q->writer, str("xmlns"), str("urn:vim25")));
        soap_request_object(q, "_this", type, id);
        if (q->error < 0)
                return q->error;
        *ret = TAKE_PTR(q);
        return 0;
}

SoapRequest *soap_request_free(SoapRequest *q) {
        if (!q)
                return NULL;
        if (q->writer)
                xmlFreeTextWriter(q->writer);
        if (q->buffer) {
                explicit_bzero(q->buffer->content, q->buffer->use);
                xmlBufferFree(q->buffer);
        }
        free(q->method);
        return mfree(q);
}

int soap_request_end(SoapRequest *q, const char **ret, size_t *ret_size) {
        /* May be called again, when the request is repeated. */
        done(q, xmlTextWriterEndDocument(q->writer));
        done(q, xmlTextWriterFlush(q->writer));
        if (q->error < 0)
                return q->error;
        *ret = (const char *) xmlBufferContent(q->buffer);
        *ret_size = (size_t) xmlBufferLength(q->buffer);
        return 0;
}

const char *soap_request_method(const SoapRequest *q) {
        return q->method;
}
