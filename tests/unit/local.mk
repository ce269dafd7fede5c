## One binary per module: tests/unit/<layer>/test_<module>.c, listed in that layer's local.mk.
TESTS += $(check_PROGRAMS)
include tests/unit/aio/local.mk
include tests/unit/api/local.mk
include tests/unit/base/local.mk
include tests/unit/cli/local.mk
include tests/unit/client/local.mk
include tests/unit/codec/local.mk
include tests/unit/core/local.mk
include tests/unit/db/local.mk
include tests/unit/exec/local.mk
include tests/unit/files/local.mk
include tests/unit/image/local.mk
include tests/unit/monitor/local.mk
include tests/unit/network/local.mk
include tests/unit/os/local.mk
include tests/unit/spec/local.mk
include tests/unit/storage/local.mk
