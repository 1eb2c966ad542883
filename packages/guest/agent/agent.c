/*
 * Runs commands and transfers files in the guest for the test. Exchanges frames with the host over a virtio-serial port, whose
 * path is the program's argument. Uses no library and no heap, so that it works in any guest and starts quickly.
 *
 * A frame: length of the payload (4 bytes), type (1), id of the request (4), payload. Numbers are little-endian.
 *
 *   to the guest                                     from the guest
 *   PING   nonce (16)                                PONG   nonce, version (4)
 *   INPUT  standard input of a later EXEC
 *   EXEC   directory NUL, count (4) of variables,    OUT, ERR  bytes
 *          variables NUL each, command NUL           EXIT   status of wait(2) (4)
 *   KILL   signal (4): to the command's session;     FAIL   errno (4), stage (1)
 *          before its EXEC, drops its input
 *   READ   path NUL                                  DATA   bytes
 *                                                    DONE   size (8), CRC-32 (4), mode (4)
 *   WRITE  mode (4) or KEEP_MODE, append (1),
 *          path NUL
 *   DATA   bytes
 *   END    stops a READ, too                         DONE   size, CRC-32 and mode of the file
 *   CLOCK  seconds since 1970 (8), nanoseconds (4)   DONE
 *   RESEED random bytes                              DONE
 *                                                    HELLO  version (4): the agent has started or restarted
 */
#include "system.h"

#define VERSION 1

enum { PING = 1, INPUT, EXEC, KILL, READ, WRITE, DATA, END, CLOCK, RESEED };
enum { HELLO = 128, PONG, OUT, ERR, EXIT, FAIL, FILE_DATA, DONE };

/* The step that failed, in a FAIL frame. */
enum { AT_START, AT_DIRECTORY, AT_FILE };

#define HEADER 9
#define NONCE 16
/* The port's driver accepts 32 KiB per write. */
#define CHUNK (32 * 1024 - HEADER)
#define LONGEST_FRAME (1024 * 1024)
#define COMMANDS 64
/* Commands whose input was dropped and whose EXEC has not arrived yet. */
#define REFUSED 1024
#define FILES 16
#define VARIABLES 512
/* Keeps the mode of an existing file; a new file gets 0666 without the bits of the umask. */
#define KEEP_MODE 0xffffffffu

struct command {
	u32 id;
	int pid;
	/* Standard input, collected before the command runs. */
	int input;
	/* Why the input is not complete, -errno. */
	int error;
	int out, err;
	/* Goes through these states in order. LEFT: the command has ended, but other processes hold its output open. */
	enum { FREE, PREPARED, RUNNING, LEFT } state;
};

struct file {
	u32 id;
	int fd;
	int used, reading;
	int error;
	u32 crc, mode;
	u64 size;
};

static int port, signals;
/* Stay open, because an open in a restored guest takes 3 ms without hardware acceleration. */
static int null_device = -1, random_device = -1;
static u8 in[HEADER + LONGEST_FRAME];
static size_t received;
static u8 frame[HEADER + CHUNK];
static struct command commands[COMMANDS];
/* Their ids, and the place of the next one. 0 in an unused place. */
static u32 refused[REFUSED];
static int next_refused;
static struct file files[FILES];
static char **environment;

/* Parameters of the child process. It shares our memory until it execs, so that we read its `error` and `stage`. */
static struct {
	const char *directory;
	const char *argv[4];
	char *variables[VARIABLES];
	int input, out, err;
	volatile int error, stage;
} child;

static u32 get32(const u8 *at)
{
	return at[0] | at[1] << 8 | at[2] << 16 | (u32)at[3] << 24;
}

static u64 get64(const u8 *at)
{
	return get32(at) | (u64)get32(at + 4) << 32;
}

static void put32(u8 *at, u32 value)
{
	for (int i = 0; i < 4; i++, value >>= 8)
		at[i] = (u8)value;
}

static void put64(u8 *at, u64 value)
{
	put32(at, (u32)value);
	put32(at + 4, (u32)(value >> 32));
}

static size_t length_of(const char *text)
{
	size_t length = 0;
	while (text[length])
		length++;
	return length;
}

static u32 crc32(u32 crc, const u8 *data, size_t length)
{
	static u32 table[256];
	if (table[1] == 0)
		for (u32 i = 0; i < 256; i++) {
			u32 c = i;
			for (int bit = 0; bit < 8; bit++)
				c = c & 1 ? c >> 1 ^ 0xedb88320u : c >> 1;
			table[i] = c;
		}
	crc = ~crc;
	while (length-- > 0)
		crc = table[(crc ^ *data++) & 255] ^ crc >> 8;
	return ~crc;
}

static void wait_a_moment(void)
{
	static const long moment[2] = { 0, 20000000 };
	sys5(__NR_ppoll, 0, 0, (long)moment, 0, 8);
}

/* Writes all bytes. Retries while the host is not ready. */
static void write_port(const u8 *data, size_t length)
{
	while (length > 0) {
		long n = sys3(__NR_write, port, data, length);
		if (n > 0) {
			data += n;
			length -= (size_t)n;
		} else if (n != -EINTR) {
			wait_a_moment();
		}
	}
}

/* Sends a frame whose payload is already in `frame`. */
static void send_frame(u8 type, u32 id, size_t length)
{
	put32(frame, (u32)length);
	frame[4] = type;
	put32(frame + 5, id);
	write_port(frame, HEADER + length);
}

static void send_number(u8 type, u32 id, u32 number)
{
	put32(frame + HEADER, number);
	send_frame(type, id, 4);
}

static void send_failure(u32 id, long error, u8 stage)
{
	put32(frame + HEADER, (u32)-error);
	frame[HEADER + 4] = stage;
	send_frame(FAIL, id, 5);
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		sys1(__NR_close, *fd);
	*fd = -1;
}

/* Returns the descriptor, or -errno. */
static int keep_open(int *fd, const char *path, int flags)
{
	if (*fd < 0)
		*fd = (int)sys4(__NR_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0);
	return *fd;
}

static int open_null(void)
{
	return keep_open(&null_device, "/dev/null", O_RDONLY);
}

static int open_random(void)
{
	return keep_open(&random_device, "/dev/random", O_RDWR);
}

/* ---- commands ---- */

static struct command *find_command(u32 id)
{
	for (int i = 0; i < COMMANDS; i++)
		if ((commands[i].state == PREPARED || commands[i].state == RUNNING) && commands[i].id == id)
			return &commands[i];
	return 0;
}

/* Finds the command, or a place for it. If all are used, takes that of the longest ended command, whose output is not sent. */
static struct command *new_command(u32 id)
{
	struct command *command = find_command(id);
	if (command != 0)
		return command;
	for (int i = 0; i < COMMANDS; i++) {
		if (commands[i].state == FREE) {
			command = &commands[i];
			break;
		}
		if (commands[i].state == LEFT && (command == 0 || id - commands[i].id > id - command->id))
			command = &commands[i];
	}
	if (command == 0)
		return 0;
	if (command->state == LEFT) {
		close_fd(&command->out);
		close_fd(&command->err);
	}
	*command = (struct command){ .id = id, .input = -1, .out = -1, .err = -1, .state = PREPARED };
	return command;
}

static void drop_command(struct command *command)
{
	close_fd(&command->input);
	command->state = FREE;
}

/* Returns the place of a refused id; 0 if it is none. */
static u32 *find_refused(u32 id)
{
	for (int i = 0; i < REFUSED; i++)
		if (id != 0 && refused[i] == id)
			return &refused[i];
	return 0;
}

/* Forgets a refused id. Returns whether it was one. */
static int was_refused(u32 id)
{
	u32 *place = find_refused(id);
	if (place != 0)
		*place = 0;
	return place != 0;
}

static long write_all(int fd, const u8 *data, size_t length)
{
	while (length > 0) {
		long n = sys3(__NR_write, fd, data, length);
		if (n < 0 && n != -EINTR)
			return n;
		if (n > 0) {
			data += n;
			length -= (size_t)n;
		}
	}
	return 0;
}

static void on_input(u32 id, const u8 *data, size_t length)
{
	/* Later input of a refused command must not start the command with only a part of its input. */
	struct command *command = find_refused(id) ? 0 : new_command(id);
	if (command == 0) {
		if (find_refused(id) == 0) {
			refused[next_refused] = id;
			next_refused = (next_refused + 1) % REFUSED;
		}
		return;
	}
	if (command->state != PREPARED || command->error != 0)
		return;
	if (command->input < 0)
		command->error = command->input = (int)sys2(__NR_memfd_create, "input", MFD_CLOEXEC);
	if (command->input >= 0)
		command->error = (int)write_all(command->input, data, length);
	/* The guest may be out of memory, which the input so far uses. */
	if (command->error != 0)
		close_fd(&command->input);
}

/* Runs in the child, on our stack: must only make system calls and must not return. */
__attribute__((noinline, noreturn)) static void become_command(void)
{
	static const u64 none;
	long error;
	sys0(__NR_setsid);
	sys4(__NR_rt_sigprocmask, SIG_SETMASK, &none, 0, 8);
	child.stage = AT_DIRECTORY;
	error = child.directory[0] ? sys1(__NR_chdir, child.directory) : 0;
	if (error == 0) {
		child.stage = AT_START;
		sys3(__NR_dup3, child.input, 0, 0);
		sys3(__NR_dup3, child.out, 1, 0);
		sys3(__NR_dup3, child.err, 2, 0);
		error = sys3(__NR_execve, child.argv[0] = "/bin/sh", child.argv, child.variables);
	}
	child.error = (int)error;
	for (;;)
		sys1(__NR_exit_group, 127);
}

static int same_name(const char *a, const char *b)
{
	for (; *a == *b && *a != 0; a++, b++)
		if (*a == '=')
			return 1;
	return 0;
}

/* Sets the command's variables, and those of the agent with other names. */
static int set_variables(char *given, u32 count)
{
	u32 all = 0;
	for (; count > 0; count--, given += length_of(given) + 1) {
		if (all == VARIABLES - 1)
			return 0;
		child.variables[all++] = given;
	}
	u32 own = all;
	for (char **variable = environment; *variable; variable++) {
		u32 i = 0;
		while (i < own && !same_name(*variable, child.variables[i]))
			i++;
		if (i == own && all < VARIABLES - 1)
			child.variables[all++] = *variable;
	}
	child.variables[all] = 0;
	return 1;
}

static long spawn(struct command *command)
{
	int out[2] = { -1, -1 }, err[2] = { -1, -1 };
	long pid = sys2(__NR_pipe2, out, O_CLOEXEC);
	if (pid == 0)
		pid = sys2(__NR_pipe2, err, O_CLOEXEC);
	if (pid == 0) {
		/* Only our ends are non-blocking. */
		sys3(__NR_fcntl, out[0], F_SETFL, O_NONBLOCK);
		sys3(__NR_fcntl, err[0], F_SETFL, O_NONBLOCK);
		if (command->input >= 0)
			sys3(__NR_lseek, command->input, 0, 0);
		child.input = command->input >= 0 ? command->input : open_null();
		pid = child.input < 0 ? child.input : 0;
	}
	if (pid == 0) {
		child.out = out[1];
		child.err = err[1];
		child.error = 0;
		pid = clone(CLONE_VM | CLONE_VFORK | SIGCHLD);
		if (pid == 0)
			become_command();
		if (pid > 0 && child.error != 0) {
			sys4(__NR_wait4, pid, 0, 0, 0);
			pid = child.error;
		}
	}
	close_fd(&command->input);
	close_fd(&out[1]);
	close_fd(&err[1]);
	if (pid < 0) {
		close_fd(&out[0]);
		close_fd(&err[0]);
	}
	command->out = out[0];
	command->err = err[0];
	return pid;
}

static void on_exec(u32 id, char *payload, size_t length)
{
	struct command *command = was_refused(id) ? 0 : new_command(id);
	char *variables = payload + length_of(payload) + 1 + 4;
	char *text = variables;
	u32 count = get32((u8 *)variables - 4);
	long pid = -E2BIG;
	if (command == 0) {
		send_failure(id, -EAGAIN, AT_START);
		return;
	}
	for (u32 i = 0; i < count && text < payload + length; i++)
		text += length_of(text) + 1;
	child.directory = payload;
	child.argv[1] = "-c";
	child.argv[2] = text;
	child.stage = AT_START;
	if (command->error != 0)
		pid = command->error;
	else if (set_variables(variables, count))
		pid = spawn(command);
	if (pid > 0) {
		command->pid = (int)pid;
		command->state = RUNNING;
		return;
	}
	drop_command(command);
	send_failure(id, pid, (u8)child.stage);
}

/* Forwards available output, up to `most` bytes. Returns 0 at its end. */
static int pass_on(struct command *command, int *fd, u8 type, int most)
{
	while (most > 0 && *fd >= 0) {
		long n = sys3(__NR_read, *fd, frame + HEADER, most < CHUNK ? most : CHUNK);
		if (n == -EAGAIN || n == -EINTR)
			return 1;
		if (n <= 0) {
			close_fd(fd);
			return 0;
		}
		if (command->state == RUNNING)
			send_frame(type, command->id, (size_t)n);
		most -= (int)n;
	}
	return *fd >= 0;
}

static void free_if_over(struct command *command)
{
	if (command->state == LEFT && command->out < 0 && command->err < 0)
		command->state = FREE;
}

static void on_exit(struct command *command, int status)
{
	int left = 0;
	/* Forwards the output so far. Other processes may go on writing. */
	if (command->out >= 0 && sys3(__NR_ioctl, command->out, FIONREAD, &left) == 0)
		pass_on(command, &command->out, OUT, left);
	if (command->err >= 0 && sys3(__NR_ioctl, command->err, FIONREAD, &left) == 0)
		pass_on(command, &command->err, ERR, left);
	send_number(EXIT, command->id, (u32)status);
	command->state = LEFT;
}

static void reap(void)
{
	u8 info[128];
	int status;
	long pid;
	sys3(__NR_read, signals, info, sizeof info);
	while ((pid = sys4(__NR_wait4, -1, &status, WNOHANG, 0)) > 0)
		for (int i = 0; i < COMMANDS; i++)
			if (commands[i].state == RUNNING && commands[i].pid == pid)
				on_exit(&commands[i], status);
}

/* ---- files ---- */

static struct file *find_file(u32 id)
{
	for (int i = 0; i < FILES; i++)
		if (files[i].used && files[i].id == id)
			return &files[i];
	return 0;
}

static void send_done(const struct file *file)
{
	put64(frame + HEADER, file->size);
	put32(frame + HEADER + 8, file->crc);
	put32(frame + HEADER + 12, file->mode);
	send_frame(DONE, file->id, 16);
}

static void end_file(struct file *file)
{
	struct statx info;
	if (file->error == 0)
		file->error = (int)sys5(__NR_statx, file->fd, (long)"", AT_EMPTY_PATH, STATX_MODE, (long)&info);
	close_fd(&file->fd);
	file->used = 0;
	file->mode = info.stx_mode;
	if (file->error != 0)
		send_failure(file->id, file->error, AT_FILE);
	else
		send_done(file);
}

static void on_open(u32 id, const char *path, int flags, u32 mode, int reading)
{
	struct file *file = 0;
	long fd = -EMFILE;
	for (int i = 0; i < FILES; i++)
		if (!files[i].used)
			file = &files[i];
	if (file != 0)
		fd = sys4(__NR_openat, AT_FDCWD, path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
			  mode == KEEP_MODE ? 0666 : mode);
	if (fd >= 0) {
		*file = (struct file){ .id = id, .fd = (int)fd, .used = 1, .reading = reading };
		/* Sets the mode independently of the umask, also of an existing file. */
		if (!reading && mode != KEEP_MODE)
			file->error = (int)sys2(__NR_fchmod, fd, mode);
	} else {
		send_failure(id, fd, AT_FILE);
	}
}

static void on_data(u32 id, const u8 *data, size_t length)
{
	struct file *file = find_file(id);
	if (file == 0 || file->error != 0)
		return;
	file->error = (int)write_all(file->fd, data, length);
	file->crc = crc32(file->crc, data, length);
	file->size += length;
}

/* Reads one chunk, so that commands are served between two chunks. */
static void read_on(struct file *file)
{
	long n = sys3(__NR_read, file->fd, frame + HEADER, CHUNK);
	if (n == -EINTR)
		return;
	if (n < 0)
		file->error = (int)n;
	if (n <= 0) {
		end_file(file);
		return;
	}
	file->crc = crc32(file->crc, frame + HEADER, (size_t)n);
	file->size += (u64)n;
	send_frame(FILE_DATA, file->id, (size_t)n);
}

/* ---- after a restore ---- */

static void on_clock(u32 id, const u8 *payload)
{
	struct { u64 seconds, nanoseconds; } time = { get64(payload), get32(payload + 8) };
#ifdef __NR_clock_settime64
	long error = sys2(__NR_clock_settime64, CLOCK_REALTIME, &time);
#else
	long error = sys2(__NR_clock_settime, CLOCK_REALTIME, &time);
#endif
	if (error != 0)
		send_failure(id, error, AT_START);
	else
		send_frame(DONE, id, 0);
}

static void on_reseed(u32 id, const u8 *bytes, size_t length)
{
	static struct { int bits, size; u8 bytes[512]; } pool;
	int fd = open_random();
	long error = fd;
	if (length > sizeof pool.bytes)
		length = sizeof pool.bytes;
	if (fd >= 0) {
		pool.bits = (int)(length * 8);
		pool.size = (int)length;
		memcpy(pool.bytes, bytes, length);
		error = sys3(__NR_ioctl, fd, RNDADDENTROPY, &pool);
		/* Kernels since 4.14 use the new entropy at once only after this call. Older ones reseed by themselves. */
		sys3(__NR_ioctl, fd, RNDRESEEDCRNG, 0);
		memset(pool.bytes, 0, length);
	}
	if (error != 0)
		send_failure(id, error, AT_START);
	else
		send_frame(DONE, id, 0);
}

/* ---- frames ---- */

/* The host is trusted to send well-formed payloads. */
static void on_frame(u8 type, u32 id, u8 *payload, size_t length)
{
	struct command *command;
	struct file *file;
	switch (type) {
	case PING:
		memcpy(frame + HEADER, payload, NONCE);
		put32(frame + HEADER + NONCE, VERSION);
		send_frame(PONG, id, NONCE + 4);
		break;
	case INPUT:
		on_input(id, payload, length);
		break;
	case EXEC:
		on_exec(id, (char *)payload, length);
		break;
	case KILL:
		command = find_command(id);
		if (command != 0 && command->state == RUNNING)
			sys2(__NR_kill, -command->pid, get32(payload));
		else if (command != 0)
			drop_command(command);
		else
			was_refused(id);
		break;
	case READ:
		on_open(id, (char *)payload, O_RDONLY, 0, 1);
		break;
	case WRITE:
		on_open(id, (char *)payload + 5, O_WRONLY | O_CREAT | (payload[4] ? O_APPEND : O_TRUNC), get32(payload), 0);
		break;
	case DATA:
		on_data(id, payload, length);
		break;
	case END:
		file = find_file(id);
		if (file != 0)
			end_file(file);
		break;
	case CLOCK:
		on_clock(id, payload);
		break;
	case RESEED:
		on_reseed(id, payload, length);
		break;
	}
}

static void receive(void)
{
	long n = sys3(__NR_read, port, in + received, sizeof in - received);
	size_t at = 0;
	if (n <= 0) {
		wait_a_moment();
		return;
	}
	received += (size_t)n;
	while (received - at >= HEADER) {
		size_t length = get32(in + at);
		if (length > LONGEST_FRAME)
			sys1(__NR_exit_group, 1);
		if (received - at < HEADER + length)
			break;
		on_frame(in[at + 4], get32(in + at + 5), in + at + HEADER, length);
		at += HEADER + length;
	}
	received -= at;
	if (at > 0)
		memmove(in, in + at, received);
}

static void serve(void)
{
	static struct { int fd; short events, revents; } polled[2 + 2 * COMMANDS];
	static const long at_once[2];
	for (;;) {
		int reading = 0, n = 2;
		polled[0].fd = port;
		polled[1].fd = signals;
		for (int i = 0; i < COMMANDS; i++) {
			if (commands[i].state < RUNNING)
				continue;
			if (commands[i].out >= 0)
				polled[n++].fd = commands[i].out;
			if (commands[i].err >= 0)
				polled[n++].fd = commands[i].err;
		}
		for (int i = 0; i < n; i++)
			polled[i].events = POLLIN;
		for (int i = 0; i < FILES; i++)
			if (files[i].used && files[i].reading) {
				reading = 1;
				read_on(&files[i]);
			}
		sys5(__NR_ppoll, (long)polled, n, reading ? (long)at_once : 0, 0, 8);
		for (int i = 0; i < COMMANDS; i++) {
			struct command *command = &commands[i];
			for (int j = 2; j < n && command->state >= RUNNING; j++) {
				if (polled[j].revents == 0)
					continue;
				if (polled[j].fd == command->out)
					pass_on(command, &command->out, OUT, CHUNK);
				else if (polled[j].fd == command->err)
					pass_on(command, &command->err, ERR, CHUNK);
			}
			free_if_over(command);
		}
		if (polled[1].revents != 0)
			reap();
		if (polled[0].revents != 0)
			receive();
	}
}

static void work(void)
{
	static const u64 child_ended = 1 << (SIGCHLD - 1);
	sys4(__NR_rt_sigprocmask, SIG_BLOCK, &child_ended, 0, 8);
	signals = (int)sys4(__NR_signalfd4, -1, &child_ended, 8, O_CLOEXEC);
	open_null();
	open_random();
	send_number(HELLO, 0, VERSION);
	serve();
}

/* The kernel's initial stack: number of arguments, arguments, 0, variables, 0. */
__attribute__((noreturn)) void start(long *stack)
{
	static const u8 defaults[64];
	char **argv = (char **)(stack + 1);
	environment = argv + stack[0] + 1;
	/* A shell ignores SIGINT for a background process, and our commands would inherit that. */
	for (int signal = 1; signal <= 64; signal++)
		sys4(__NR_rt_sigaction, signal, defaults, 0, 8);
	if (stack[0] > 1)
		port = (int)sys4(__NR_openat, AT_FDCWD, argv[1], O_RDWR | O_CLOEXEC, 0);
	if (stack[0] > 1 && port >= 0) {
		/* The parent restarts the worker if it ends. */
		long worker;
		while ((worker = clone(SIGCHLD)) != 0) {
			sys4(__NR_wait4, worker, 0, 0, 0);
			wait_a_moment();
		}
		work();
	}
	for (;;)
		sys1(__NR_exit_group, 1);
}
