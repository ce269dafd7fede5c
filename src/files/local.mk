## files: the file server of instances and both halves of tree streams
noinst_LIBRARIES += libfiles.a
libfiles_a_SOURCES = \
	%D%/place.c %D%/place.h \
	%D%/serve.c %D%/serve.h \
	%D%/sftp.c %D%/sftp.h \
	%D%/sftp_packet.c %D%/sftp_packet.h \
	%D%/sftp_paths.c %D%/sftp_priv.h \
	%D%/single.c \
	%D%/stream.c %D%/stream.h \
	%D%/transfer.c \
	%D%/tree.h \
	%D%/tree_attrs.c %D%/tree_attrs.h \
	%D%/tree_receive.c \
	%D%/tree_send.c
