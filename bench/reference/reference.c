/*
 * The least that a faithful engine must do per access and per fault, in plain C: what the cases of bench/ are compared with.
 *
 * One process with a thread on each of 8 CPUs of 4 nodes, and one area. State as in the engine: a TLB of 256 sets with 4 ways
 * per CPU (round robin), a page table of two levels, frames of 32 bytes, a list of pages per node, a stack of free frames per
 * node, the swap cache (slot to frame), the swap map (users of a slot), four policies behind a function pointer, counters.
 * It leaves out what no fault here needs: permissions, areas to look up, several processes, watermarks, retries, undo.
 * Large arrays are on huge pages where the system gives them.
 *
 *   cc -O3 -march=native -o reference reference.c
 *   ./reference CASE POLICY PAGES ORDER CONTENTS MILLISECONDS
 *
 *   CASE      tlb-hit                 accesses that the TLB answers, 512 pages per CPU
 *             miss-present            accesses to random pages: a walk, the page is there
 *             swap-cache-well-placed  a fault each: the page is in the swap cache, on the right node
 *             swap-cache-misplaced    a fault each: the page is in the swap cache, and moves to another node
 *             replay-tlb-hit          as tlb-hit, as rows of a trace: clocks, load and cost of each row are kept as well
 *   POLICY    default, bind (nodes 1, 2), interleave (0-3), preferred (2)
 *   ORDER     random or page: in which order pages lie in memory and are touched
 *   CONTENTS  1: frames have 4 KiB, and a move copies them
 *
 * Prints one line of JSON: median and quartiles of ns per access or fault, over samples of 4096, wall clock; a checksum over
 * counters, page table and frames after the first sweep, the same on any machine.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define NODES 4
#define CPUS 8
#define SETS 256
#define WAYS 4
#define HOT 512        /* pages per CPU that tlb-hit touches: every second one, so they fill all ways of every second set */
#define SAMPLE 4096    /* accesses per reading of the clock */
#define SEQUENCE (1u << 22)
#define QUANTUM 256    /* rows that a thread runs in one go */
#define MAX_SAMPLES 100000
#define NO_NODE (-1)
#define NO_FRAME 0u
#define COLD __attribute__((noinline))

/* An entry of the page table and of the TLB: frame << 4 and four bits; or slot + 1 << 4 without PRESENT. */
enum { PRESENT = 1, DIRTY = 2, YOUNG = 4, WRITABLE = 8, ENTRY_SHIFT = 4 };
enum { LOCKED = 1, REFERENCED = 2, SWAPCACHE = 4, WRITEBACK = 8, ON_LIST = 16, UPTODATE = 32 };
enum { MISSES, FAULTS, MISPLACED, MOVED, NO_ROOM, DIRTIED, RSS, COUNTERS };

typedef uint32_t u32;
typedef uint8_t u8;

struct frame {
	u32 flags, mapping, index, slot, mapcount, refcount, previous, next;
};

struct tlb_set {
	u32 tag[WAYS]; /* page + 1 */
	u32 entry[WAYS];
};

struct area;
typedef int misplaced_fn(const struct area *, u32 page, u32 cpu, u32 node);

struct area {
	u32 pages, node_count, mask, preferred;
	u8 nodes[NODES];
	misplaced_fn *misplaced;
};

/* What replay-tlb-hit keeps beside the rest. */
struct costs {
	double accesses[NODES * NODES], misses[NODES * NODES];
	double idle_ns[NODES * NODES], peak[NODES * NODES], wanted[NODES * NODES];
	double link_factor[NODES * NODES], node_factor[NODES];
	double thread_ns[CPUS], cpu_ns[CPUS], epoch_start, epoch_end, total_ns;
};

static u32 page_count, node_shift, frame_count; /* frames per node: 1 << node_shift */
static struct frame *frames;                    /* the last NODES of them are heads of lists */
static u32 *leaves, **directory;
static struct tlb_set *tlb;
static u8 *next_way;
static u32 *slot_frame;
static u8 *slot_users;
static u32 *free_stack[NODES], free_top[NODES], listed[NODES];
static u8 *memory;
static struct area area;
static uint64_t accesses[NODES * NODES], moves[NODES * NODES], counters[COUNTERS];
static struct costs costs;
static const u8 node_of_cpu[CPUS] = {0, 0, 1, 1, 2, 2, 3, 3};

/* The accesses to make: page, and CPU with 0x80 for a write. For rows, how many accesses and misses each stands for. */
static u32 *seq_page;
static u8 *seq_cpu;
static u32 *row_count, *row_miss;

/* ---- policies: the node where the page should be, or NO_NODE if it is right ---- */

static COLD int misplaced_default(const struct area *a, u32 page, u32 cpu, u32 node)
{
	(void)a, (void)page;
	return node_of_cpu[cpu] == node ? NO_NODE : node_of_cpu[cpu];
}

static COLD int misplaced_bind(const struct area *a, u32 page, u32 cpu, u32 node)
{
	u32 own = node_of_cpu[cpu];
	(void)page;
	if (a->mask >> node & 1)
		return NO_NODE;
	return a->mask >> own & 1 ? (int)own : __builtin_ctz(a->mask);
}

static COLD int misplaced_interleave(const struct area *a, u32 page, u32 cpu, u32 node)
{
	u32 home = a->nodes[page % a->node_count];
	(void)cpu;
	return home == node ? NO_NODE : (int)home;
}

static COLD int misplaced_preferred(const struct area *a, u32 page, u32 cpu, u32 node)
{
	(void)page, (void)cpu;
	return a->preferred == node ? NO_NODE : (int)a->preferred;
}

static const struct { const char *name; misplaced_fn *misplaced; } policies[] = {
	{"default", misplaced_default}, {"bind", misplaced_bind},
	{"interleave", misplaced_interleave}, {"preferred", misplaced_preferred},
};

/* ---- lists: circular, through a head per node ---- */

static inline void list_add(u32 head, u32 frame)
{
	u32 first = frames[head].next;
	frames[frame].next = first;
	frames[frame].previous = head;
	frames[first].previous = frame;
	frames[head].next = frame;
}

static inline void list_remove(u32 frame)
{
	u32 before = frames[frame].previous, after = frames[frame].next;
	frames[before].next = after;
	frames[after].previous = before;
}

/* ---- faults ---- */

/* Moves a cached page that nothing maps. Returns its frame: the old one if the node is full. */
static COLD u32 migrate_misplaced(u32 old, u32 node, u32 slot)
{
	u32 from = old >> node_shift, fresh;

	counters[MISPLACED]++;
	if (free_top[node] == 0) {
		counters[NO_ROOM]++;
		return old;
	}
	fresh = free_stack[node][--free_top[node]];
	list_remove(old);
	listed[from]--;
	frames[fresh].flags = frames[old].flags;
	frames[fresh].mapping = frames[old].mapping;
	frames[fresh].index = frames[old].index;
	frames[fresh].slot = frames[old].slot;
	frames[fresh].mapcount = 0;
	frames[fresh].refcount = frames[old].refcount;
	slot_frame[slot] = fresh;
	if (memory != NULL)
		memcpy(memory + (size_t)fresh * 4096, memory + (size_t)old * 4096, 4096);
	list_add(frame_count + node, fresh);
	listed[node]++;
	frames[old].flags = frames[old].mapping = frames[old].index = frames[old].slot = frames[old].refcount = 0;
	free_stack[from][free_top[from]++] = old;
	counters[MOVED]++;
	moves[from * NODES + node]++;
	return fresh;
}

static COLD u32 do_swap_page(u32 page, u32 cpu, u32 is_write, u32 *where, u32 entry)
{
	u32 slot = (entry >> ENTRY_SHIFT) - 1, frame = slot_frame[slot], flags;

	counters[FAULTS]++;
	if (frame == NO_FRAME)
		abort(); /* nothing was read in ahead: no case has this */
	flags = frames[frame].flags | LOCKED;
	frames[frame].flags = flags;
	frames[frame].refcount++;
	if (frames[frame].mapcount == 0 && !(flags & WRITEBACK)) {
		int home = area.misplaced(&area, page, cpu, frame >> node_shift);
		if (home != NO_NODE)
			frame = migrate_misplaced(frame, (u32)home, slot);
	}
	slot_users[slot]--;
	entry = frame << ENTRY_SHIFT | PRESENT | YOUNG | is_write * (DIRTY | WRITABLE);
	*where = entry;
	frames[frame].mapcount++;
	counters[RSS]++;
	frames[frame].flags = (flags & ~(u32)LOCKED) | REFERENCED;
	return entry;
}

static inline u32 walk(u32 page, u32 cpu, u32 is_write)
{
	u32 *where = &directory[page >> 9][page & 511], entry = *where, bits = YOUNG | is_write << 1;

	counters[MISSES]++;
	if (!(entry & PRESENT))
		return do_swap_page(page, cpu, is_write, where, entry);
	if ((entry & bits) != bits)
		*where = entry |= bits;
	return entry;
}

static COLD void set_dirty(u32 page, u32 *entry)
{
	directory[page >> 9][page & 511] |= DIRTY;
	*entry |= DIRTY;
	counters[DIRTIED]++;
}

/* Way of the set that has the tag, or WAYS. */
static inline u32 find_way(const struct tlb_set *set, u32 tag)
{
#ifdef __SSE2__
	__m128i tags = _mm_loadu_si128((const __m128i *)set->tag);
	int match = _mm_movemask_ps(_mm_castsi128_ps(_mm_cmpeq_epi32(tags, _mm_set1_epi32((int)tag))));
	return match ? (u32)__builtin_ctz((u32)match) : WAYS;
#else
	for (u32 way = 0; way < WAYS; way++)
		if (set->tag[way] == tag)
			return way;
	return WAYS;
#endif
}

/* One access. Returns the node of the memory it reached. */
static inline u32 access_page(u32 page, u32 cpu, u32 is_write)
{
	u32 at = cpu * SETS + (page & (SETS - 1)), way, entry;
	struct tlb_set *set = &tlb[at];

	way = find_way(set, page + 1);
	if (__builtin_expect(way < WAYS, 1)) {
		entry = set->entry[way];
		if (__builtin_expect(is_write << 1 & ~entry & DIRTY, 0)) /* one jump: writes come at random */
			set_dirty(page, &set->entry[way]);
	} else {
		entry = walk(page, cpu, is_write);
		way = next_way[at]++ & (WAYS - 1);
		set->tag[way] = page + 1;
		set->entry[way] = entry;
	}
	return entry >> (ENTRY_SHIFT + node_shift);
}

/* ---- the loops that are timed ---- */

static COLD void make_accesses(u32 from, u32 until)
{
	for (u32 i = from; i < until; i++) {
		u32 cpu = seq_cpu[i] & 7;
		accesses[node_of_cpu[cpu] * NODES + access_page(seq_page[i], cpu, seq_cpu[i] >> 7)]++;
	}
}

/* Latency under load: 1 + u/2 + 3u^8/4 at the u where demand and delivery meet. */
static COLD double settled_factor(double demand)
{
	double u = demand < 1 ? demand : 1;

	if (demand <= 0)
		return 1;
	if (demand >= 2.25)
		return demand;
	for (int i = 0; i < 32; i++) {
		double u8th = u * u * u * u * u * u * u * u;
		double step = (u * (1 + 0.5 * u + 0.75 * u8th) - demand) / (1 + u + 6.75 * u8th);
		u -= step;
		if (step < 1e-9)
			break;
	}
	return 1 + 0.5 * u + 0.75 * u * u * u * u * u * u * u * u;
}

/* Virtual time has come to `now`: the load of the last epoch slows the next one. */
static COLD void close_epoch(double now)
{
	double length = now - costs.epoch_start;

	costs.epoch_start = now;
	costs.epoch_end = now + 100000;
	for (u32 node = 0; node < NODES; node++) {
		double wanted = 0;
		for (u32 cpu_node = 0; cpu_node < NODES; cpu_node++) {
			u32 link = cpu_node * NODES + node;
			wanted += costs.wanted[link];
			costs.link_factor[link] = settled_factor(costs.wanted[link] / (costs.peak[link] * length));
			costs.wanted[link] = 0;
		}
		costs.node_factor[node] = settled_factor(wanted / (costs.peak[node * NODES + node] * length));
	}
}

/* Rows of one quantum of the thread that runs on `cpu`. */
static COLD void run_quantum(u32 from, u32 until, u32 cpu)
{
	u32 row = node_of_cpu[cpu] * NODES;
	double walks_before = (double)counters[MISSES], spent = 0, walked, least;

	if (costs.cpu_ns[cpu] > costs.thread_ns[cpu])
		costs.thread_ns[cpu] = costs.cpu_ns[cpu];
	for (u32 i = from; i < until; i++) {
		u32 node = access_page(seq_page[i], cpu, seq_cpu[i] >> 7), link = row + node;
		u32 count = row_count[i], miss = row_miss[i];
		double factor, ns = count - miss;
		costs.accesses[link] += count;
		costs.misses[link] += miss;
		if (miss > 0) {
			factor = costs.link_factor[link] > costs.node_factor[node] ? costs.link_factor[link] : costs.node_factor[node];
			ns += miss * costs.idle_ns[link] * factor;
			costs.wanted[link] += miss * 64.0 * factor;
		}
		spent += ns;
	}
	walked = ((double)counters[MISSES] - walks_before) * 30;
	costs.total_ns += spent + walked;
	costs.thread_ns[cpu] += spent + walked;
	costs.cpu_ns[cpu] = costs.thread_ns[cpu];
	least = costs.thread_ns[0];
	for (u32 i = 1; i < CPUS; i++)
		if (costs.thread_ns[i] < least)
			least = costs.thread_ns[i];
	if (least >= costs.epoch_end)
		close_epoch(least);
}

static COLD void replay_rows(u32 from, u32 until)
{
	for (u32 i = from; i < until; i += QUANTUM)
		run_quantum(i, i + QUANTUM, seq_cpu[i] & 7);
}

/* ---- set-up ---- */

static uint64_t random_state;
static u32 random_below(u32 n) /* splitmix64 */
{
	uint64_t z = random_state += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (u32)(((z ^ z >> 31) >> 32) * n >> 32);
}

static void *allocate(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED) {
		perror("reference: mmap");
		exit(1);
	}
	madvise(p, bytes, MADV_HUGEPAGE);
	return p;
}

/* 0 .. n-1, shuffled or as they are. */
static u32 *numbers(u32 n, int is_random)
{
	u32 *all = allocate(sizeof *all * n);
	for (u32 i = 0; i < n; i++)
		all[i] = i;
	for (u32 i = n - 1; is_random && i > 0; i--) {
		u32 j = random_below(i + 1), kept = all[i];
		all[i] = all[j];
		all[j] = kept;
	}
	return all;
}

struct setup {
	int is_fault, is_misplaced, is_random;
	u32 *slot_order;        /* pages in the order in which they got their slots */
	u32 *touch_order;       /* in which they are touched */
	u32 *node_frames[NODES]; /* frames of a node in the order in which they are used */
};

/* Where the page lies, given who touches it. */
static u32 node_for(const char *policy, u32 page, u32 *cpu, int is_misplaced)
{
	u32 node;

	if (!strcmp(policy, "bind"))
		return is_misplaced ? 3 * random_below(2) : 1 + random_below(2);
	if (!strcmp(policy, "interleave"))
		node = page % NODES;
	else if (!strcmp(policy, "preferred"))
		node = 2;
	else
		node = node_of_cpu[*cpu];
	return is_misplaced ? (node + 1 + random_below(NODES - 1)) % NODES : node;
}

/* All pages placed: mapped, or in the swap cache only. */
static void place(const struct setup *setup, const char *policy)
{
	u32 used[NODES] = {0};

	random_state = 2;
	for (u32 node = 0; node < NODES; node++) {
		u32 head = frame_count + node;
		frames[head].next = frames[head].previous = head;
		listed[node] = free_top[node] = 0;
	}
	for (u32 slot = 0; slot < page_count; slot++) {
		u32 page = setup->slot_order[slot], cpu = random_below(CPUS), node, frame;
		node = node_for(policy, page, &cpu, setup->is_misplaced);
		frame = setup->node_frames[node][used[node]++];
		frames[frame] = (struct frame){
			.flags = SWAPCACHE | ON_LIST | UPTODATE, .mapping = 1, .index = page, .slot = slot + 1,
			.mapcount = !setup->is_fault, .refcount = 1 + !setup->is_fault,
		};
		list_add(frame_count + node, frame);
		listed[node]++;
		slot_frame[slot] = frame;
		slot_users[slot] = 2;
		leaves[page] = setup->is_fault ? (slot + 1) << ENTRY_SHIFT : frame << ENTRY_SHIFT | PRESENT | YOUNG | WRITABLE;
		if (setup->is_fault)
			seq_cpu[page] = (u8)(cpu | (random_below(4) == 0 ? 0x80 : 0));
	}
	for (u32 node = 0; node < NODES; node++)
		for (u32 i = (1u << node_shift) - (node == 0); i > used[node]; i--)
			free_stack[node][free_top[node]++] = setup->node_frames[node][i - 1];
	memset(tlb, 0, sizeof *tlb * CPUS * SETS);
	memset(next_way, 0, CPUS * SETS);
}

/* `seq_cpu` is by page until here: now by place in the sequence. */
static void order_faults(const struct setup *setup)
{
	u8 *by_page = malloc(page_count);
	memcpy(by_page, seq_cpu, page_count);
	for (u32 i = 0; i < page_count; i++) {
		seq_page[i] = setup->touch_order[i];
		seq_cpu[i] = by_page[setup->touch_order[i]];
	}
	free(by_page);
}

static void fill_sequence(const char *name)
{
	int is_hot = strcmp(name, "miss-present") != 0, is_rows = !strcmp(name, "replay-tlb-hit");
	u32 cpu = 0;

	random_state = 3;
	row_count = allocate(sizeof *row_count * SEQUENCE);
	row_miss = allocate(sizeof *row_miss * SEQUENCE);
	for (u32 i = 0; i < SEQUENCE; i++) {
		if (!is_rows || i % QUANTUM == 0)
			cpu = is_rows ? i / QUANTUM % CPUS : random_below(CPUS);
		seq_page[i] = is_hot ? 2 * (cpu * HOT + random_below(HOT)) : random_below(page_count);
		seq_cpu[i] = (u8)(cpu | (random_below(4) == 0 ? 0x80 : 0));
		row_miss[i] = random_below(8) == 0;
		row_count[i] = 1 + random_below(2) * random_below(7);
	}
}

static u32 checksum(void) /* FNV-1a over 32-bit words */
{
	u32 hash = 2166136261u;
#define MIX(word) (hash = (hash ^ (u32)(word)) * 16777619u)
	for (u32 i = 0; i < NODES * NODES; i++)
		MIX(accesses[i]), MIX(moves[i]), MIX((uint64_t)costs.accesses[i]), MIX((uint64_t)costs.misses[i]);
	for (u32 i = 0; i < COUNTERS; i++)
		MIX(counters[i]);
	MIX((uint64_t)costs.total_ns);
	for (u32 i = 0; i < NODES; i++)
		MIX(free_top[i]), MIX(listed[i]);
	for (u32 page = 0; page < page_count; page++) {
		u32 entry = leaves[page];
		MIX(entry);
		if (entry & PRESENT) {
			const struct frame *f = &frames[entry >> ENTRY_SHIFT];
			MIX(f->flags), MIX(f->mapcount), MIX(f->refcount), MIX(f->index), MIX(slot_frame[f->slot - 1]);
		}
	}
	return hash;
}

static double now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void usage(void)
{
	fprintf(stderr, "usage: reference tlb-hit|miss-present|swap-cache-well-placed|swap-cache-misplaced|replay-tlb-hit "
		"default|bind|interleave|preferred PAGES random|page 0|1 MILLISECONDS\n");
	exit(2);
}

int main(int argc, char **argv)
{
	static double samples[MAX_SAMPLES];
	struct setup setup = {0};
	u32 made = 0, length, sum = 0;
	int sweeps = 0, is_rows, has_contents;
	double started, spent = 0, milliseconds;

	if (argc != 7)
		usage();
	is_rows = !strcmp(argv[1], "replay-tlb-hit");
	setup.is_misplaced = !strcmp(argv[1], "swap-cache-misplaced");
	setup.is_fault = setup.is_misplaced || !strcmp(argv[1], "swap-cache-well-placed");
	if (!is_rows && !setup.is_fault && strcmp(argv[1], "tlb-hit") && strcmp(argv[1], "miss-present"))
		usage();
	for (size_t i = 0; i < sizeof policies / sizeof *policies; i++)
		if (!strcmp(argv[2], policies[i].name))
			area.misplaced = policies[i].misplaced;
	page_count = (u32)strtoul(argv[3], NULL, 10);
	setup.is_random = !strcmp(argv[4], "random");
	has_contents = !strcmp(argv[5], "1");
	milliseconds = atof(argv[6]);
	if (area.misplaced == NULL || page_count < 2 * CPUS * HOT || page_count % SAMPLE != 0 || milliseconds <= 0)
		usage();
	while (1u << node_shift < page_count)
		node_shift++;
	frame_count = NODES << node_shift;
	area = (struct area){page_count, NODES, 1 << 1 | 1 << 2, 2, {0, 1, 2, 3}, area.misplaced};

	frames = allocate(sizeof *frames * (frame_count + NODES));
	leaves = allocate(sizeof *leaves * (page_count + 512));
	directory = allocate(sizeof *directory * (page_count / 512 + 1));
	for (u32 i = 0; i <= page_count / 512; i++)
		directory[i] = leaves + (size_t)i * 512;
	tlb = allocate(sizeof *tlb * CPUS * SETS);
	next_way = allocate(CPUS * SETS);
	slot_frame = allocate(sizeof *slot_frame * page_count);
	slot_users = allocate(page_count);
	length = setup.is_fault ? page_count : SEQUENCE;
	seq_page = allocate(sizeof *seq_page * length);
	seq_cpu = allocate(length);
	random_state = 1;
	setup.slot_order = numbers(page_count, setup.is_random);
	setup.touch_order = numbers(page_count, setup.is_random);
	for (u32 node = 0; node < NODES; node++) {
		u32 first = (node << node_shift) + (node == 0), count = (1u << node_shift) - (node == 0); /* frame 0 is none */
		free_stack[node] = allocate(sizeof(u32) << node_shift);
		setup.node_frames[node] = numbers(count, setup.is_random);
		for (u32 i = 0; i < count; i++)
			setup.node_frames[node][i] += first;
	}
	if (has_contents)
		memory = allocate((size_t)frame_count * 4096);
	for (u32 from = 0; from < NODES; from++) {
		for (u32 to = 0; to < NODES; to++) {
			u32 link = from * NODES + to;
			costs.idle_ns[link] = (from == to ? 80 : 140) / 2.0;
			costs.peak[link] = from == to ? 100 : 50;
			costs.link_factor[link] = 1;
		}
		costs.node_factor[from] = 1;
	}
	costs.epoch_end = 100000;

	if (!setup.is_fault) {
		place(&setup, argv[2]);
		fill_sequence(argv[1]);
	}
	/* Half as long again, for warming up: its samples are written over. */
	for (int is_warm = 0; is_warm < 2; is_warm++) {
		made = 0;
		spent = 0;
		while (spent < milliseconds * (is_warm ? 1e6 : 5e5) && made + length / SAMPLE < MAX_SAMPLES) {
			if (setup.is_fault) {
				place(&setup, argv[2]);
				order_faults(&setup);
				for (u32 f = 1; has_contents && sweeps == 0 && f < frame_count; f++)
					if (frames[f].mapping != 0)
						memset(memory + (size_t)f * 4096, (int)f, 4096);
			}
			for (u32 i = 0; i < length; i += SAMPLE) {
				started = now_ns();
				if (is_rows)
					replay_rows(i, i + SAMPLE);
				else
					make_accesses(i, i + SAMPLE);
				samples[made] = now_ns() - started;
				spent += samples[made++];
			}
			if (sweeps++ == 0)
				sum = checksum();
		}
	}
	if (counters[FAULTS] != (setup.is_fault ? (uint64_t)sweeps * length : 0) ||
	    counters[MOVED] != (setup.is_misplaced ? counters[FAULTS] : 0)) {
		fprintf(stderr, "reference: %llu faults and %llu moves in %d sweeps of %u\n", (unsigned long long)counters[FAULTS],
			(unsigned long long)counters[MOVED], sweeps, length);
		return 1;
	}
	qsort(samples, made, sizeof *samples, ascending);
	printf("{\"case\":\"%s\",\"policy\":\"%s\",\"pages\":%u,\"order\":\"%s\",\"contents\":%d,\"samples\":%u,"
	       "\"ns\":%.3f,\"p25\":%.3f,\"p75\":%.3f,\"checksum\":\"%08x\"}\n",
	       argv[1], argv[2], page_count, argv[4], has_contents, made, samples[made / 2] / SAMPLE,
	       samples[made / 4] / SAMPLE, samples[made * 3 / 4] / SAMPLE, sum);
	return 0;
}
