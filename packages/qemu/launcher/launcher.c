/*
 * Starts QEMU out of a package: without a C library of the host, an installed QEMU or a shell. One program under two names.
 *
 *   bin/qemu-system-ARCH ARGUMENTS       runs libexec/qemu-system-ARCH with the dynamic loader and the libraries of lib/
 *   bin/coldboot-tie PID FILE ARGUMENTS  runs FILE, which the kernel kills when the thread that started it ends. PID is the
 *                                        process of that thread: if it is gone already, nothing is started
 *
 * Exit codes of its own: 125 the parent is gone, 126 the program cannot be run, 127 the program or its loader is missing.
 */
#include "../../guest/agent/system.h"
#include <linux/auxvec.h>
#include <linux/prctl.h>

#define PATH_MAX 4096
/* An option is longer than a path only by its name. */
#define ARGUMENTS_BEFORE 6

#if defined(__x86_64__)
#define LOADER "/lib/ld-linux-x86-64.so.2"
#elif defined(__aarch64__)
#define LOADER "/lib/ld-linux-aarch64.so.1"
#else
#error "Name the dynamic loader of this architecture."
#endif

static char self[PATH_MAX], loader[PATH_MAX], libraries[PATH_MAX], program[PATH_MAX];

static size_t length_of(const char *text)
{
	size_t length = 0;
	while (text[length])
		length++;
	return length;
}

static int starts_with(const char *text, const char *start)
{
	while (*start)
		if (*text++ != *start++)
			return 0;
	return 1;
}

static void say(const char *text)
{
	sys3(__NR_write, 2, text, length_of(text));
}

__attribute__((noreturn)) static void leave(int code, const char *what, const char *path)
{
	say("coldboot: ");
	say(what);
	say(path);
	say("\n");
	for (;;)
		sys1(__NR_exit_group, code);
}

__attribute__((noreturn)) static void run(const char *path, char **argv, char **environment)
{
	long error = sys3(__NR_execve, path, argv, environment);
	if (error == -ENOENT)
		leave(127, "there is no program ", path);
	leave(126, "cannot run ", path);
}

static void join(char *to, const char *directory, size_t length, const char *rest, const char *name)
{
	if (length + length_of(rest) + length_of(name) >= PATH_MAX)
		leave(126, "the path is too long: ", directory);
	memcpy(to, directory, length);
	memcpy(to + length, rest, length_of(rest));
	memcpy(to + length + length_of(rest), name, length_of(name) + 1);
}

/* The path of this file; the kernel says how it was called when /proc is not mounted. */
static void find_self(char **environment)
{
	long length = sys4(__NR_readlinkat, AT_FDCWD, "/proc/self/exe", self, PATH_MAX - 1);
	if (length > 0) {
		self[length] = 0;
		return;
	}
	while (*environment)
		environment++;
	for (unsigned long *entry = (unsigned long *)(environment + 1); entry[0] != AT_NULL; entry += 2)
		if (entry[0] == AT_EXECFN)
			join(self, "", 0, (const char *)entry[1], "");
}

static unsigned long number(const char *text)
{
	unsigned long value = 0;
	while (*text >= '0' && *text <= '9')
		value = value * 10 + (unsigned long)(*text++ - '0');
	return value;
}

__attribute__((noreturn)) static void tie(long argc, char **argv, char **environment)
{
	if (argc < 3)
		leave(126, "usage: coldboot-tie PID FILE ARGUMENTS", "");
	sys2(__NR_prctl, PR_SET_PDEATHSIG, SIGKILL);
	/* The parent may have ended before that, and then no signal ever comes. */
	if ((unsigned long)sys0(__NR_getppid) != number(argv[1]))
		leave(125, "the parent is gone: ", argv[1]);
	run(argv[2], argv + 2, environment);
}

/* The stack as the kernel leaves it: count of the arguments, arguments, 0, variables, 0, auxiliary vector. */
__attribute__((noreturn)) void start(long *stack)
{
	long argc = stack[0];
	char **argv = (char **)(stack + 1), **environment = argv + argc + 1;
	find_self(environment);
	size_t name = length_of(self);
	while (name > 0 && self[name - 1] != '/')
		name--;
	if (starts_with(self + name, "coldboot-tie"))
		tie(argc, argv, environment);

	/* The folder above the one of this file. */
	size_t root = name > 0 ? name - 1 : 0;
	while (root > 0 && self[root - 1] != '/')
		root--;
	root = root > 0 ? root - 1 : 0;
	join(loader, self, root, LOADER, "");
	join(libraries, self, root, "/lib", "");
	join(program, self, root, "/libexec/", self + name);

	/* Libraries of the host, named by such a variable, are not made for the C library of the package. */
	char **kept = environment;
	for (char **variable = environment; *variable; variable++)
		if (!starts_with(*variable, "LD_"))
			*kept++ = *variable;
	*kept = 0;

	char *before[ARGUMENTS_BEFORE] = { loader, "--inhibit-cache", "--library-path", libraries, program };
	/* The stack grows by a copy of the pointers. */
	char *arguments[ARGUMENTS_BEFORE + argc];
	int count = 0;
	while (before[count]) {
		arguments[count] = before[count];
		count++;
	}
	for (long i = 1; i < argc; i++)
		arguments[count++] = argv[i];
	arguments[count] = 0;
	run(loader, arguments, environment);
}
