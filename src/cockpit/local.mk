# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The page of Cockpit is built from its sources, or is in a release already.

COCKPIT_FILES = \
	src/cockpit/build.js \
	src/cockpit/bus.js \
	src/cockpit/concern.js \
	src/cockpit/index.css \
	src/cockpit/index.html \
	src/cockpit/index.jsx \
	src/cockpit/inspection.jsx \
	src/cockpit/manifest.json \
	src/cockpit/migration.jsx \
	src/cockpit/migrations.jsx \
	src/cockpit/new-migration.jsx \
	src/cockpit/package-lock.json \
	src/cockpit/package.json \
	src/cockpit/path-input.jsx \
	src/cockpit/pf.js \
	src/cockpit/po/de.po \
	src/cockpit/po/po.js \
	src/cockpit/schedules.jsx \
	src/cockpit/settings.jsx \
	src/cockpit/source-views.jsx \
	src/cockpit/sources.jsx \
	src/cockpit/spec.js \
	src/cockpit/text.js \
	src/cockpit/theme.js \
	src/cockpit/ui.jsx \
	src/cockpit/workers.jsx
COCKPIT_PAGE = \
	src/cockpit/dist/LICENSES.txt \
	src/cockpit/dist/index.css \
	src/cockpit/dist/index.html \
	src/cockpit/dist/manifest.json \
	src/cockpit/dist/po.de.js \
	src/cockpit/dist/po.manifest.de.js
EXTRA_DIST += src/cockpit/README.md $(COCKPIT_FILES)

if DIST_COCKPIT
EXTRA_DIST += src/cockpit/dist/index.js $(COCKPIT_PAGE)
endif

if ENABLE_COCKPIT
cockpitdir = $(datadir)/cockpit/hyper
cockpit_DATA = src/cockpit/dist/index.js $(COCKPIT_PAGE)
endif

if BUILD_COCKPIT
# (an absolute path, so that modules in the source directory are not used)
COCKPIT_MODULES = $(abs_builddir)/src/cockpit/node_modules/.package-lock.json
CLEANFILES += src/cockpit/dist/index.js $(COCKPIT_PAGE)

$(COCKPIT_PAGE): src/cockpit/dist/index.js

src/cockpit/dist/index.js: $(COCKPIT_FILES) $(COCKPIT_MODULES)
	$(AM_V_GEN)$(MKDIR_P) src/cockpit/dist && \
	$(NODE) $(srcdir)/src/cockpit/build.js src/cockpit/dist src/cockpit/node_modules

$(COCKPIT_MODULES): src/cockpit/package.json src/cockpit/package-lock.json
	$(AM_V_GEN)$(MKDIR_P) src/cockpit && for f in package.json package-lock.json; do \
		test $(srcdir)/src/cockpit/$$f -ef src/cockpit/$$f || \
			cp -f $(srcdir)/src/cockpit/$$f src/cockpit/ || exit 1; \
	done && cd src/cockpit && $(NPM) ci --ignore-scripts --no-audit --no-fund --loglevel=error && \
	touch node_modules/.package-lock.json

distclean-local:
	rm -rf src/cockpit/node_modules
	test src/cockpit -ef $(srcdir)/src/cockpit || rm -f src/cockpit/package.json src/cockpit/package-lock.json
endif
