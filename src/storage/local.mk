noinst_LIBRARIES += libstorage.a
libstorage_a_SOURCES = \
	%D%/btrfs.c %D%/btrfs.h \
	%D%/btrfs_limit.c %D%/btrfs_limit.h \
	%D%/copy.c %D%/copy.h \
	%D%/copy_commit.c \
	%D%/diff.c %D%/diff.h \
	%D%/dir.c %D%/dir.h \
	%D%/driver.h \
	%D%/fill.h \
	%D%/identity.c %D%/identity.h \
	%D%/limit.h \
	%D%/mock.c %D%/mock.h \
	%D%/overlay.c %D%/overlay.h \
	%D%/policy.c %D%/policy.h \
	%D%/pool.c %D%/pool.h \
	%D%/pool_disk.c %D%/pool_disk.h \
	%D%/pool_look.c %D%/pool_look.h \
	%D%/pool_make.c %D%/pool_make.h \
	%D%/side.c %D%/side.h \
	%D%/quota.c %D%/quota.h \
	%D%/trace.c %D%/trace.h \
	%D%/transfer.c %D%/transfer.h \
	%D%/volume.c %D%/volume.h
