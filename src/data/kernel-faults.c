/*
 * What the kernel of this machine takes for its own faults, ns per page: beside what the model takes for the same.
 *
 *   cc -O3 -march=native -std=gnu11 -o kernel-faults kernel-faults.c
 *   ./kernel-faults [PAGES, default 65536] [REPEATS, default 9]
 *
 * One thread, kept on the CPU it starts on, pages of 4 KiB only. Each repeat touches all pages once and counts its faults; a line of
 * JSON gives the median and the fastest of the repeats and the faults per page, which must be 1 for the figure to mean anything.
 *
 *   file-minor        a shared mapping of a memfd: its pages are cached, and each touch maps one. The pure minor fault: nothing
 *                     is allocated, cleared or copied
 *   anon              first write to private memory: a page is allocated and cleared
 *   zero-page         first read of private memory: the zero page is mapped
 *   zero-page-write   the write that follows
 *   cow               a write by the child after fork: a page is allocated and copied
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096UL
#define MAX_REPEATS 101

struct outcome {
	double ns, faults; /* per page */
};

static size_t pages;
static volatile char sink;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static char *map_pages(int flags, int fd)
{
	char *memory = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (memory == MAP_FAILED)
		die("kernel-faults: mmap");
	madvise(memory, pages * PAGE, MADV_NOHUGEPAGE); /* EINVAL where the kernel has none: as well */
	return memory;
}

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static long faults_so_far(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt;
}

/* Touches every page once. */
static struct outcome touch(char *memory, int is_write)
{
	long faults = faults_so_far();
	double started = now_ns();

	for (size_t i = 0; i < pages; i++) {
		volatile char *byte = memory + i * PAGE;
		if (is_write)
			*byte = 1;
		else
			sink = *byte;
	}
	return (struct outcome){(now_ns() - started) / pages, (double)(faults_so_far() - faults) / pages};
}

static struct outcome file_minor(void)
{
	static char *memory;

	if (memory == NULL) {
		int fd = memfd_create("kernel-faults", 0);
		if (fd < 0 || ftruncate(fd, (off_t)(pages * PAGE)) != 0)
			die("kernel-faults: memfd");
		memory = map_pages(MAP_SHARED, fd);
		touch(memory, 1);
	}
	madvise(memory, pages * PAGE, MADV_DONTNEED); /* unmaps; the pages stay cached */
	return touch(memory, 1);                      /* writes: a read would map the neighbours as well */
}

static struct outcome private_memory(int is_write, int is_read_before)
{
	char *memory = map_pages(MAP_PRIVATE | MAP_ANONYMOUS, -1);
	struct outcome outcome;

	if (is_read_before)
		touch(memory, 0);
	outcome = touch(memory, is_write);
	munmap(memory, pages * PAGE);
	return outcome;
}

static struct outcome anon(void) { return private_memory(1, 0); }
static struct outcome zero_page(void) { return private_memory(0, 0); }
static struct outcome zero_page_write(void) { return private_memory(1, 1); }

static struct outcome cow(void)
{
	char *memory = map_pages(MAP_PRIVATE | MAP_ANONYMOUS, -1);
	struct outcome *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), outcome;
	pid_t child;

	if (shared == MAP_FAILED)
		die("kernel-faults: mmap");
	touch(memory, 1);
	child = fork();
	if (child < 0)
		die("kernel-faults: fork");
	if (child == 0) {
		*shared = touch(memory, 1);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	outcome = *shared;
	munmap(shared, PAGE);
	munmap(memory, pages * PAGE);
	return outcome;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void report(const char *name, struct outcome (*kind)(void), int repeats)
{
	double ns[MAX_REPEATS];
	struct outcome outcome;

	kind();
	for (int i = 0; i < repeats; i++) {
		outcome = kind();
		ns[i] = outcome.ns;
	}
	qsort(ns, repeats, sizeof *ns, ascending);
	printf("{\"kind\":\"%s\",\"ns\":%.1f,\"least\":%.1f,\"faultsPerPage\":%.3f}\n", name, ns[repeats / 2], ns[0], outcome.faults);
}

int main(int argc, char **argv)
{
	int repeats = argc > 2 ? atoi(argv[2]) : 9, cpu = sched_getcpu();
	cpu_set_t own;

	pages = argc > 1 ? strtoul(argv[1], NULL, 10) : 65536;
	if (pages < 1 || repeats < 1 || repeats > MAX_REPEATS) {
		fprintf(stderr, "usage: kernel-faults [PAGES] [REPEATS, at most %d]\n", MAX_REPEATS);
		return 2;
	}
	CPU_ZERO(&own);
	CPU_SET(cpu < 0 ? 0 : cpu, &own);
	sched_setaffinity(0, sizeof own, &own); /* where it is forbidden, it may wander */
	report("file-minor", file_minor, repeats);
	report("anon", anon, repeats);
	report("zero-page", zero_page, repeats);
	report("zero-page-write", zero_page_write, repeats);
	report("cow", cow, repeats);
	return 0;
}
