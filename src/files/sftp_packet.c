/* files/sftp_packet.c - see sftp_packet.h */
#include "files/sftp_packet.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum sftp_code sftp_code_of(int error)
{
	switch (-error) {
	case 0:
		return SFTP_OK;
	case ENOENT:
	case ENOTDIR:
		return SFTP_NO_SUCH_FILE;
	case EACCES:
	case EPERM:
		return SFTP_PERMISSION_DENIED;
	case EBADMSG:
		return SFTP_BAD_MESSAGE;
	case EOPNOTSUPP:
	case ENOSYS:
		return SFTP_UNSUPPORTED;
	default:
		return SFTP_FAILURE;
	}
}

static const unsigned char *take(struct sftp_in *in, size_t len)
{
	const unsigned char *at = in->at;

	if (len > in->left) {
		in->bad = true;
		in->left = 0;
		return NULL;
	}
	in->at += len;
	in->left -= len;
	return at;
}

static uint64_t get_number(struct sftp_in *in, size_t len)
{
	const unsigned char *at = take(in, len);
	uint64_t value = 0;

	for (size_t i = 0; at && i < len; i++)
		value = value << 8 | at[i];
	return value;
}

uint8_t sftp_get_u8(struct sftp_in *in)
{
	return (uint8_t)get_number(in, 1);
}

uint32_t sftp_get_u32(struct sftp_in *in)
{
	return (uint32_t)get_number(in, 4);
}

uint64_t sftp_get_u64(struct sftp_in *in)
{
	return get_number(in, 8);
}

const unsigned char *sftp_get_bytes(struct sftp_in *in, size_t *ret_len)
{
	size_t len = sftp_get_u32(in);
	const unsigned char *at = take(in, len);

	*ret_len = at ? len : 0;
	return at;
}

void sftp_get_path(struct sftp_in *in, char ret_path[SFTP_PATH_MAX])
{
	size_t len;
	const unsigned char *at = sftp_get_bytes(in, &len);

	if (len >= SFTP_PATH_MAX || (len > 0 && memchr(at, '\0', len))) {
		in->bad = true;
		len = 0;
	}
	if (len > 0)
		memcpy(ret_path, at, len);
	ret_path[len] = '\0';
}

void sftp_get_attrs(struct sftp_in *in, struct sftp_attrs *ret_attrs)
{
	struct sftp_attrs attrs = { .flags = sftp_get_u32(in) };

	if (attrs.flags & SFTP_ATTR_SIZE)
		attrs.size = sftp_get_u64(in);
	if (attrs.flags & SFTP_ATTR_OWNER) {
		attrs.uid = sftp_get_u32(in);
		attrs.gid = sftp_get_u32(in);
	}
	if (attrs.flags & SFTP_ATTR_MODE)
		attrs.mode = sftp_get_u32(in) & 07777;
	if (attrs.flags & SFTP_ATTR_TIMES) {
		attrs.atime = sftp_get_u32(in);
		attrs.mtime = sftp_get_u32(in);
	}
	/* pairs that nobody defined for us are read over with the packet */
	*ret_attrs = attrs;
}

void sftp_put_u32(struct buf *out, uint32_t value)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		buf_add_char(out, (char)(value >> shift));
}

void sftp_put_u64(struct buf *out, uint64_t value)
{
	sftp_put_u32(out, (uint32_t)(value >> 32));
	sftp_put_u32(out, (uint32_t)value);
}

void sftp_put_bytes(struct buf *out, const void *bytes, size_t len)
{
	sftp_put_u32(out, (uint32_t)len);
	buf_add(out, bytes, len);
}

size_t sftp_begin(struct buf *out, enum sftp_type type, uint32_t id)
{
	size_t begin = out->len;

	sftp_put_u32(out, 0);
	buf_add_char(out, (char)type);
	sftp_put_u32(out, id);
	return begin;
}

void sftp_end(struct buf *out, size_t begin)
{
	uint32_t len = (uint32_t)(out->len - begin - 4);

	for (int i = 0; i < 4; i++)
		out->data[begin + (size_t)i] = (char)(len >> (24 - 8 * i));
}

void sftp_put_stat(struct buf *out, const struct stat *st)
{
	sftp_put_u32(out, SFTP_ATTR_SIZE | SFTP_ATTR_OWNER | SFTP_ATTR_MODE | SFTP_ATTR_TIMES);
	sftp_put_u64(out, (uint64_t)st->st_size);
	sftp_put_u32(out, st->st_uid);
	sftp_put_u32(out, st->st_gid);
	sftp_put_u32(out, st->st_mode);
	sftp_put_u32(out, (uint32_t)st->st_atim.tv_sec);
	sftp_put_u32(out, (uint32_t)st->st_mtim.tv_sec);
}

static char type_letter(mode_t mode)
{
	static const struct {
		mode_t type;
		char letter;
	} letters[] = { { S_IFDIR, 'd' },  { S_IFLNK, 'l' }, { S_IFIFO, 'p' },
			{ S_IFSOCK, 's' }, { S_IFCHR, 'c' }, { S_IFBLK, 'b' } };

	for (size_t i = 0; i < ARRAY_LEN(letters); i++)
		if ((mode & S_IFMT) == letters[i].type)
			return letters[i].letter;
	return '-';
}

struct date {
	int64_t year;
	unsigned int month, day;
};

/*
 * The day of the Gregorian calendar @days after 1970-01-01. Not gmtime(): that reads
 * /etc/localtime, which in here is the guest's. Years begin in March, so that a leap day is the last.
 */
static struct date date_of(int64_t days)
{
	int64_t since = days + 719468; /* 0000-03-01 */
	int64_t era = (since >= 0 ? since : since - 146096) / 146097;
	unsigned int of_era = (unsigned int)(since - era * 146097);
	unsigned int years = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	unsigned int of_year = of_era - (365 * years + years / 4 - years / 100);
	unsigned int month = (5 * of_year + 2) / 153;

	return (struct date){
		.year = era * 400 + years + (month >= 10),
		.month = month < 10 ? month + 3 : month - 9,
		.day = of_year - (153 * month + 2) / 5 + 1,
	};
}

void sftp_put_long_name(struct buf *out, const char *name, const struct stat *st)
{
	struct buf text = { 0 };
	int64_t seconds = st->st_mtim.tv_sec % 86400, days = st->st_mtim.tv_sec / 86400;
	struct date date;

	if (seconds < 0) {
		seconds += 86400;
		days--;
	}
	date = date_of(days);
	buf_add_char(&text, type_letter(st->st_mode));
	for (int bit = 8; bit >= 0; bit--)
		buf_add_char(&text, st->st_mode & (1u << bit) ? "xwr"[bit % 3] : '-');
	buf_printf(&text, " %3lu %-8u %-8u %8" PRIu64 " %04" PRId64 "-%02u-%02u %02d:%02d %s",
		   (unsigned long)st->st_nlink, st->st_uid, st->st_gid, (uint64_t)st->st_size,
		   date.year, date.month, date.day, (int)(seconds / 3600), (int)(seconds / 60 % 60),
		   name);
	sftp_put_bytes(out, text.data, text.len);
	buf_done(&text);
}
