# SPDX-License-Identifier: LGPL-2.1-or-later

noinst_LIBRARIES += libhyper-slurm.a
libhyper_slurm_a_SOURCES = \
	src/slurm/handover.c \
	src/slurm/handover.h \
	src/slurm/slurm-answer.c \
	src/slurm/slurm-answer.h \
	src/slurm/slurm-request.c \
	src/slurm/slurm-request.h
SLURM_LIBS = libhyper-slurm.a $(HTTP_LIBS)

libexec_PROGRAMS += hyper-slurmd
hyper_slurmd_SOURCES = src/slurm/slurm-main.c
hyper_slurmd_LDADD = $(SLURM_LIBS)
EXTRA_DIST += src/slurm/README.md
