/*
 * The Linux kernel without a C library: system calls, the program's start, and the few functions that gcc itself calls.
 * Numbers and structures are those of the kernel's own headers.
 */
#ifndef SYSTEM_H
#define SYSTEM_H

#include <asm/fcntl.h>
#include <asm/ioctls.h>
#include <asm/poll.h>
#include <asm/signal.h>
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/memfd.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/stat.h>

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef unsigned long size_t;

#define AT_FDCWD (-100)
#define AT_EMPTY_PATH 0x1000
#define WNOHANG 1
#define CLOCK_REALTIME 0

/* Up to five arguments, which is all that is needed; the result is -errno for an error. */
#if defined(__x86_64__)
static inline long sys5(long n, long a, long b, long c, long d, long e)
{
	register long r10 __asm__("r10") = d, r8 __asm__("r8") = e;
	__asm__ volatile("syscall" : "+a"(n) : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8) : "rcx", "r11", "memory");
	return n;
}
__asm__(".globl _start\n_start: xor %ebp,%ebp; mov %rsp,%rdi; and $-16,%rsp; call start\n");
#elif defined(__i386__)
static inline long sys5(long n, long a, long b, long c, long d, long e)
{
	__asm__ volatile("int $0x80" : "+a"(n) : "b"(a), "c"(b), "d"(c), "S"(d), "D"(e) : "memory");
	return n;
}
__asm__(".globl _start\n_start: xor %ebp,%ebp; mov %esp,%eax; and $-16,%esp; sub $12,%esp; push %eax; call start\n");
#elif defined(__aarch64__)
static inline long sys5(long n, long a, long b, long c, long d, long e)
{
	register long x8 __asm__("x8") = n, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c,
		      x3 __asm__("x3") = d, x4 __asm__("x4") = e;
	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
	return x0;
}
__asm__(".globl _start\n_start: mov x29,0; mov x30,0; mov x0,sp; and sp,x0,-16; b start\n");
#elif defined(__arm__)
static inline long sys5(long n, long a, long b, long c, long d, long e)
{
	register long r7 __asm__("r7") = n, r0 __asm__("r0") = a, r1 __asm__("r1") = b, r2 __asm__("r2") = c,
		      r3 __asm__("r3") = d, r4 __asm__("r4") = e;
	__asm__ volatile("svc 0" : "+r"(r0) : "r"(r7), "r"(r1), "r"(r2), "r"(r3), "r"(r4) : "memory");
	return r0;
}
__asm__(".arm\n.globl _start\n.type _start,%function\n_start: mov fp,#0; mov lr,#0; mov r0,sp; bic sp,sp,#7; b start\n");
#elif defined(__riscv) && __riscv_xlen == 64
static inline long sys5(long n, long a, long b, long c, long d, long e)
{
	register long a7 __asm__("a7") = n, a0 __asm__("a0") = a, a1 __asm__("a1") = b, a2 __asm__("a2") = c,
		      a3 __asm__("a3") = d, a4 __asm__("a4") = e;
	__asm__ volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2), "r"(a3), "r"(a4) : "memory");
	return a0;
}
__asm__(".globl _start\n_start: .option push\n.option norelax\nlla gp,__global_pointer$\n.option pop\n"
	"mv a0,sp; andi sp,sp,-16; tail start\n");
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
static inline long sys5(long n, long a, long b, long c, long d, long e)
{
	register long r0 __asm__("r0") = n, r3 __asm__("r3") = a, r4 __asm__("r4") = b, r5 __asm__("r5") = c,
		      r6 __asm__("r6") = d, r7 __asm__("r7") = e;
	__asm__ volatile("sc; bns+ 1f; neg 3,3; 1:"
			 : "+r"(r0), "+r"(r3), "+r"(r4), "+r"(r5), "+r"(r6), "+r"(r7)
			 :
			 : "memory", "cr0", "r8", "r9", "r10", "r11", "r12", "ctr");
	return r3;
}
__asm__(".globl _start\n.type _start,@function\n_start: addis 2,12,.TOC.-_start@ha; addi 2,2,.TOC.-_start@l\n"
	"mr 3,1; clrrdi 1,1,4; li 0,0; stdu 1,-32(1); mtlr 0; bl start; nop\n");
#elif defined(__s390x__)
static inline long sys5(long n, long a, long b, long c, long d, long e)
{
	register long r1 __asm__("1") = n, r2 __asm__("2") = a, r3 __asm__("3") = b, r4 __asm__("4") = c,
		      r5 __asm__("5") = d, r6 __asm__("6") = e;
	__asm__ volatile("svc 0" : "+d"(r2) : "d"(r1), "d"(r3), "d"(r4), "d"(r5), "d"(r6) : "memory");
	return r2;
}
__asm__(".globl _start\n_start: lgr %r2,%r15; aghi %r15,-160; xc 0(8,%r15),0(%r15); jg start\n");
#else
#error "Add the system calls of this architecture."
#endif

#define sys(n, a, b, c, d, e) sys5((n), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e))
#define sys0(n) sys(n, 0, 0, 0, 0, 0)
#define sys1(n, a) sys(n, a, 0, 0, 0, 0)
#define sys2(n, a, b) sys(n, a, b, 0, 0, 0)
#define sys3(n, a, b, c) sys(n, a, b, c, 0, 0)
#define sys4(n, a, b, c, d) sys(n, a, b, c, d, 0)

/* A new process: with CLONE_VM and CLONE_VFORK one that borrows this one's memory and stack until it execs. */
static inline long clone(unsigned long flags)
{
#if defined(__s390x__)
	return sys2(__NR_clone, 0, flags);
#else
	return sys2(__NR_clone, flags, 0);
#endif
}

void *memcpy(void *to, const void *from, size_t length)
{
	u8 *t = to;
	for (const u8 *f = from; length > 0; length--)
		*t++ = *f++;
	return to;
}

void *memmove(void *to, const void *from, size_t length)
{
	u8 *t = to;
	const u8 *f = from;
	if (t <= f)
		return memcpy(to, from, length);
	while (length-- > 0)
		t[length] = f[length];
	return to;
}

void *memset(void *to, int value, size_t length)
{
	for (u8 *t = to; length > 0; length--)
		*t++ = (u8)value;
	return to;
}

#endif
