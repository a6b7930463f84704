# SPDX-License-Identifier: LGPL-2.1-or-later

noinst_LIBRARIES += libhyper-slurm.a
libhyper_slurm_a_SOURCES = \
	src/slurm/slurm-answer.c \
	src/slurm/slurm-answer.h
SLURM_LIBS = libhyper-slurm.a $(HTTP_LIBS)
EXTRA_DIST += src/slurm/README.md
