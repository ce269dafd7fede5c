/* tests of exec/command */
#include "exec/command.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/macro.h"
#include "base/str.h"

static const char base[] = "container=sysctr\0PATH=/opt/bin:/bin\0HOME=/\0=bad\0alone\0EMPTY=";

static char *env_of(const struct command *command, const char *prefix)
{
	for (char **e = command->envp; *e; e++)
		if (str_after(*e, prefix))
			return *e;
	return NULL;
}

static void test_environment(void **state)
{
	char *argv[] = { (char *)"env", NULL };
	struct session_spec spec = { .argv = argv };
	struct passwd_entry user = { .name = (char *)"john",
				     .home = (char *)"/home/john",
				     .shell = (char *)"/bin/zsh" };
	struct command command;

	(void)state;
	strmap_set(&spec.environment, "LANG", "de_DE");
	strmap_set(&spec.environment, "TERM", "xterm");
	assert_int_equal(command_make(&spec, base, sizeof(base), &user, &command), 0);
	assert_string_equal(env_of(&command, "container="), "container=sysctr");
	assert_string_equal(env_of(&command, "HOME="), "HOME=/home/john");
	assert_string_equal(env_of(&command, "SHELL="), "SHELL=/bin/zsh");
	assert_string_equal(env_of(&command, "LANG="), "LANG=de_DE");
	assert_string_equal(env_of(&command, "TERM="), "TERM=xterm");
	assert_string_equal(env_of(&command, "EMPTY="), "EMPTY=");
	assert_null(env_of(&command, "alone"));
	assert_null(env_of(&command, "="));
	assert_string_equal(command.search_path, "/opt/bin:/bin");
	command_done(&command);
	strmap_set(&spec.environment, "PATH", "/only");
	assert_int_equal(command_make(&spec, NULL, 0, NULL, &command), 0);
	assert_string_equal(command.search_path, "/only");
	assert_string_equal(env_of(&command, "HOME="), "HOME=/");
	command_done(&command);
	strmap_done(&spec.environment);
}

static void test_login_shell(void **state)
{
	char *argv[] = { (char *)"x", (char *)"-c", (char *)"id", NULL };
	struct session_spec spec = { .argv = argv, .login_shell = true };
	struct passwd_entry user = { .name = (char *)"john",
				     .home = (char *)"/home/john",
				     .shell = (char *)"/usr/bin/zsh" };
	struct command command;

	(void)state;
	assert_int_equal(command_make(&spec, NULL, 0, &user, &command), 0);
	assert_string_equal(command.path, "/usr/bin/zsh");
	assert_string_equal(command.argv[0], "-zsh");
	assert_string_equal(command.argv[2], "id");
	assert_int_equal(strv_len(command.argv), 3);
	command_done(&command);
	user.shell = (char *)"";
	spec.argv = NULL;
	assert_int_equal(command_make(&spec, NULL, 0, &user, &command), 0);
	assert_string_equal(command.path, "/bin/sh");
	assert_string_equal(command.argv[0], "-sh");
	command_done(&command);
	spec.login_shell = false;
	assert_int_equal(command_make(&spec, NULL, 0, &user, &command), -EINVAL);
}

/* Notes what is tried, and answers for a made-up file system. */
static int try_note(void *data, const char *path)
{
	static const struct {
		const char *path;
		int code;
	} files[] = {
		{ "/secret/ls", -EACCES },
		{ "/text/ls", -ENOEXEC },
		{ "/file/ls", -ENOTDIR },
		{ "/abs/no", -EACCES },
	};

	buf_printf(data, "%s ", path);
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		if (streq(files[i].path, path))
			return files[i].code;
	return -ENOENT;
}

static void test_search(void **state)
{
	static const struct {
		const char *program;
		const char *search_path;
		const char *tried;
		int code;
		int exit_status;
	} cases[] = {
		{ "ls", "/a:/b", "/a/ls /b/ls ", -ENOENT, 127 },
		{ "ls", "/a:/secret:/b", "/a/ls /secret/ls /b/ls ", -EACCES, 126 },
		{ "ls", "/text:/secret", "/text/ls /secret/ls ", -ENOEXEC, 126 },
		{ "ls", "/file", "/file/ls ", -ENOENT, 127 },
		{ "ls", ":/a::.:rel:/b:", "/a/ls /b/ls ", -ENOENT, 127 },
		{ "ls", "", "", -ENOENT, 127 },
		{ "", "/a", "", -ENOENT, 127 },
		{ "/abs/no", "/a", "/abs/no ", -EACCES, 126 },
		{ "./x", "/a", "./x ", -ENOENT, 127 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(buf_done) struct buf tried = { 0 };
		char *argv[] = { (char *)cases[i].program, NULL };
		struct session_spec spec = { .argv = argv };
		struct command command;
		int r;

		strmap_set(&spec.environment, "PATH", cases[i].search_path);
		assert_int_equal(command_make(&spec, NULL, 0, NULL, &command), 0);
		r = command_search(&command, try_note, &tried);
		assert_int_equal(r, cases[i].code);
		assert_int_equal(command_exit_status(r), cases[i].exit_status);
		assert_string_equal(buf_str(&tried), cases[i].tried);
		command_done(&command);
		strmap_done(&spec.environment);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_login_shell),
		cmocka_unit_test(test_search),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
