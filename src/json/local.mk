# SPDX-License-Identifier: LGPL-2.1-or-later

noinst_LIBRARIES += libhyper-json.a
libhyper_json_a_SOURCES = \
	src/json/json-parse.c \
	src/json/json-parse.h \
	src/json/json-redact.c \
	src/json/json-redact.h \
	src/json/json-table.c \
	src/json/json-table.h
JSON_LIBS = libhyper-json.a $(BASIC_LIBS) $(JANSSON_LIBS)
EXTRA_DIST += src/json/README.md
