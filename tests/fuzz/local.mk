# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Fuzzers, one per decoder. A fuzzer is a file with LLVMFuzzerTestOneInput() and a directory
# tests/fuzz/corpus/<name>/ of inputs. Plainly built it replays its corpus, which is a test of make check;
# with configure --enable-fuzzers CC=clang it searches. A new fuzzer is one line: its name in the list of the
# directory whose decoder it feeds.

if !ENABLE_FUZZERS
check_LIBRARIES += libhyper-replay.a
libhyper_replay_a_SOURCES = tests/fuzz/replay.c
FUZZ_MAIN = libhyper-replay.a
endif

SHARED_FUZZERS = \
	tests/fuzz/fuzz-api-key \
	tests/fuzz/fuzz-auth-message \
	tests/fuzz/fuzz-bus-fields \
	tests/fuzz/fuzz-inspection \
	tests/fuzz/fuzz-job-event \
	tests/fuzz/fuzz-job-file \
	tests/fuzz/fuzz-job-spec \
	tests/fuzz/fuzz-nbd-uri \
	tests/fuzz/fuzz-rfc3339 \
	tests/fuzz/fuzz-settings \
	tests/fuzz/fuzz-vm \
	tests/fuzz/fuzz-vsphere-server \
	tests/fuzz/fuzz-webhook \
	tests/fuzz/fuzz-worker-message
$(SHARED_FUZZERS): private TEST_LIBS = $(FUZZ_MAIN) $(SHARED_LIBS) $(FUZZ_LDFLAGS)
$(SHARED_FUZZERS): $(FUZZ_MAIN) $(filter %.a,$(SHARED_LIBS))

ENGINE_FUZZERS = \
	tests/fuzz/fuzz-checkpoint \
	tests/fuzz/fuzz-compress \
	tests/fuzz/fuzz-content-range \
	tests/fuzz/fuzz-qcow2-resume
$(ENGINE_FUZZERS): private TEST_LIBS = $(FUZZ_MAIN) $(ENGINE_LIBS) $(ZLIB_LIBS) $(FUZZ_LDFLAGS)
$(ENGINE_FUZZERS): $(FUZZ_MAIN) $(filter %.a,$(ENGINE_LIBS))

IMAGE_FUZZERS = \
	tests/fuzz/fuzz-disk-firmware \
	tests/fuzz/fuzz-image-names \
	tests/fuzz/fuzz-ovf-names \
	tests/fuzz/fuzz-vmdk-descriptor \
	tests/fuzz/fuzz-vmdk-stream
$(IMAGE_FUZZERS): private TEST_LIBS = $(FUZZ_MAIN) $(IMAGE_LIBS) $(FUZZ_LDFLAGS)
$(IMAGE_FUZZERS): $(FUZZ_MAIN) $(filter %.a,$(IMAGE_LIBS))

JOB_FUZZERS = \
	tests/fuzz/fuzz-complaint \
	tests/fuzz/fuzz-extract \
	tests/fuzz/fuzz-image-info \
	tests/fuzz/fuzz-layer-map \
	tests/fuzz/fuzz-map \
	tests/fuzz/fuzz-ovf \
	tests/fuzz/fuzz-parallels \
	tests/fuzz/fuzz-sight \
	tests/fuzz/fuzz-tar \
	tests/fuzz/fuzz-warm-state
$(JOB_FUZZERS): private TEST_LIBS = $(FUZZ_MAIN) $(JOB_LIBS) $(FUZZ_LDFLAGS)
$(JOB_FUZZERS): $(FUZZ_MAIN) $(filter %.a,$(JOB_LIBS))

VSPHERE_FUZZERS = \
	tests/fuzz/fuzz-vsphere-answer \
	tests/fuzz/fuzz-vsphere-names
$(VSPHERE_FUZZERS): private TEST_LIBS = $(FUZZ_MAIN) $(VSPHERE_LIBS) $(FUZZ_LDFLAGS)
$(VSPHERE_FUZZERS): $(FUZZ_MAIN) $(filter %.a,$(VSPHERE_LIBS))

GUEST_FUZZERS = \
	tests/fuzz/fuzz-file-contexts \
	tests/fuzz/fuzz-firstboot \
	tests/fuzz/fuzz-guest-orders \
	tests/fuzz/fuzz-guest-text \
	tests/fuzz/fuzz-initramfs \
	tests/fuzz/fuzz-windows
$(GUEST_FUZZERS): private TEST_LIBS = $(FUZZ_MAIN) libhyper-firstboot.a $(GUEST_LIBS) $(FUZZ_LDFLAGS)
$(GUEST_FUZZERS): $(FUZZ_MAIN) libhyper-firstboot.a $(filter %.a,$(GUEST_LIBS))

MANAGER_FUZZERS = \
	tests/fuzz/fuzz-cron \
	tests/fuzz/fuzz-key-definition \
	tests/fuzz/fuzz-schedule-definition \
	tests/fuzz/fuzz-deploy \
	tests/fuzz/fuzz-source-definition \
	tests/fuzz/fuzz-submit-options \
	tests/fuzz/fuzz-upload-definition
$(MANAGER_FUZZERS): private TEST_LIBS = $(FUZZ_MAIN) $(MANAGER_LIBS) $(FUZZ_LDFLAGS)
$(MANAGER_FUZZERS): $(FUZZ_MAIN) $(filter %.a,$(MANAGER_LIBS))

API_FUZZERS = \
	tests/fuzz/fuzz-accept \
	tests/fuzz/fuzz-basic \
	tests/fuzz/fuzz-file-headers \
	tests/fuzz/fuzz-hypersdk \
	tests/fuzz/fuzz-multipart \
	tests/fuzz/fuzz-request \
	tests/fuzz/fuzz-socket-diag \
	tests/fuzz/fuzz-v1-connect \
	tests/fuzz/fuzz-v1-job \
	tests/fuzz/fuzz-v1-schedule \
	tests/fuzz/fuzz-v1-subscription \
	tests/fuzz/fuzz-v1-login \
	tests/fuzz/fuzz-v1-vm \
	tests/fuzz/fuzz-worker-job \
	tests/fuzz/fuzz-ws-codec \
	tests/fuzz/fuzz-yaml-body
$(API_FUZZERS): private TEST_LIBS = $(FUZZ_MAIN) $(API_LIBS) $(FUZZ_LDFLAGS)
$(API_FUZZERS): $(FUZZ_MAIN) $(filter %.a,$(API_LIBS))

HOSTS_FUZZERS = \
	tests/fuzz/fuzz-domain-capabilities \
	tests/fuzz/fuzz-boot-watch \
	tests/fuzz/fuzz-domain-xml \
	tests/fuzz/fuzz-host-uri \
	tests/fuzz/fuzz-host-xml \
	tests/fuzz/fuzz-kvm \
	tests/fuzz/fuzz-ppm-png
$(HOSTS_FUZZERS): private TEST_LIBS = $(FUZZ_MAIN) $(HOSTS_LIBS) $(FUZZ_LDFLAGS)
$(HOSTS_FUZZERS): $(FUZZ_MAIN) $(filter %.a,$(HOSTS_LIBS))

AGENT_FUZZERS = \
	tests/fuzz/fuzz-agent-answer \
	tests/fuzz/fuzz-agent-files \
	tests/fuzz/fuzz-agent-settings
$(AGENT_FUZZERS): private TEST_LIBS = $(FUZZ_MAIN) $(AGENT_LIBS) $(FUZZ_LDFLAGS)
$(AGENT_FUZZERS): $(FUZZ_MAIN) $(filter %.a,$(AGENT_LIBS))

VSPHERED_FUZZERS = \
	tests/fuzz/fuzz-vsphered-arguments
$(VSPHERED_FUZZERS): private TEST_LIBS = $(FUZZ_MAIN) $(VSPHERED_LIBS) $(FUZZ_LDFLAGS)
$(VSPHERED_FUZZERS): $(FUZZ_MAIN) $(filter %.a,$(VSPHERED_LIBS))

CARBON_FUZZERS = \
	tests/fuzz/fuzz-carbon-answer
$(CARBON_FUZZERS): private TEST_LIBS = $(FUZZ_MAIN) $(CARBON_LIBS) $(FUZZ_LDFLAGS)
$(CARBON_FUZZERS): $(FUZZ_MAIN) $(filter %.a,$(CARBON_LIBS))

SLURM_FUZZERS = \
	tests/fuzz/fuzz-slurm-answer
$(SLURM_FUZZERS): private TEST_LIBS = $(FUZZ_MAIN) $(SLURM_LIBS) $(FUZZ_LDFLAGS)
$(SLURM_FUZZERS): $(FUZZ_MAIN) $(filter %.a,$(SLURM_LIBS))

FUZZERS = $(CARBON_FUZZERS) $(SLURM_FUZZERS) $(SHARED_FUZZERS) $(ENGINE_FUZZERS) $(IMAGE_FUZZERS) $(JOB_FUZZERS) $(GUEST_FUZZERS) $(VSPHERE_FUZZERS) $(MANAGER_FUZZERS) $(API_FUZZERS) $(HOSTS_FUZZERS) $(VSPHERED_FUZZERS) $(AGENT_FUZZERS)
check_PROGRAMS += $(FUZZERS)
if !ENABLE_FUZZERS
TESTS += $(FUZZERS)
endif
EXTRA_DIST += tests/fuzz/replay.c tests/fuzz/README.md tests/fuzz/corpus
AM_TESTS_ENVIRONMENT = srcdir='$(srcdir)'; export srcdir;
