// SPDX-License-Identifier: GPL-2.0
/* /dev/counter: each open reads the next number. */
#include <linux/atomic.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>

static bool selftest;
module_param(selftest, bool, 0);
MODULE_PARM_DESC(selftest, "print the results of the tests of the module to the kernel log");

static atomic_t last = ATOMIC_INIT(0);

static int next(void)
{
	return atomic_add_return(1, &last);
}

static int counter_open(struct inode *inode, struct file *file)
{
	file->private_data = (void *)(long)next();
	return 0;
}

static ssize_t counter_read(struct file *file, char __user *to, size_t size, loff_t *at)
{
	char text[16];
	int length = scnprintf(text, sizeof(text), "%ld\n", (long)file->private_data);

	return simple_read_from_buffer(to, size, at, text, length);
}

static const struct file_operations operations = {
	.owner = THIS_MODULE,
	.open = counter_open,
	.read = counter_read,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "counter",
	.fops = &operations,
};

static void result(int number, int got, int want, const char *name)
{
	if (got != want)
		printk(KERN_INFO "# got %d, wanted %d\n", got, want);
	printk(KERN_INFO "%sok %d %s\n", got == want ? "" : "not ", number, name);
}

static int __init counter_init(void)
{
	if (selftest) {
		printk(KERN_INFO "KTAP version 1\n");
		printk(KERN_INFO "1..2\n");
		result(1, next(), 1, "starts with 1");
		result(2, next(), 2, "counts by 1");
		atomic_set(&last, 0);
	}
	return misc_register(&device);
}

static void __exit counter_exit(void)
{
	misc_deregister(&device);
}

module_init(counter_init);
module_exit(counter_exit);
MODULE_DESCRIPTION("A device that counts");
MODULE_LICENSE("GPL");
