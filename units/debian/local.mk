# SPDX-License-Identifier: LGPL-2.1-or-later
#
# "make deb" builds the packages of Debian from the release, in the directory deb of the build directory.

DEBIAN_FILES = units/debian/changelog units/debian/cockpit-hyper.install \
	units/debian/cockpit-hyper.lintian-overrides \
	units/debian/control units/debian/copyright \
	units/debian/hyper-agent.install units/debian/hyper-agent.lintian-overrides \
	units/debian/hyper-agent.postrm \
	units/debian/hyper-guest.install units/debian/hyper-guest.lintian-overrides \
	units/debian/hyper.docs units/debian/hyper.install units/debian/hyper.lintian-overrides units/debian/hyper.postinst \
	units/debian/hyper.postrm units/debian/hyper.prerm \
	units/debian/rules units/debian/source/format units/debian/source/lintian-overrides
EXTRA_DIST += $(DEBIAN_FILES) units/debian/README.md
# Without the page of Cockpit, its package is not built.
if !DIST_COCKPIT
deb_profiles = pkg.hyper.nocockpit
endif
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
	cd $(debian_source) && DEB_BUILD_PROFILES="$$DEB_BUILD_PROFILES $(deb_profiles)" \
		dpkg-buildpackage $(DPKG_BUILDPACKAGE_FLAGS)
	@echo; echo 'Packages:'; ls deb/*.deb
clean-local: clean-deb
clean-deb:
	rm -rf deb
.PHONY: deb clean-deb
