# SPDX-License-Identifier: LGPL-2.1-or-later
#
# "make deb" builds the packages of Debian from the release, in the directory deb of the build directory.

DEBIAN_FILES = units/debian/changelog units/debian/control units/debian/copyright \
	units/debian/hyper-agent.install units/debian/hyper-agent.lintian-overrides \
	units/debian/hyper-agent.postrm \
	units/debian/hyper-guest.install units/debian/hyper-guest.lintian-overrides \
	units/debian/hyper.install units/debian/hyper.lintian-overrides units/debian/hyper.postinst \
	units/debian/hyper.postrm units/debian/hyper.prerm \
	units/debian/rules units/debian/source/format units/debian/source/lintian-overrides
EXTRA_DIST += $(DEBIAN_FILES) units/debian/README.md
# Options of dpkg-buildpackage(1)
DPKG_BUILDPACKAGE_FLAGS = -us -uc
debian_source = deb/$(PACKAGE)-$(VERSION)

deb: dist
	@command -v dpkg-buildpackage dh >/dev/null || { \
		echo 'missing: dpkg-buildpackage or dh. On Debian: apt-get install debhelper' >&2; exit 1; }
	@test "$$(sed -n '1s/.*(\(.*\)-[^-]*).*/\1/p' $(srcdir)/units/debian/changelog)" = '$(VERSION)' || { \
		echo 'units/debian/changelog does not begin with version $(VERSION)' >&2; exit 1; }
	rm -rf deb && $(MKDIR_P) deb
	cp $(distdir).tar.xz deb/$(PACKAGE)_$(VERSION).orig.tar.xz
	tar -C deb -xf $(distdir).tar.xz
	cp -R $(debian_source)/units/debian $(debian_source)/debian
	cd $(debian_source) && dpkg-buildpackage $(DPKG_BUILDPACKAGE_FLAGS)
	@echo; echo 'Packages:'; ls deb/*.deb
clean-local: clean-deb
clean-deb:
	rm -rf deb
.PHONY: deb clean-deb
