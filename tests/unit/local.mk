# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Unit tests, one program per file, on libcheck. A new test is one line: its name in the list of its
# directory.

# What several tests share; each takes what it uses.
check_LIBRARIES += libhyper-test.a
libhyper_test_a_SOURCES = \
	tests/unit/lib/api-test.c \
	tests/unit/lib/api-test.h \
	tests/unit/lib/engine-util.c \
	tests/unit/lib/engine-util.h \
	tests/unit/lib/fake-nbd.c \
	tests/unit/lib/fake-nbd.h \
	tests/unit/lib/hive.c \
	tests/unit/lib/hive.h \
	tests/unit/lib/inflate-strict.h \
	tests/unit/lib/introspection.c \
	tests/unit/lib/introspection.h \
	tests/unit/lib/job-front.h \
	tests/unit/lib/job-servers.h \
	tests/unit/lib/job-vsphere.h \
	tests/unit/lib/journal-writer.c \
	tests/unit/lib/journal-writer.h \
	tests/unit/lib/manager-test.c \
	tests/unit/lib/manager-test.h \
	tests/unit/lib/private-bus.c \
	tests/unit/lib/private-bus.h \
	tests/unit/lib/v1-world.h \
	tests/unit/lib/vcsim.c \
	tests/unit/lib/vcsim.h \
	tests/unit/lib/vsphere-test.h \
	tests/unit/lib/ws-client.c \
	tests/unit/lib/ws-client.h \
	tests/unit/lib/ws-frames.c \
	tests/unit/lib/ws-frames.h

BASIC_TESTS = \
	tests/unit/basic/test-basic \
	tests/unit/basic/test-time-util \
	tests/unit/basic/test-utf8
BASIC_TEST_LIBS = libhyper-test.a $(BASIC_LIBS)
$(BASIC_TESTS): private TEST_LIBS = $(BASIC_TEST_LIBS) $(CHECK_LIBS)
$(BASIC_TESTS): $(filter %.a,$(BASIC_TEST_LIBS))

JSON_TESTS = \
	tests/unit/json/test-json-table
JSON_TEST_LIBS = libhyper-test.a $(JSON_LIBS)
$(JSON_TESTS): private TEST_LIBS = $(JSON_TEST_LIBS) $(CHECK_LIBS)
$(JSON_TESTS): $(filter %.a,$(JSON_TEST_LIBS))

SPEC_TESTS = \
	tests/unit/spec/test-capability \
	tests/unit/spec/test-carbon-spec \
	tests/unit/spec/test-concern \
	tests/unit/spec/test-job-file \
	tests/unit/spec/test-job-id \
	tests/unit/spec/test-job-spec \
	tests/unit/spec/test-job-state \
	tests/unit/spec/test-nbd-uri \
	tests/unit/spec/test-vm \
	tests/unit/spec/test-vsphere-server \
	tests/unit/spec/test-vsphere-spec \
	tests/unit/spec/test-warm-spec
SPEC_TEST_LIBS = libhyper-test.a $(SPEC_LIBS)
$(SPEC_TESTS): private TEST_LIBS = $(SPEC_TEST_LIBS) $(CHECK_LIBS)
$(SPEC_TESTS): $(filter %.a,$(SPEC_TEST_LIBS))

JOURNAL_TESTS = \
	tests/unit/journal/test-job-event \
	tests/unit/journal/test-journal \
	tests/unit/journal/test-journal-batch
JOURNAL_TEST_LIBS = libhyper-test.a $(JOURNAL_LIBS)
$(JOURNAL_TESTS): private TEST_LIBS = $(JOURNAL_TEST_LIBS) $(CHECK_LIBS)
$(JOURNAL_TESTS): $(filter %.a,$(JOURNAL_TEST_LIBS))

SHARED_TESTS = \
	tests/unit/shared/test-address-range \
	tests/unit/shared/test-api-key \
	tests/unit/shared/test-daemon \
	tests/unit/shared/test-error-table \
	tests/unit/shared/test-polkit \
	tests/unit/shared/test-settings \
	tests/unit/shared/test-thread-call \
	tests/unit/shared/test-webhook
SHARED_TEST_LIBS = libhyper-test.a $(SHARED_LIBS)
$(SHARED_TESTS): private TEST_LIBS = $(SHARED_TEST_LIBS) $(CHECK_LIBS)
$(SHARED_TESTS): $(filter %.a,$(SHARED_TEST_LIBS))

STORE_TESTS = \
	tests/unit/store/test-store-api-keys \
	tests/unit/store/test-store-group \
	tests/unit/store/test-store-hosts \
	tests/unit/store/test-store-jobs-page \
	tests/unit/store/test-store-limits \
	tests/unit/store/test-store-limits-load \
	tests/unit/store/test-store-placement \
	tests/unit/store/test-store-sources \
	tests/unit/store/test-store-uploads \
	tests/unit/store/test-store-webhooks \
	tests/unit/store/test-store-workers \
	tests/unit/store/test-store
STORE_TEST_LIBS = libhyper-test.a $(STORE_LIBS)
$(STORE_TESTS): private TEST_LIBS = $(STORE_TEST_LIBS) $(CHECK_LIBS)
$(STORE_TESTS): $(filter %.a,$(STORE_TEST_LIBS))

ENGINE_TESTS = \
	tests/unit/engine/test-engine-areas \
	tests/unit/engine/test-engine-compare \
	tests/unit/engine/test-engine-compress \
	tests/unit/engine/test-engine-copy \
	tests/unit/engine/test-engine-faults \
	tests/unit/engine/test-engine-file \
	tests/unit/engine/test-engine-hostile \
	tests/unit/engine/test-engine-http \
	tests/unit/engine/test-engine-parts \
	tests/unit/engine/test-engine-resume \
	tests/unit/engine/test-engine-stream \
	tests/unit/engine/test-engine-writeback
ENGINE_TEST_LIBS = libhyper-test.a $(ENGINE_LIBS) $(ZLIB_LIBS)
$(ENGINE_TESTS): private TEST_LIBS = $(ENGINE_TEST_LIBS) $(CHECK_LIBS)
$(ENGINE_TESTS): $(filter %.a,$(ENGINE_TEST_LIBS))

IMAGE_TESTS = \
	tests/unit/image/test-disk-firmware \
	tests/unit/image/test-image-names \
	tests/unit/image/test-job-image \
	tests/unit/image/test-job-map \
	tests/unit/image/test-job-ovf \
	tests/unit/image/test-job-parallels \
	tests/unit/image/test-job-tar \
	tests/unit/image/test-ovf-hardware \
	tests/unit/image/test-ovf-names \
	tests/unit/image/test-vmdk-descriptor \
	tests/unit/image/test-vmdk-stream
IMAGE_TEST_LIBS = libhyper-test.a $(JOB_LIBS)
$(IMAGE_TESTS): private TEST_LIBS = $(IMAGE_TEST_LIBS) $(CHECK_LIBS)
$(IMAGE_TESTS): $(filter %.a,$(IMAGE_TEST_LIBS))

JOB_TESTS = \
	tests/unit/job/test-job-chain \
	tests/unit/job/test-job-child \
	tests/unit/job/test-job-complaint \
	tests/unit/job/test-job-convert \
	tests/unit/job/test-job-decode-threads \
	tests/unit/job/test-job-destination \
	tests/unit/job/test-job-device \
	tests/unit/job/test-job-direct \
	tests/unit/job/test-job-file-system \
	tests/unit/job/test-job-hostile \
	tests/unit/job/test-job-identity \
	tests/unit/job/test-job-in-place \
	tests/unit/job/test-job-in-use \
	tests/unit/job/test-job-lock \
	tests/unit/job/test-job-look \
	tests/unit/job/test-job-nbd \
	tests/unit/job/test-job-new-directories \
	tests/unit/job/test-job-package \
	tests/unit/job/test-job-part-directory \
	tests/unit/job/test-job-recognize \
	tests/unit/job/test-job-report \
	tests/unit/job/test-job-tables \
	tests/unit/job/test-job-verify \
	tests/unit/job/test-job-vmdk \
	tests/unit/job/test-job-vsphere \
	tests/unit/job/test-job-vsphere-ways \
	tests/unit/job/test-job-warm \
	tests/unit/job/test-job-warm-cut \
	tests/unit/job/test-job-warm-end
JOB_TEST_LIBS = libhyper-test.a $(JOB_LIBS)
$(JOB_TESTS): private TEST_LIBS = $(JOB_TEST_LIBS) $(CHECK_LIBS)
$(JOB_TESTS): $(filter %.a,$(JOB_TEST_LIBS))

VSPHERE_TESTS = \
	tests/unit/vsphere/test-vsphere-answers \
	tests/unit/vsphere/test-vsphere-changes \
	tests/unit/vsphere/test-vsphere-inventory \
	tests/unit/vsphere/test-vsphere-lease \
	tests/unit/vsphere/test-vsphere-session
VSPHERE_TEST_LIBS = libhyper-test.a $(VSPHERE_LIBS)
$(VSPHERE_TESTS): private TEST_LIBS = $(VSPHERE_TEST_LIBS) $(CHECK_LIBS)
$(VSPHERE_TESTS): $(filter %.a,$(VSPHERE_TEST_LIBS))

GUEST_TESTS = \
	tests/unit/guest/test-guest-boot \
	tests/unit/guest/test-guest-devices \
	tests/unit/guest/test-guest-editors \
	tests/unit/guest/test-guest-first-boot \
	tests/unit/guest/test-guest-initramfs \
	tests/unit/guest/test-guest-selinux \
	tests/unit/guest/test-guest-nics \
	tests/unit/guest/test-guest-registry \
	tests/unit/guest/test-guest-report \
	tests/unit/guest/test-guest-unusual \
	tests/unit/guest/test-guest-virtio-win
GUEST_TEST_LIBS = libhyper-test.a libhyper-firstboot.a $(GUEST_LIBS) $(HIVEX_LIBS)
$(GUEST_TESTS): private TEST_LIBS = $(GUEST_TEST_LIBS) $(CHECK_LIBS)
$(GUEST_TESTS): $(filter %.a,$(GUEST_TEST_LIBS))

MANAGER_TESTS = \
	tests/unit/manager/test-cron \
	tests/unit/manager/test-dequeue-wait \
	tests/unit/manager/test-manager-attempt \
	tests/unit/manager/test-manager-bus \
	tests/unit/manager/test-manager-deploy \
	tests/unit/manager/test-manager-caller \
	tests/unit/manager/test-manager-chain \
	tests/unit/manager/test-manager-changes \
	tests/unit/manager/test-manager-destination \
	tests/unit/manager/test-manager-executor \
	tests/unit/manager/test-manager-files \
	tests/unit/manager/test-manager-group \
	tests/unit/manager/test-manager-inspect \
	tests/unit/manager/test-manager-jobs \
	tests/unit/manager/test-manager-holds \
	tests/unit/manager/test-manager-keys \
	tests/unit/manager/test-manager-lookup \
	tests/unit/manager/test-manager-placement \
	tests/unit/manager/test-manager-restart \
	tests/unit/manager/test-manager-schedules \
	tests/unit/manager/test-manager-machines \
	tests/unit/manager/test-manager-sessions \
	tests/unit/manager/test-manager-slurm \
	tests/unit/manager/test-manager-sources \
	tests/unit/manager/test-manager-uploads \
	tests/unit/manager/test-manager-submitter \
	tests/unit/manager/test-manager-unit \
	tests/unit/manager/test-manager-warm \
	tests/unit/manager/test-manager-webhooks \
	tests/unit/manager/test-manager-workers-model \
	tests/unit/manager/test-manager-workers
MANAGER_TEST_LIBS = libhyper-test.a libhyper-dialects.a libhyper-api.a $(MANAGER_LIBS) $(MICROHTTPD_LIBS) $(TLS_LIBS) $(WSLAY_LIBS)
$(MANAGER_TESTS): private TEST_LIBS = $(MANAGER_TEST_LIBS) $(CHECK_LIBS)
$(MANAGER_TESTS): $(filter %.a,$(MANAGER_TEST_LIBS))

API_TESTS = \
	tests/unit/api/test-api-access \
	tests/unit/api/test-api-bus \
	tests/unit/api/test-api-http \
	tests/unit/api/test-api-login \
	tests/unit/api/test-api-metrics \
	tests/unit/api/test-api-parse \
	tests/unit/api/test-api-peer \
	tests/unit/api/test-api-range \
	tests/unit/api/test-api-rate-limit \
	tests/unit/api/test-api-reply-cache \
	tests/unit/api/test-api-sse \
	tests/unit/api/test-api-websocket \
	tests/unit/api/test-api-ws-codec \
	tests/unit/api/test-api-yaml \
	tests/unit/api/test-client-types \
	tests/unit/api/test-dialect-jobs \
	tests/unit/api/test-dialect-json \
	tests/unit/api/test-dialect-routes \
	tests/unit/api/test-dialect-schedules \
	tests/unit/api/test-hypersdk-ws \
	tests/unit/api/test-openapi \
	tests/unit/api/test-v1-auth \
	tests/unit/api/test-v1-chunk \
	tests/unit/api/test-v1-job-decode \
	tests/unit/api/test-v1-alerts \
	tests/unit/api/test-v1-jobs \
	tests/unit/api/test-v1-vms \
	tests/unit/api/test-v1-audit \
	tests/unit/api/test-v1-logs \
	tests/unit/api/test-v1-schedules \
	tests/unit/api/test-v1-ws \
	tests/unit/api/test-docs-pages
API_TEST_LIBS = libhyper-test.a $(API_LIBS)
$(API_TESTS): private TEST_LIBS = $(API_TEST_LIBS) $(CHECK_LIBS)
$(API_TESTS): $(filter %.a,$(API_TEST_LIBS))

HOSTS_TESTS = \
	tests/unit/hosts/test-boot-watch \
	tests/unit/hosts/test-hardware \
	tests/unit/hosts/test-hosts-api \
	tests/unit/hosts/test-hosts-bus \
	tests/unit/hosts/test-hosts-console \
	tests/unit/hosts/test-hosts-json \
	tests/unit/hosts/test-hosts-thread \
	tests/unit/hosts/test-hosts-uri \
	tests/unit/hosts/test-hosts-xml
HOSTS_TEST_LIBS = libhyper-test.a libhyper-dialects.a libhyper-api.a $(HOSTS_LIBS) $(MICROHTTPD_LIBS) $(TLS_LIBS) $(WSLAY_LIBS)
$(HOSTS_TESTS): private TEST_LIBS = $(HOSTS_TEST_LIBS) $(CHECK_LIBS)
$(HOSTS_TESTS): $(filter %.a,$(HOSTS_TEST_LIBS))

NOTIFY_TESTS = \
	tests/unit/notify/test-notify-http \
	tests/unit/notify/test-delivery-queue
NOTIFY_TEST_LIBS = libhyper-test.a $(NOTIFY_LIBS)
$(NOTIFY_TESTS): private TEST_LIBS = $(NOTIFY_TEST_LIBS) $(CHECK_LIBS)
$(NOTIFY_TESTS): $(filter %.a,$(NOTIFY_TEST_LIBS))

TLS_TESTS = \
	tests/unit/tls/test-tls-pair
TLS_TEST_LIBS = libhyper-test.a $(CERTIFICATE_LIBS)
$(TLS_TESTS): private TEST_LIBS = $(TLS_TEST_LIBS) $(CHECK_LIBS)
$(TLS_TESTS): $(filter %.a,$(TLS_TEST_LIBS))

AUTH_TESTS = \
	tests/unit/auth/test-auth
AUTH_TEST_LIBS = libhyper-test.a libhyper-auth.a $(MANAGER_LIBS) $(PAM_LIBS)
$(AUTH_TESTS): private TEST_LIBS = $(AUTH_TEST_LIBS) $(CHECK_LIBS)
$(AUTH_TESTS): $(filter %.a,$(AUTH_TEST_LIBS))

AGENT_TESTS = \
	tests/unit/agent/test-agent-life \
	tests/unit/agent/test-agent-service \
	tests/unit/agent/test-agent
AGENT_TEST_LIBS = libhyper-test.a libhyper-agent.a libhyper-dialects.a libhyper-api.a libhyper-manager.a libhyper-http.a libhyper-store.a libhyper-image.a \
	$(SHARED_LIBS) $(CURL_LIBS) $(CRYPTO_LIBS) $(SQLITE_LIBS) $(XML_LIBS) $(MICROHTTPD_LIBS) $(TLS_LIBS) $(WSLAY_LIBS)
$(AGENT_TESTS): private TEST_LIBS = $(AGENT_TEST_LIBS) $(CHECK_LIBS)
$(AGENT_TESTS): $(filter %.a,$(AGENT_TEST_LIBS))

CTL_TESTS = \
	tests/unit/ctl/test-ctl-arguments \
	tests/unit/ctl/test-ctl-names \
	tests/unit/ctl/test-ctl-table \
	tests/unit/ctl/test-ctl-text \
	tests/unit/ctl/test-ctl-upload
CTL_TEST_LIBS = libhyper-test.a $(CTL_LIBS)
$(CTL_TESTS): private TEST_LIBS = $(CTL_TEST_LIBS) $(CHECK_LIBS)
$(CTL_TESTS): $(filter %.a,$(CTL_TEST_LIBS))

VSPHERED_TESTS = \
	tests/unit/vsphered/test-vsphered \
	tests/unit/vsphered/test-vsphered-list
VSPHERED_TEST_LIBS = libhyper-test.a $(VSPHERED_LIBS)
$(VSPHERED_TESTS): private TEST_LIBS = $(VSPHERED_TEST_LIBS) $(CHECK_LIBS)
$(VSPHERED_TESTS): $(filter %.a,$(VSPHERED_TEST_LIBS))
EXTRA_DIST += tests/unit/vsphered/inventory.json

CARBON_TESTS = \
	tests/unit/carbon/test-carbon-data \
	tests/unit/carbon/test-carbond
CARBON_TEST_LIBS = libhyper-test.a $(CARBON_LIBS)
$(CARBON_TESTS): private TEST_LIBS = $(CARBON_TEST_LIBS) $(CHECK_LIBS)
$(CARBON_TESTS): $(filter %.a,$(CARBON_TEST_LIBS))

SLURM_TESTS = \
	tests/unit/slurm/test-slurm-answer \
	tests/unit/slurm/test-slurm-request
SLURM_TEST_LIBS = libhyper-test.a $(SLURM_LIBS)
$(SLURM_TESTS): private TEST_LIBS = $(SLURM_TEST_LIBS) $(CHECK_LIBS)
$(SLURM_TESTS): $(filter %.a,$(SLURM_TEST_LIBS))

UNIT_TESTS = $(CARBON_TESTS) $(SLURM_TESTS) $(BASIC_TESTS) $(JSON_TESTS) $(SPEC_TESTS) $(JOURNAL_TESTS) $(SHARED_TESTS) $(STORE_TESTS) $(ENGINE_TESTS) $(IMAGE_TESTS) $(JOB_TESTS) $(GUEST_TESTS) $(VSPHERE_TESTS) $(MANAGER_TESTS) $(API_TESTS) $(HOSTS_TESTS) $(VSPHERED_TESTS) $(NOTIFY_TESTS) $(TLS_TESTS) $(AUTH_TESTS) $(AGENT_TESTS) $(CTL_TESTS)
LDADD = $(TEST_LIBS)
# The tests' own code, if tests/run wants it to be compiled in less time
tests/unit/%.o tests/fuzz/%.o: CFLAGS += $(TEST_CFLAGS)
check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)

# Programs that scripts run
TEST_TOOLS = tests/unit/engine/copy-tool tests/unit/manager/cron-tool tests/unit/api/print-openapi tests/unit/ctl/mock-manager
check_PROGRAMS += $(TEST_TOOLS)
.PHONY: test-tools
test-tools: $(TEST_TOOLS) $(check_DATA)
tests_unit_engine_copy_tool_LDADD = $(ENGINE_LIBS) $(ZLIB_LIBS)
tests_unit_manager_cron_tool_LDADD = $(MANAGER_LIBS)
tests_unit_api_print_openapi_LDADD = $(API_LIBS)
tests_unit_ctl_mock_manager_LDADD = $(SHARED_LIBS)

SCRIPT_TESTS = \
	tests/unit/check-includes \
	tests/unit/check-schedule \
	tests/unit/engine/check-reflink \
	tests/unit/manager/check-cron \
	tests/unit/manager/check-cron-clocks \
	tests/unit/api/check-openapi \
	tests/unit/api/check-tls \
	tests/unit/ctl/test-completion \
	tests/unit/ctl/test-hyperctl \
	tests/unit/ctl/test-terminal
TESTS += $(SCRIPT_TESTS)
EXTRA_DIST += $(SCRIPT_TESTS) tests/unit/README.md tests/unit/ctl/bus.sh tests/unit/data tests/unit/api/validate.go
noinst_HEADERS = tests/unit/lib/test.h tests/fuzz/fuzz.h
