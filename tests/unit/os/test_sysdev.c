/* tests/unit/os/test_sysdev.c - os/sysdev.h on a sysfs and a /proc of our own */
#include "os/sysdev.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/str.h"
#include "os/fd.h"
#include "os/tree_remove.h"

struct host {
	char path[64];
	char *sys, *proc;
};

static int setup(void **state)
{
	struct host *host = *state = xcalloc(1, sizeof(*host));

	(void)snprintf(host->path, sizeof(host->path), "/tmp/sysctr-unit-XXXXXX");
	assert_non_null(mkdtemp(host->path));
	host->sys = xasprintf("%s/sys", host->path);
	host->proc = xasprintf("%s/proc", host->path);
	return 0;
}

static int teardown(void **state)
{
	struct host *host = *state;
	int tmp_fd = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(tree_remove(tmp_fd, host->path + strlen("/tmp/"), NULL, NULL), 0);
	(void)fd_close(tmp_fd);
	free(host->sys);
	free(host->proc);
	free(host);
	return 0;
}

static void make_parents(const char *path)
{
	_cleanup_(freep) char *dir = xstrdup(path);

	for (char *slash = strchr(dir + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		assert_true(mkdir(dir, 0755) == 0 || errno == EEXIST);
		*slash = '/';
	}
}

/* @path below the host's directory. */
static void write_file(const struct host *host, const char *path, const char *text)
{
	_cleanup_(freep) char *whole = xasprintf("%s/%s", host->path, path);
	FILE *file;

	make_parents(whole);
	file = fopen(whole, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void make_link(const struct host *host, const char *target, const char *path)
{
	_cleanup_(freep) char *whole = xasprintf("%s/%s", host->path, path);
	_cleanup_(freep) char *to = xasprintf("%s/%s", host->path, target);

	make_parents(whole);
	assert_int_equal(symlink(to, whole), 0);
}

#define PCI "sys/devices/pci0000:00/0000:01:00.0"

static void add_pci(const struct host *host)
{
	write_file(host, PCI "/vendor", "0x10de\n");
	write_file(host, PCI "/device", "0x2206\n");
	make_link(host, PCI, "sys/bus/pci/devices/0000:01:00.0");
}

static const struct sysdev *find(const struct sysdevs *devs, const char *devname)
{
	vec_for_each(dev, &devs->list)
		if (streq(dev->devname, devname))
			return dev;
	return NULL;
}

static void test_nodes_of_sysfs(void **state)
{
	const struct host *host = *state;
	const struct sysdev *card;
	struct sysdevs devs;

	add_pci(host);
	write_file(host, "sys/class/drm/x", "");
	write_file(host, PCI "/drm/card0/uevent", "MAJOR=226\nMINOR=0\nDEVNAME=dri/card0\n");
	make_link(host, "sys/class/drm", PCI "/drm/card0/subsystem");
	make_link(host, PCI "/drm/card0", "sys/dev/char/226:0");
	write_file(host, "sys/devices/evil/uevent", "DEVNAME=../etc/passwd\n");
	make_link(host, "sys/devices/evil", "sys/dev/char/1:3");
	sysdevs_read(host->sys, host->proc, &devs);
	assert_int_equal(devs.list.len, 1);
	card = find(&devs, "dri/card0");
	assert_non_null(card);
	assert_int_equal(card->major, 226);
	assert_string_equal(card->subsystem, "drm");
	assert_string_equal(card->vendor, "10de");
	assert_string_equal(card->product, "2206");
	assert_string_equal(card->pci, "0000:01:00.0");
	sysdevs_done(&devs);
}

#define GPU "proc/driver/nvidia/gpus/0000:01:00.0/information"

static void test_nodes_of_nvidia(void **state)
{
	const struct host *host = *state;
	const struct sysdev *card;
	struct sysdevs devs;

	add_pci(host);
	write_file(host, "proc/devices", "Character devices:\n195 nvidia\n510 nvidia-uvm\n");
	write_file(host, GPU, "Model: \t\t Some Card\nIRQ:   \t\t 33\nDevice Minor: \t 3\n");
	/* one that sysfs does not have */
	write_file(host, "proc/driver/nvidia/gpus/0000:02:00.0/information", "Device Minor: 1\n");
	sysdevs_read(host->sys, host->proc, &devs);
	assert_int_equal(devs.list.len, 5);
	card = find(&devs, "nvidia3");
	assert_non_null(card);
	assert_string_equal(card->subsystem, SYSDEV_NVIDIA);
	assert_int_equal(card->major, 195);
	assert_int_equal(card->minor, 3);
	assert_string_equal(card->pci, "0000:01:00.0");
	assert_string_equal(card->vendor, "10de");
	assert_non_null(strstr(card->owner, "0000:01:00.0"));
	assert_int_equal(find(&devs, "nvidiactl")->minor, 255);
	assert_null(find(&devs, "nvidiactl")->owner);
	assert_int_equal(find(&devs, "nvidia-modeset")->minor, 254);
	assert_int_equal(find(&devs, "nvidia-uvm")->major, 510);
	assert_int_equal(find(&devs, "nvidia-uvm-tools")->minor, 1);
	sysdevs_done(&devs);
}

/* No card, or one that says nonsense: nothing of the driver's. */
static void test_no_card_of_nvidia(void **state)
{
	static const char *const texts[] = { "Model: x\n", "Device Minor: \n", "Device Minor: -1\n",
					     "Device Minor: 248\n", "Device Minor: 1x\n" };
	const struct host *host = *state;
	struct sysdevs devs;

	add_pci(host);
	write_file(host, "proc/devices", "195 nvidia\n");
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		write_file(host, GPU, texts[i]);
		sysdevs_read(host->sys, host->proc, &devs);
		assert_int_equal(devs.list.len, 0);
		sysdevs_done(&devs);
	}
	write_file(host, GPU, "Device Minor: 0\n");
	sysdevs_read(host->sys, host->proc, &devs);
	assert_int_equal(devs.list.len, 3); /* without nvidia-uvm, which is not loaded */
	sysdevs_done(&devs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nodes_of_sysfs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nodes_of_nvidia, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_card_of_nvidia, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
